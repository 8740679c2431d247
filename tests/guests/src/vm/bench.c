/* What the operations of a hypervisor cost, one at a time, in the manner of kvm-unit-tests' micro-bench: each is done `count` times, and
 * how many cycles it has taken (PMCCNTR_EL0, EL2 included, or CNTVCT_EL0 in its steps of 16) goes to `samples`, where whoever runs this finds them; the console says
 * the address and nothing that depends on the number.
 *
 * Options: op=NAME of the table at the end; count=N (100); fault=ADDRESS of a device without registers, for op=fault. op=yield is the
 * other virtual machine of op=switch: it gives up its core for ever.
 */
#include "kernel.h"
#include "block.h"
#include "rhyper.h"

enum { most_samples = 100000, warm_up = 3, sgi = 5, pmccfiltr_nsh = 1 << 27, pmcr_enable = 1, pmcr_reset = 4 };
enum { uart_fr = 0x18, uart_imsc = 0x38, uart_tx = 1 << 5, gicd_typer = 4, psci_version_function = 0x84000000 };
enum { sys_ping_core = 0x40 };

u32 samples[most_samples];
static u64 fault_address;
static struct block *block;
static u8 sector[sector_bytes];
static volatile u32 handled;
static volatile u64 stamp;
static bool stamp_by_counter;
static void (*silence)(void); /* the source of the interrupt */

static inline u64 cycles(void) {
    isb();
    return READ(pmccntr_el0);
}

static void count_cycles(void) {
    WRITE(pmccfiltr_el0, pmccfiltr_nsh);
    WRITE(pmcntenset_el0, 1u << 31);
    WRITE(pmcr_el0, READ(pmcr_el0) | pmcr_enable | pmcr_reset);
    isb();
}

/* --- exits --- */

/* Time for the other core to be asleep again. */
static void pause(void) {
    for (u64 end = cycles() + 10000; cycles() < end;) {
    }
}

static u64 nothing(void) {
    u64 start = cycles();
    return cycles() - start;
}

static u64 call(u32 fid, u32 event, u64 argument) {
    register u64 x0 asm("x0") = argument;
    register u64 x7 asm("x7") = (u64)fid << 8 | event;
    u64 start = cycles();
    asm volatile("hvc #0" : "+r"(x0), "+r"(x7) : : "x1", "x2", "x3", "x4", "x5", "x6", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
                 "x15", "x16", "x17", "memory");
    u64 end = cycles();
    check(x0 != RHYPER_ERROR, "the hypercall is accepted");
    return end - start;
}
static u64 hypercall(void) {
    return call(fid_unilib, unilib_finished, 0);
}
static u64 secure_call(void) {
    u64 start = cycles();
    psci(psci_version_function, 0, 0, 0);
    return cycles() - start;
}
static u64 read_register(u64 address) {
    u64 start = cycles();
    mmio_read32(address);
    return cycles() - start;
}
static u64 fault(void) {
    return read_register(fault_address);
}
static u64 distributor(void) {
    return read_register(machine.gicd + gicd_typer);
}
static u64 transport(void) {
    return read_register(machine.transports[0].base);
}
static u64 passthrough(void) {
    return read_register(machine.uart + uart_fr);
}
static u64 sleep_trap(void) {
    u64 start = cycles();
    wfi();
    return cycles() - start;
}
/* PMCCNTR_EL0 is a virtual CPU's own: it stands still while another one has the core. The counter does not. */
static u64 cycles_of(u64 counts) {
    return counts * (1000000000 / READ(cntfrq_el0));
}
static u64 give_up_core(void) {
    u64 start = clock_now();
    wfi();
    return cycles_of(clock_now() - start);
}
static u64 request(void) {
    u64 start = cycles();
    u8 status = block_request(block, block_in, 0, sector, sizeof sector);
    u64 end = cycles();
    check(status == block_ok, "the sector is read");
    return end - start;
}
static u64 ping_core(void) {
    pause();
    return call(fid_sys, sys_ping_core, 1);
}

/* --- interrupts --- */

/* In place of the kernel's, which waits in a DSB until the acknowledgement has been heard of. */
static void take(struct frame *frame) {
    (void)frame;
    u64 iar = READ_(ICC_IAR1_EL1);
    stamp = stamp_by_counter ? clock_now() : cycles();
    if (silence) {
        silence();
    }
    dsb(sy);
    WRITE_(ICC_EOIR1_EL1, iar);
    isb();
    handled = 1;
}

/* An interrupt of our own, pending and masked. */
static void pend(void) {
    send_sgi(core_index(), sgi);
    while (!(READ(isr_el1) & 0x80)) {
    }
}
static u64 acknowledge(void) {
    pend();
    u64 start = cycles();
    u64 iar = READ_(ICC_IAR1_EL1);
    u64 end = cycles();
    WRITE_(ICC_EOIR1_EL1, iar);
    return end - start;
}
static u64 end_of_interrupt(void) {
    pend();
    u64 iar = READ_(ICC_IAR1_EL1);
    u64 start = cycles();
    WRITE_(ICC_EOIR1_EL1, iar);
    return cycles() - start;
}

static u64 wait_since(u64 start) {
    while (!handled) {
    }
    return stamp - start;
}

/* The other core sleeps; its counter is another one, so that the time is until we see that it has handled it. */
static u64 interrupt_core(void) {
    pause();
    handled = 0;
    u64 start = cycles();
    send_sgi(1, sgi);
    while (!handled) {
    }
    return cycles() - start;
}

static void silence_uart(void) {
    mmio_write32(machine.uart + uart_imsc, 0);
}
static u64 device_interrupt(void) {
    handled = 0;
    irq_unmask();
    u64 start = cycles();
    mmio_write32(machine.uart + uart_imsc, uart_tx);
    u64 passed = wait_since(start);
    irq_mask();
    return passed;
}

/* How late it is by the counter, in cycles: both count the same time. */
static u64 deadline;
static void start_timer(void) {
    handled = 0;
    deadline = clock_now() + 1000;
    clock_set(deadline);
}
static u64 timer_interrupt(void) {
    start_timer();
    irq_unmask();
    u64 late = wait_since(deadline);
    irq_mask();
    return cycles_of(late);
}
static u64 timer_wakes(void) {
    start_timer();
    sleep_until(&handled, 1);
    return cycles_of(stamp - deadline);
}

/* --- preparations --- */

static void prepare_sgi(void) {
    intc_take(sgi, true, 0);
    on_irq = take;
}
static void ready(void) {
}
static u32 up;
static void secondary(void) {
    fetch_add(&up, 1);
}
static void prepare_cores(void) {
    prepare_sgi();
    start_core(1, secondary);
    while (!load_acquire(&up)) { /* before, its interface would forget the first interrupt */
    }
}
static void prepare_device(void) {
    intc_take(machine.uart_intid, false, 0);
    silence = silence_uart;
    on_irq = take;
}
static void prepare_timer(void) {
    intc_take(machine.virtual_timer, false, 0);
    silence = clock_off;
    stamp_by_counter = true;
    on_irq = take;
}
static void prepare_fault(void) {
    fault_address = option_number("fault", 0);
}
static void prepare_block(void) {
    block = block_open(0);
    check(block != 0, "there is a block device");
}

static const struct {
    const char *name;
    u64 (*once)(void);
    void (*prepare)(void);
} operations[] = {
    {"nothing", nothing, ready},
    {"hypercall", hypercall, ready},
    {"smc", secure_call, ready},
    {"fault", fault, prepare_fault},
    {"mmio", distributor, ready},
    {"transport", transport, ready},
    {"passthrough", passthrough, ready},
    {"block", request, prepare_block},
    {"wfi", sleep_trap, ready},
    {"switch", give_up_core, ready},
    {"ipi", ping_core, ready},
    {"vipi", interrupt_core, prepare_cores},
    {"ack", acknowledge, prepare_sgi},
    {"eoi", end_of_interrupt, prepare_sgi},
    {"irq", device_interrupt, prepare_device},
    {"timer", timer_interrupt, prepare_timer},
    {"wake", timer_wakes, prepare_timer},
};

int guest(void) {
    const char *op = option_text("op", "nothing");
    if (text_equal(op, "yield")) {
        irq_mask();
        for (;;) {
            wfi();
        }
    }
    u32 n = 0;
    while (n < sizeof operations / sizeof operations[0] && !text_equal(op, operations[n].name)) {
        n++;
    }
    check(n < sizeof operations / sizeof operations[0], "the operation is one of the table");
    print("bench: %s, samples at 0x%lx\n", operations[n].name, (u64)samples);
    u32 count = (u32)option_number("count", 100);
    operations[n].prepare();
    irq_mask();
    count_cycles();
    for (u32 i = 0; i < warm_up; i++) {
        operations[n].once();
    }
    for (u32 i = 0; i < count && i < most_samples; i++) {
        samples[i] = (u32)operations[n].once();
    }
    irq_unmask();
    u64 id;
    if (machine.under_rhyper && rhyper_present(&id) && id == 0) {
        psci(PSCI_SYSTEM_RESET, 0, 0, 0); /* of the machine, whatever other VMs do */
    }
    return 0;
}
