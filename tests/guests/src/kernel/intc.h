/* The interrupt controller, GICv2 (Arm IHI 0048) or GICv3 (IHI 0069), as the device tree says. Group 1 of GICv3; of GICv2
 * whatever Group the security state of this kernel sees as its own. */
#pragma once
#include "sysreg.h"

enum { intid_none = 1023, intid_first_special = 1020, priority_usual = 0xa0 };

/* By core 0 once, then by every core with its interrupts masked. SGIs are enabled. */
void intc_init(void);
void intc_init_core(void);

typedef void (*interrupt_handler)(u32 intid);
/* SGIs and PPIs have one handler for all cores; they are enabled on the calling core. SPIs go to the calling core. */
void intc_take(u32 intid, bool edge, interrupt_handler handler);
/* Called at the end of every interrupt, when it is no longer active; may change threads. */
extern void (*after_interrupt)(void);
void intc_disable(u32 intid);
void send_sgi(u32 core, u32 intid);
/* The number of interrupts that this core has taken, and those of them that had no handler. */
u32 interrupts_taken(void);
u32 interrupts_strange(void);

/* Sleeps in WFI until `*count` is at least `wanted`; a handler of this core raises it. IRQs may be masked or not. */
void sleep_until(const volatile u32 *count, u32 wanted);
/* One WFI: some interrupt has been taken when it returns. Checks made with IRQs masked before it lose none. */
void sleep_once(void);
