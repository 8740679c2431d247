#include "clock.h"
#include "intc.h"
#include "machine.h"

static void expired(u32 intid) {
    (void)intid;
    clock_off();
}

void clock_sleep(u64 deadline) {
    u64 daif = READ(daif);
    irq_mask();
    intc_take(machine.virtual_timer, false, expired);
    clock_set(deadline);
    sleep_once();
    clock_off();
    WRITE(daif, daif);
}

void clock_pause(u64 microseconds) {
    u64 deadline = clock_now() + clock_ticks(microseconds);
    while ((long)(clock_now() - deadline) < 0) {
        clock_sleep(deadline);
    }
}
