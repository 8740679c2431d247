/* Every core boots, says hello in core order, then works: sums, IPIs to its neighbour, and sleep in WFI until its own
 * arrives. Two kinds of rounds: all cores at once, a rendezvous between them; and a token that goes round the ring, so
 * that all but one sleep. */
#include "guest.h"

#define SGI_NEIGHBOUR 1
#define ROUNDS 4

static u32 count;
static struct {
    u64 sum;
    u32 sent, received;
} __attribute__((aligned(64))) results[MAX_CORES];

static void received(struct frame *f) {
    (void)f;
    u32 intid = gic_acknowledge();
    if (intid == SGI_NEIGHBOUR) {
        results[core_index()].received++;
    }
    if (intid < 1020) {
        gic_end(intid);
    }
}

static void say_hello(u32 n) {
    print("core %u: hello, affinity %u.%u\n", n, (u32)(core_affinity(n) >> 8), (u32)core_affinity(n) & 0xff);
}

static void say_result(u32 n) {
    print("core %u: sum 1..%u is %lu, IPIs sent %u, received %u\n", n, (n + 1) * 10000, results[n].sum, results[n].sent,
          results[n].received);
}

static u64 sum_to(u32 limit) {
    u64 sum = 0;
    for (u32 i = 1; i <= limit; i++) {
        sum += i;
        asm volatile("" : "+r"(sum));
    }
    return sum;
}

static void send_to_neighbour(u32 n) {
    results[n].sent++;
    send_sgi(n + 1 == count ? 0 : n + 1, SGI_NEIGHBOUR);
}

static void work(void) {
    u32 n = core_index();
    gic_init_core();
    check((READ(mpidr_el1) & 0xff00ffffff) == core_affinity(n), "a core has the affinity that CPU_ON named");
    in_core_order(say_hello);

    for (u32 round = 1; round <= ROUNDS; round++) {
        results[n].sum = sum_to((n + 1) * 10000);
        send_to_neighbour(n);
        sleep_until(&results[n].received, round);
        meet_all();
    }
    for (u32 round = 1; round <= ROUNDS; round++) {
        if (n == 0) {
            send_to_neighbour(n);
            sleep_until(&results[n].received, ROUNDS + round);
        } else {
            sleep_until(&results[n].received, ROUNDS + round);
            results[n].sum = sum_to((n + 1) * 10000);
            send_to_neighbour(n);
        }
    }
    in_core_order(say_result);
}

int guest(void) {
    count = core_count();
    title("smp-hello");
    print("entered at EL%u\n", entry_el);
    gic_init();
    on_irq = received;
    on_all_cores(work);
    print("all done\n");
    return 0;
}
