/* The virtual timer (CNTV) and the counter behind it. */
#pragma once
#include "sysreg.h"

static inline u64 clock_now(void) {
    isb();
    return READ(cntvct_el0);
}
static inline u64 clock_ticks(u64 microseconds) {
    return READ(cntfrq_el0) / 1000 * microseconds / 1000;
}
/* The next expiry of this core's timer, as a value of CNTVCT_EL0. */
static inline void clock_set(u64 deadline) {
    WRITE(cntv_cval_el0, deadline);
    WRITE(cntv_ctl_el0, 1);
    isb();
}
/* Is the timer's condition met? An interrupt that was under way when it was set anew or turned off comes without it. */
static inline bool clock_fired(void) {
    return (READ(cntv_ctl_el0) & 7) == 5;
}
static inline void clock_off(void) {
    WRITE(cntv_ctl_el0, 0);
    isb();
}

/* Sleeps until CNTVCT_EL0 has reached `deadline`, or until another interrupt has been taken before. Uses the timer's interrupt. */
void clock_sleep(u64 deadline);
/* Sleeps that long, whatever else interrupts. */
void clock_pause(u64 microseconds);
