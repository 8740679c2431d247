/* A small kernel that uses everything a virtual machine is given, and says for each part how it went: the general guest.
 *
 * Options: tests=LIST of timer, threads, smp, blk, net, rng, console, dma (all that there is a device for); rounds=N repeats; ip=
 * and peer= (10.0.2.15 and 10.0.2.2), serve=N answers that many pings before it ends; packed, noindirect, noevent choose the
 * rings; console=virtio; hear=N waits for that many lines from the virtio console; spin=alu or spin=mem makes every core
 * compute for ever instead (or rounds=N times), which is the noisy neighbour: it counts in spin_counters[core], 64 bytes
 * apart; spin=sleep sleeps for ever, which is the quiet one;
 * identity lets every core say which PE it takes itself for; errors=N waits for that many SError interrupts.
 */
#include "kernel.h"
#include "block.h"
#include "dma.h"
#include "engine.h"
#include "entropy.h"
#include "exception.h"
#include "net.h"
#include "rhyper.h"
#include "serial.h"
#include "thread.h"

enum { pattern_sectors = 96, ping_count = 4, spin_bytes = 1 << 20 };

static u64 rounds;

/* --- the timer --- */

static volatile u32 ticks, early;
static u64 tick_deadline;

static void tick(u32 intid) {
    (void)intid;
    if (!clock_fired()) {
        return;
    }
    early += (long)(clock_now() - tick_deadline) < 0;
    tick_deadline += clock_ticks(1000);
    clock_set(tick_deadline);
    if (++ticks == 10) {
        clock_off();
    }
}

static void test_timer(void) {
    ticks = early = 0;
    u64 start = clock_now();
    tick_deadline = start + clock_ticks(1000);
    irq_mask();
    intc_take(machine.virtual_timer, false, tick);
    clock_set(tick_deadline);
    sleep_until(&ticks, 10);
    irq_unmask();
    bool long_enough = clock_now() - start >= clock_ticks(10000);
    print("timer: %u ticks, %u early, %s\n", ticks, early, long_enough ? "10 ms at least" : "TOO SHORT");
}

/* --- threads --- */

static volatile u32 progress[4];

static void cooperative(u64 n) {
    for (u32 i = 0; i < 100; i++) {
        progress[n]++;
        thread_yield();
        /* Round-robin: nobody is more than one step ahead. */
        for (u32 k = 0; k < 4; k++) {
            check(progress[n] <= progress[k] + 1, "threads take turns");
        }
    }
}

static void greedy(u64 n) {
    progress[n] = 1;
    for (u32 k = 0; k < 3; k++) {
        while (!progress[k]) { /* without preemption, for ever */
        }
    }
}

static void test_threads(void) {
    memset((void *)progress, 0, sizeof progress);
    for (u64 n = 0; n < 4; n++) {
        thread_create(cooperative, n);
    }
    threads_run(0);
    u32 steps = progress[0] + progress[1] + progress[2] + progress[3];
    memset((void *)progress, 0, sizeof progress);
    for (u64 n = 0; n < 3; n++) {
        thread_create(greedy, n);
    }
    threads_run(500);
    print("threads: %u steps in turns, 3 greedy ones %s\n", steps, threads_preempted() >= 2 ? "preempted" : "NOT PREEMPTED");
}

/* --- cores --- */

static u32 started, sum, arrived[KERNEL_CORES];

static void ping_arrived(u32 intid) {
    (void)intid;
    fetch_add(&arrived[core_index()], 1);
}

static void add_thousand(void) {
    for (u32 i = 0; i < 1000; i++) {
        fetch_add(&sum, 1);
    }
}

static void secondary(void) {
    fetch_add(&started, 1);
    add_thousand();
    u32 n = core_index();
    for (u64 round = 1; round <= rounds; round++) {
        sleep_until(&arrived[n], (u32)round);
        send_sgi((n + 1) % core_count(), 5);
    }
}

/* An interrupt goes round all cores; every one of them sleeps until it comes. */
static void test_smp(void) {
    u32 n = core_count();
    intc_take(5, true, ping_arrived);
    static bool on;
    if (!on) {
        on = true;
        for (u32 i = 1; i < n; i++) {
            start_core(i, secondary);
        }
        add_thousand();
        while (load_acquire(&started) < n - 1 || load_acquire(&sum) < 1000 * n) {
            asm volatile("yield");
        }
    }
    for (u64 round = 1; round <= rounds; round++) {
        send_sgi(1 % n, 5);
        sleep_until(&arrived[0], (u32)round);
    }
    print("smp: %u core%s on, sum %u, %u rings of interrupts\n", n, n == 1 ? "" : "s", sum, arrived[0]);
}

/* --- devices --- */

static u8 data[pattern_sectors * sector_bytes] __attribute__((aligned(64)));

static u8 pattern(u64 sector, u32 i, u64 round) {
    return (u8)(sector * 31 + i * 7 + (i >> 8) + round);
}

static void test_block(void) {
    struct block *block = block_open(0);
    if (!block) {
        print("blk: no device\n");
        return;
    }
    char id[21] = {0};
    u8 said = block_request(block, block_get_id, 0, id, 20);
    print("blk: %lu sectors, id %s\n", block->sectors, said == block_ok && id[0] ? id : "none");
    u64 first = option_number("sector", 8);
    u32 count = block->sectors < first + pattern_sectors ? (u32)(block->sectors - first) : pattern_sectors;
    for (u64 round = 0; round < rounds; round++) {
        for (u32 i = 0; i < count * sector_bytes; i++) {
            data[i] = pattern(first + i / sector_bytes, i % sector_bytes, round);
        }
        u32 one_by_one = count / 4, written = 0, wrong = 0;
        for (u32 s = 0; s < one_by_one; s++) {
            written += block_request(block, block_out, first + s, data + s * sector_bytes, sector_bytes) == block_ok;
        }
        written += block_burst(block, block_out, first + one_by_one, data + one_by_one * sector_bytes, count - one_by_one);
        u8 flushed = block_request(block, block_flush, 0, 0, 0);
        memset(data, 0xee, sizeof data);
        u32 read = block_burst(block, block_in, first, data, count - 8);
        read += 8 * (block_request(block, block_in, first + count - 8, data + (count - 8) * sector_bytes, 8 * sector_bytes) == block_ok);
        for (u32 i = 0; i < count * sector_bytes; i++) {
            wrong += data[i] != pattern(first + i / sector_bytes, i % sector_bytes, round);
        }
        print("blk: %u sectors written, flush %s, %u read, %u bytes wrong\n", written,
              flushed == block_ok ? "ok" : flushed == block_unsupported ? "unsupported" : "FAILED", read, wrong);
    }
    u8 beyond = block_request(block, block_in, block->sectors, data, sector_bytes);
    print("blk: beyond the end %s\n", beyond == block_io_error ? "an error" : "NO ERROR");
}

static void test_net(void) {
    u8 ip[4], peer[4], mac[6] = {0};
    text_ip(option_text("ip", "10.0.2.15"), ip);
    text_ip(option_text("peer", "10.0.2.2"), peer);
    struct net *net = net_open(0, ip);
    if (!net) {
        print("net: no device\n");
        return;
    }
    const u8 *m = net->mac;
    print("net: %02x:%02x:%02x:%02x:%02x:%02x is %u.%u.%u.%u\n", m[0], m[1], m[2], m[3], m[4], m[5], ip[0], ip[1], ip[2], ip[3]);
    if (!net_resolve(net, peer, mac, 100)) {
        print("net: NOBODY is %u.%u.%u.%u\n", peer[0], peer[1], peer[2], peer[3]);
        return;
    }
    print("net: %02x:%02x:%02x:%02x:%02x:%02x is %u.%u.%u.%u\n", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], peer[0], peer[1],
          peer[2], peer[3]);
    u32 sent = (u32)(ping_count * rounds), good = 0;
    for (u32 i = 0; i < sent; i++) {
        good += net_ping(net, peer, mac, (u16)(i + 1), 56 + i % 4 * 400);
    }
    print("net: %u of %u pings answered\n", good, sent);
    u32 serve = (u32)option_number("serve", 0);
    if (serve) {
        irq_mask();
        while (net->echoes_answered < serve) {
            if (!net_serve(net)) {
                sleep_once();
            }
        }
        irq_unmask();
        print("net: %u pings answered for others\n", serve);
    }
}

static void test_entropy(void) {
    u8 bytes[64] = {0};
    u32 total = 0, set = 0;
    for (u64 round = 0; round < rounds; round++) {
        total += entropy_read(bytes, sizeof bytes);
    }
    for (u32 i = 0; i < sizeof bytes; i++) {
        for (u32 byte = bytes[i]; byte; byte &= byte - 1) {
            set++;
        }
    }
    if (total) {
        print("rng: %u bytes, %s\n", total, set > 160 && set < 352 ? "about half of the bits set" : "NOT RANDOM");
    } else {
        print("rng: no device\n");
    }
}

static void test_console(void) {
    struct serial *serial = serial_open(0);
    if (!serial) {
        print("console: no device\n");
        return;
    }
    static const char text[] = "minikernel: over a virtio console\n";
    for (u64 round = 0; round < rounds; round++) {
        serial_write(serial, text, sizeof text - 1);
    }
    print("console: %lu characters sent\n", rounds * (sizeof text - 1));
    char line[80];
    for (u32 lines = (u32)option_number("hear", 0), length = 0; lines;) {
        irq_mask();
        int c = serial_read(serial);
        if (c < 0) {
            sleep_once();
        }
        irq_unmask();
        if (c == '\n' || length + 1 == sizeof line) {
            line[length] = 0;
            print("console: heard \"%s\"\n", line);
            length = 0;
            lines--;
        } else if (c >= 0) {
            line[length++] = (char)c;
        }
    }
}

static u8 copied[pattern_sectors * sector_bytes + 1] __attribute__((aligned(64)));

static u32 wrong_bytes(u32 to, u32 from, u32 bytes) {
    u32 wrong = 0;
    for (u32 i = 0; i < bytes; i++) {
        wrong += copied[to + i] != data[from + i];
    }
    return wrong;
}

/* One that no machine and no virtual machine has anything at. */
static const u64 nowhere = 0x20000000;

static void test_dma(void) {
    struct engine *engine = engine_open();
    if (!engine) {
        if (option_given("tests")) {
            print("dma: no device\n");
        }
        return;
    }
    print("dma: engine at 0x%lx, interrupt %u\n", engine->base, engine->intid);
    for (u64 round = 0; round < rounds; round++) {
        for (u32 i = 0; i < sizeof data; i++) {
            data[i] = pattern(i / sector_bytes, i % sector_bytes, round);
        }
        u32 done = engine_copy(engine, (u64)data, (u64)copied + 1, sizeof data);
        print("dma: %lu bytes copied, %u wrong, status %x\n", engine_copied(engine), wrong_bytes(1, 0, sizeof data), done);
        struct engine_element list[3] __attribute__((aligned(32)));
        for (u32 i = 0; i < 3; i++) {
            list[i] = (struct engine_element){(u64)data + i * 1000, (u64)copied + (2 - i) * 1000, 1000, i < 2 ? (u64)&list[i + 1] : 0};
        }
        done = engine_follow(engine, list);
        u32 wrong = wrong_bytes(0, 2000, 1000) + wrong_bytes(1000, 1000, 1000) + wrong_bytes(2000, 0, 1000);
        print("dma: a list of 3, %lu bytes copied, %u wrong, status %x\n", engine_copied(engine), wrong, done);
    }
    u32 done = engine_copy(engine, nowhere, (u64)copied, 64);
    print("dma: a read of nowhere: status %x, fault at 0x%lx\n", done, engine_fault(engine));
    done = engine_copy(engine, (u64)copied, nowhere, 64);
    print("dma: a write to nowhere: status %x, fault at 0x%lx\n", done, engine_fault(engine));
}

/* --- the noisy neighbour --- */

struct {
    volatile u64 count;
    u64 unused[7];
} spin_counters[KERNEL_CORES] __attribute__((aligned(64)));
static u64 spin_memory[spin_bytes / 8] __attribute__((section(".noinit"), aligned(64)));
static bool spin_in_memory, spin_for_ever;
static u32 spun;

static void spin(void) {
    u32 core = core_index();
    u64 x = core + 1;
    for (u64 round = 0; spin_for_ever || round < rounds; round++) {
        if (spin_in_memory) {
            for (u32 i = 0; i < spin_bytes / 8; i += 8) {
                x += spin_memory[i];
                spin_memory[i] = x;
            }
        } else {
            for (u32 i = 0; i < 10000; i++) {
                x = x * 6364136223846793005ull + 1442695040888963407ull;
            }
        }
        asm volatile("" : : "r"(x) : "memory");
        spin_counters[core].count++;
    }
    fetch_add(&spun, 1);
}

static void run_spin(void) {
    if (text_equal(option_text("spin", "alu"), "sleep")) {
        print("spin: asleep\n");
        for (;;) {
            sleep_once();
        }
    }
    spin_in_memory = text_equal(option_text("spin", "alu"), "mem");
    spin_for_ever = !option_given("rounds");
    print("spin: %s on %u cores, counters at 0x%lx\n", spin_in_memory ? "memory" : "arithmetic", core_count(), (u64)spin_counters);
    for (u32 i = 1; i < core_count(); i++) {
        start_core(i, spin);
    }
    spin();
    while (load_acquire(&spun) < core_count()) {
        asm volatile("yield");
    }
    print("spin: %lu rounds on every core\n", rounds);
}

static u32 identified;
static void identify_core(void) {
    print("identity: core %u reads MPIDR_EL1 0x%lx, MIDR_EL1 0x%lx\n", core_index(), READ(mpidr_el1), READ(midr_el1));
    fetch_add(&identified, 1);
}

static void identify_cores(void) {
    identify_core();
    for (u32 i = 1; i < core_count(); i++) {
        start_core(i, identify_core);
        while (load_acquire(&identified) <= i) {
            asm volatile("yield");
        }
    }
}

/* --- SError interrupts --- */

static volatile u32 errors;
static u64 error_syndrome;

static void error(struct frame *frame) {
    errors++;
    error_syndrome = frame->esr;
}

static void await_errors(u32 wanted) {
    on_serror = error;
    asm volatile("msr daifclr, #4");
    for (u32 n = 1; n <= wanted; n++) {
        sleep_until(&errors, n);
        print("errors: SError interrupt %u, ESR_EL1 0x%lx\n", n, error_syndrome);
    }
    asm volatile("msr daifset, #4");
}

int guest(void) {
    introduce("minikernel");
    rounds = option_number("rounds", 1);
    if (machine.under_rhyper) {
        rhyper_obey_reboot();
    }
    if (option_given("identity")) {
        identify_cores();
    }
    await_errors((u32)option_number("errors", 0));
    if (option_given("spin")) {
        run_spin();
        return 0;
    }
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {
        {"timer", test_timer}, {"threads", test_threads}, {"smp", test_smp},         {"blk", test_block},
        {"net", test_net},     {"rng", test_entropy},     {"console", test_console}, {"dma", test_dma},
    };
    for (u32 i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        if (option_lists("tests", tests[i].name)) {
            tests[i].run();
        }
    }
    print("minikernel: %s\n", interrupts_strange() ? "STRANGE INTERRUPTS" : "done");
    return 0;
}
