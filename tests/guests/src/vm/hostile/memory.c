/* Attacks on memory: addresses that are not ours, by loads, stores, fetches, walks; stage-1 attributes. */
#include "hostile.h"

static u64 load(u64 address, u64 unused) {
    (void)unused;
    return mmio_read32(address);
}
static u64 store(u64 address, u64 value) {
    mmio_write32(address, (u32)value);
    return 0;
}
static u64 jump(u64 address, u64 unused) {
    (void)unused;
    ((void (*)(void))address)();
    return 0;
}

static void read_hole(void) {
    tell_one(survives(load, hole(), 0));
}
static void write_hole(void) {
    tell_one(survives(store, hole(), 0x600d));
}

static void execute_hole(void) {
    mmu_set_gigabyte(hole(), (hole() & ~0x3fffffffull) | MMU_RAM_BLOCK);
    tell_one(survives(jump, hole(), 0));
}

static void around_memory(void) {
    for (u32 i = 0; i < machine.memories; i++) {
        struct region m = machine.memory[i];
        count(survives(load, m.base - 4, 0));
        count(survives(store, m.base - 4, 0));
        count(survives(load, m.base + m.bytes, 0));
        count(survives(store, m.base + m.bytes, 0));
    }
    tell_counts("words beside our RAM");
}

static bool is_ours(u64 gigabyte) {
    for (u32 i = 0; i < machine.memories; i++) {
        struct region m = machine.memory[i];
        if (gigabyte >= m.base >> 30 && gigabyte <= (m.base + m.bytes - 1) >> 30) {
            return true;
        }
    }
    return false;
}

/* One word of every gigabyte from 4 GiB on, as cacheable memory: other VMs and the hypervisor lie somewhere. */
static void search_memory(void) {
    u32 readable = 0;
    for (u64 gigabyte = 4; gigabyte < 64; gigabyte++) {
        u64 at = gigabyte << 30;
        if (is_ours(gigabyte)) {
            continue;
        }
        mmu_set_gigabyte(at, at | MMU_RAM_BLOCK);
        bool good = survives(load, at, 0);
        readable += good && caught.result != 0;
        count(good);
    }
    tell_counts("gigabytes");
    tell("%u hold something", readable);
}

static void write_everywhere(void) {
    for (u32 i = 0; i < 64; i++) {
        u64 at = (4 + pseudo_random() % 60) << 30;
        if (is_ours(at >> 30)) {
            continue;
        }
        mmu_set_gigabyte(at, at | MMU_RAM_BLOCK);
        count(survives(store, at + (pseudo_random() & 0x3ffffff8), 0xbad));
    }
    tell_counts("stores to random addresses");
}

static void fetch_from_device(void) {
    u64 at = machine.gicd;
    mmu_set_page(at, (at & ~0xfffull) | PTE_PAGE | PTE_DEVICE | PTE_AF);
    bool good = survives(jump, at + 0x400, 0);
    mmu_set_page(at, (at & ~0xfffull) | MMU_DEVICE_PAGE);
    tell_one(good);
}

static void walk_outside(void) {
    u64 va = 100ull << 30;
    mmu_set_gigabyte(va, (hole() & ~0xfffull) | PTE_TABLE);
    bool good = survives(load, va, 0);
    mmu_set_gigabyte(va, 0);
    tell_one(good);
}

static void walk_device(void) {
    u64 va = 100ull << 30;
    mmu_set_gigabyte(va, (machine.gicd & ~0xfffull) | PTE_TABLE);
    bool good = survives(load, va, 0);
    mmu_set_gigabyte(va, 0);
    tell_one(good);
}

/* The table of the walk is our own, its entries are the frames of others. */
static void tables_to_others(void) {
    static u64 table[512] __attribute__((aligned(4096)));
    u64 va = 101ull << 30;
    for (u32 i = 0; i < 512; i++) {
        table[i] = ((u64)(pseudo_random() & 0x3ff) << 26 | (u64)i << 21) | MMU_RAM_BLOCK;
    }
    mmu_set_gigabyte(va, (u64)table | PTE_TABLE);
    for (u32 i = 0; i < 512; i++) {
        u64 ipa = table[i] & 0xffffffe00000;
        if (!is_ours(ipa >> 30) && ipa >= 4ull << 30) {
            count(survives(load, va + ((u64)i << 21), 0));
        }
    }
    mmu_set_gigabyte(va, 0);
    tell_counts("frames of others");
}

static u32 victim[2] __attribute__((aligned(64)));

static void mixed_attributes(void) {
    u64 va = 102ull << 30, offset = (u64)victim & 0x3fffffff, base = (u64)victim & ~0x3fffffffull;
    static const u64 kinds[] = {PTE_DEVICE, PTE_NORMAL_NC, PTE_NORMAL};
    for (u32 i = 0; i < 3; i++) {
        mmu_set_gigabyte(va, base | PTE_BLOCK | kinds[i] | PTE_AF | PTE_PXN | PTE_UXN);
        count(survives(store, va + offset, i));
        count(survives(load, va + offset + 1, 0));
    }
    mmu_set_gigabyte(va, 0);
    tell_counts("our RAM as Device, Non-cacheable, Write-Back");
}

/* Code that is changed without any maintenance, some thousand times: either version may run, nothing else. */
static void change_code(void) {
    u32 wrong = 0, rounds = repetitions(1000);
    u32 *code = victim;
    for (u32 i = 0; i < rounds; i++) {
        code[0] = 0xd2800000 | (i & 1) << 5; /* MOVZ X0, #0 or #1 */
        code[1] = 0xd65f03c0;
        if (i == 0) {
            asm volatile("dc cvau, %0\n dsb ish\n ic ivau, %0\n dsb ish\n isb" : : "r"(code) : "memory");
        }
        u64 x = ((u64(*)(void))code)();
        wrong += x > 1;
    }
    tell("%u rounds, %u wrong", rounds, wrong);
}

/* A store-exclusive without its load, and loads without their stores: no word changes, and nobody else's exclusives fail. */
static void odd_exclusives(void) {
    u32 succeeded = 0, rounds = repetitions(5000);
    victim[0] = 0;
    for (u32 i = 0; i < rounds; i++) {
        u32 failed, value;
        asm volatile("clrex\n stxr %w0, %w2, [%1]" : "=&r"(failed) : "r"(victim), "r"(1) : "memory");
        succeeded += !failed;
        asm volatile("ldxr %w0, [%1]" : "=r"(value) : "r"(victim) : "memory");
    }
    asm volatile("clrex" : : : "memory");
    tell("%u stores without a load, %u succeeded, the word is %u", rounds, succeeded, victim[0]);
}

/* --- what does not come back --- */

/* The fetch of the vector faults at stage 1, which is an exception, whose vector ... */
static void untranslated_vectors(void) {
    WRITE(vbar_el1, 200ull << 30);
    isb();
    asm volatile("svc #0");
}

static u8 no_code[2048] __attribute__((aligned(2048)));
static void undefined_vectors(void) {
    memset(no_code, 0, sizeof no_code);
    asm volatile("dsb ish\n ic iallu\n dsb ish\n isb" : : : "memory");
    WRITE(vbar_el1, (u64)no_code);
    isb();
    asm volatile("udf #0");
}

static void fault_again(struct frame *frame, unsigned vector) {
    (void)frame;
    (void)vector;
    asm volatile("udf #1");
}
static void nested_faults(void) {
    on_sync = fault_again;
    asm volatile("udf #0");
}

static void lose_vectors(void) {
    WRITE(vbar_el1, hole() & ~0x7ffull);
    isb();
    load(hole(), 0);
}

static void lose_stack(void) {
    asm volatile("mov sp, %0\n str xzr, [sp]" : : "r"(hole() + 0x10000) : "memory");
}

static void lose_tables(void) {
    WRITE(ttbr0_el1, hole() & ~0xfffull);
    asm volatile("isb\n tlbi vmalle1\n dsb nsh\n isb" : : : "memory");
}

static void lose_stack_alignment(void) {
    asm volatile("mov x0, sp\n add x0, x0, #-24\n mov sp, x0\n str xzr, [sp, #-8]" : : : "x0", "memory");
    for (;;) {
        wfi();
    }
}

const struct attack memory_attacks[] = {
    {"read an unmapped IPA", read_hole, false},
    {"write an unmapped IPA", write_hole, false},
    {"execute at an unmapped IPA", execute_hole, false},
    {"the words beside our RAM", around_memory, false},
    {"search the address space", search_memory, false},
    {"write all over the address space", write_everywhere, false},
    {"fetch instructions from a device", fetch_from_device, false},
    {"a translation table at an unmapped IPA", walk_outside, false},
    {"a translation table in a device", walk_device, false},
    {"translation tables that map the frames of others", tables_to_others, false},
    {"our RAM under mismatched attributes", mixed_attributes, false},
    {"code that changes without maintenance", change_code, false},
    {"exclusives that are not pairs", odd_exclusives, false},
    {"a fault with the vectors unmapped", lose_vectors, true},
    {"a stack that is not memory", lose_stack, true},
    {"TTBR0_EL1 outside RAM", lose_tables, true},
    {"an SP that is not aligned", lose_stack_alignment, true},
    {"vectors that stage 1 does not map", untranslated_vectors, true},
    {"vectors that are undefined instructions", undefined_vectors, true},
    {"faults in the handler of faults", nested_faults, true},
};
const u32 memory_attack_count = sizeof memory_attacks / sizeof memory_attacks[0];
