/* Attacks by system registers and system instructions. */
#include "hostile.h"

/* Tries one instruction with pseudo-random X0. */
static void try(u32 word) {
    u64 x = pseudo_random();
    count(execute(word, &x));
}

/* Executes `count` instructions, of which `word_of` makes the n-th (0: it is left out), each with a value of its own in X0. */
static void execute_all(u32 (*word_of)(u32), u32 count_of_all, u64 (*x0_of)(void), bool counts) {
    u32 words[most_made], n = 0;
    for (u32 i = 0; i <= count_of_all; i++) {
        if (n == most_made || i == count_of_all) {
            make(words, n);
            for (u32 k = 0; k < n; k++) {
                u64 x = x0_of();
                bool good = execute_made(k, &x);
                if (counts) {
                    count(good);
                }
            }
            n = 0;
        }
        if (i < count_of_all && word_of(i)) {
            words[n++] = word_of(i);
        }
    }
}

static u64 zero(void) {
    return 0;
}

/* All of op1 = 4 to 7: what is named _EL2, _EL12, _EL3 and the Secure EL1 timer. */
static u32 mrs_of_higher(u32 n) {
    return MRS(3, 4 + (n >> 11), n >> 7 & 15, n >> 3 & 15, n & 7);
}
static void read_higher(void) {
    execute_all(mrs_of_higher, 4 << 11, pseudo_random, true);
    tell_counts("MRS, op1 4 to 7");
}

static u32 msr_of_higher(u32 n) {
    return MSR(3, 4 + (n >> 11), n >> 7 & 15, n >> 3 & 15, n & 7);
}
static void write_higher(void) {
    execute_all(msr_of_higher, 4 << 11, pseudo_random, true);
    tell_counts("MSR, op1 4 to 7");
}

/* ICH_AP<n>R, ICH_HCR ... ICH_LR<n> */
static void list_registers(void) {
    for (u32 crm = 8; crm < 16; crm++) {
        for (u32 op2 = 0; op2 < 8; op2++) {
            try(MRS(3, 4, 12, crm, op2));
            try(MSR(3, 4, 12, crm, op2));
        }
    }
    tell_counts("ICH_* registers");
}

/* Identification registers say what they say, and are not written. */
static void identification(void) {
    for (u32 crm = 0; crm < 8; crm++) {
        for (u32 op2 = 0; op2 < 8; op2++) {
            u64 x = 0;
            if (!(crm == 0 && op2 != 0 && op2 != 5)) {
                count(execute(MRS(3, 0, 0, crm, op2), &x));
            }
        }
    }
    tell_counts("identification registers read");
    for (u32 crm = 0; crm < 8; crm++) {
        for (u32 op2 = 0; op2 < 8; op2++) {
            try(MSR(3, 0, 0, crm, op2));
        }
    }
    tell_counts("identification registers written");
}

static void debug_registers(void) {
    u64 mdscr = READ(mdscr_el1);
    for (u32 n = 0; n < 16; n++) {
        for (u32 op2 = 4; op2 < 8; op2++) {
            u64 x = op2 == 5 || op2 == 7 ? 0 : hole(); /* values at will, controls off */
            execute(MRS(2, 0, 0, n, op2), &x);
            x = op2 == 5 || op2 == 7 ? 0 : hole();
            execute(MSR(2, 0, 0, n, op2), &x);
        }
    }
    WRITE(mdscr_el1, mdscr | 1 << 15 | 1 << 13); /* MDE, KDE */
    u64 x = 0;
    execute(MSR(2, 0, 1, 0, 4), &x);                  /* OSLAR_EL1: unlocks */
    execute(MSR(2, 0, 1, 3, 4), (x = 1, &x));         /* OSDLR_EL1: the double lock */
    execute(MSR(2, 0, 1, 3, 4), (x = 0, &x));
    WRITE(mdscr_el1, mdscr);
    isb();
    tell("breakpoints, watchpoints, locks: still here");
}

static void performance_monitors(void) {
    u32 seen = 0;
    for (u32 crm = 12; crm < 16; crm++) {
        for (u32 op2 = 0; op2 < 8; op2++) {
            u64 x = 0;
            seen += execute(MRS(3, 3, 9, crm, op2), &x);
            x = 0;
            execute(MSR(3, 3, 9, crm, op2), &x);
        }
    }
    tell("%s", seen ? "there is something" : "nothing there");
}

/* Every MRS there is, except those that acknowledge interrupts. */
static u32 mrs_of_all(u32 n) {
    u32 op0 = 2 + (n >> 14), op1 = n >> 11 & 7, crn = n >> 7 & 15, crm = n >> 3 & 15, op2 = n & 7;
    return op0 == 3 && op1 == 0 && crn == 12 ? 0 : MRS(op0, op1, crn, crm, op2);
}
static void read_everything(void) {
    execute_all(mrs_of_all, 2 << 14, zero, false);
    tell("every MRS executed");
}

/* What this program stands on: SCTLR_EL1, TTBR<n>_EL1, TCR_EL1, MAIR_EL1, VBAR_EL1, SPSel, TPIDR_EL1; DAIF and MDSCR_EL1, which
 * together make debug exceptions; and the GIC's CPU interface, which has attacks of its own. */
static bool is_needed(u32 n) {
    u32 op0 = 2 + (n >> 13), op1 = n >> 11 & 3, crn = n >> 7 & 15, crm = n >> 3 & 15, op2 = n & 7;
    if (op0 == 2) {
        return op1 == 0 && crn == 0 && crm == 2 && op2 == 2;
    }
    return (op1 == 0 && (crn == 1 || crn == 2 || crn == 10 || crn == 12)) || (op1 == 0 && crn == 4 && crm >= 2) ||
           (op1 == 0 && crn == 13 && op2 == 4) || (op1 == 3 && crn == 4 && crm == 2);
}
/* Every MSR of EL1 and EL0 otherwise, as three instructions: what was there is put back. */
static void write_everything(void) {
    u32 words[most_made], n = 0, last = 2 << 13;
    irq_mask();
    for (u32 i = 0; i <= last; i++) {
        if (n == most_made || i == last) {
            make(words, n);
            for (u32 k = 0; k < n; k += 3) {
                u64 before = 0, x = pseudo_random();
                bool is_readable = execute_made(k, &before);
                execute_made(k + 1, &x);
                x = before;
                if (is_readable) {
                    execute_made(k + 2, &x);
                }
            }
            n = 0;
        }
        if (i < last && !is_needed(i)) {
            u32 read = MRS(2 + (i >> 13), i >> 11 & 3, i >> 7 & 15, i >> 3 & 15, i & 7);
            words[n++] = read;
            words[n++] = read & ~0x00200000u;
            words[n++] = read & ~0x00200000u;
        }
    }
    WRITE(cntv_ctl_el0, 0);
    WRITE(cntp_ctl_el0, 0);
    isb();
    irq_unmask();
    tell("every MSR of EL1 and EL0 executed");
}

/* Every SYS there is: AT, DC, IC, TLBI and what has no name, of our own memory. */
static u64 scratch[8] __attribute__((aligned(64)));
static u64 own_address(void) {
    return (u64)scratch;
}
static u32 sys_of_all(u32 n) {
    return SYS(n >> 11, n >> 7 & 15, n >> 3 & 15, n & 7);
}
static void system_instructions(void) {
    execute_all(sys_of_all, 1 << 14, own_address, false);
    asm volatile("dsb ish\n isb" : : : "memory");
    tell("every SYS executed");
}

static void address_translation(void) {
    static const u8 at[][3] = {{0, 8, 0}, {0, 8, 1}, {0, 8, 2}, {0, 8, 3}, {4, 8, 0}, {4, 8, 1}, {4, 8, 4}, {4, 8, 5}, {4, 8, 6}, {4, 8, 7}, {6, 8, 0}, {6, 8, 1}};
    for (u32 i = 0; i < sizeof at / sizeof at[0]; i++) {
        u64 x = hole();
        count(execute(SYS(at[i][0], 7, at[i][1], at[i][2]), &x));
    }
    tell_counts("AT instructions");
    u64 x = (u64)&attack_number;
    execute(SYS(0, 7, 8, 0), &x); /* AT S1E1R */
    isb();
    tell("our own address translates %s", (READ(par_el1) & 1) == 0 ? "to one of ours" : "NOT");
}

static void tlb_maintenance(void) {
    for (u32 n = 0; n < 128; n++) {
        try(SYS(0, 8, n >> 3, n & 7));
        try(SYS(4, 8, n >> 3, n & 7));
        try(SYS(6, 8, n >> 3, n & 7));
    }
    dsb(ish);
    isb();
    tell_counts("TLBI instructions");
    u32 rounds = repetitions(2000);
    for (u32 i = 0; i < rounds; i++) {
        asm volatile("tlbi vmalle1is\n dsb ish\n isb" : : : "memory");
    }
    tell("%u times TLBI VMALLE1IS", rounds);
}

static void set_way(void) {
    u64 clidr = READ(clidr_el1);
    for (u32 level = 0; level < 7 && (clidr >> 3 * level & 7); level++) {
        WRITE(csselr_el1, level << 1);
        isb();
        for (u64 i = 0; i < 256; i++) {
            u64 set_way_level = (i & 3) << 30 | (i >> 2) << 6 | (u64)level << 1;
            asm volatile("dc csw, %0\n dc cisw, %0" : : "r"(set_way_level) : "memory");
        }
    }
    dsb(sy);
    tell("clean, and clean and invalidate, by set and way: still here");
}

static u64 cache_operation(u64 address, u64 which) {
    switch (which) {
    case 0: asm volatile("dc ivac, %0" : : "r"(address) : "memory"); break;
    case 1: asm volatile("dc civac, %0" : : "r"(address) : "memory"); break;
    case 2: asm volatile("dc cvau, %0" : : "r"(address) : "memory"); break;
    case 3: asm volatile("ic ivau, %0" : : "r"(address) : "memory"); break;
    default: asm volatile("dc zva, %0" : : "r"(address) : "memory");
    }
    return 0;
}

static void cache_by_address(void) {
    const u64 addresses[] = {hole(), machine.gicd, machine.memory[0].base - 64};
    for (u32 a = 0; a < 3; a++) {
        for (u64 which = 0; which < 5; which++) {
            survives(cache_operation, addresses[a], which);
        }
    }
    asm volatile("ic ialluis\n dsb ish\n isb" : : : "memory");
    tell("cache maintenance of what is not ours: still here");
}

static u64 return_to(u64 spsr, u64 unused) {
    (void)unused;
    asm volatile("msr spsr_el1, %0\n adr x9, 1f\n msr elr_el1, x9\n eret\n 1: nop\n nop" : : "r"(spsr) : "x9", "memory");
    return 0;
}

static void illegal_return(void) {
    static const u64 modes[] = {0x3c9, 0x3c8, 0x3cd, 0x3cc, 0x3c7, 0x3da, 0x3d6, 0x3df, 0x3c2};
    for (u32 i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        count(survives(return_to, modes[i], 0));
    }
    tell_counts("ERET to EL2, EL3, AArch32 and modes that do not exist");
}

static void undefined_instructions(void) {
    for (u32 i = 0; i < 256; i++) {
        u64 x = 0;
        count(execute((u32)(pseudo_random() & 0xffff), &x)); /* UDF */
    }
    static const u32 words[] = {0xd4200000, 0xd4a00001, 0xd4a00002, 0xd4a00003};
    for (u32 i = 0; i < sizeof words / sizeof words[0]; i++) {
        u64 x = 0;
        count(execute(words[i], &x)); /* BRK, DCPS1, DCPS2, DCPS3 */
    }
    tell_counts("UDF, BRK, DCPS");
}

/* SYS_OPEN of a file of the host: whoever executes HLT #0xF000 must not do that for us. */
static u64 semihosting_open(u64 operation, u64 block) {
    register u64 x0 asm("x0") = operation;
    register u64 x1 asm("x1") = block;
    asm volatile("hlt #0xf000" : "+r"(x0) : "r"(x1) : "memory");
    return x0;
}

static void semihosting(void) {
    static const char name[] = "/etc/passwd";
    static u64 block[3];
    block[0] = (u64)name;
    block[1] = 0; /* "r" */
    block[2] = sizeof name - 1;
    bool good = survives(semihosting_open, 0x01, (u64)block);
    if (good && (long)caught.result >= 0) {
        tell("OPENED with handle %lu", caught.result);
    } else {
        tell("%s", good ? "refused" : "UNDEFINED");
    }
}

/* SP_EL0 not aligned while it is the stack pointer: the fault, if any, is taken on SP_EL1. */
static u64 misaligned(u64 unused, u64 also_unused) {
    (void)unused;
    (void)also_unused;
    asm volatile("mov x9, sp\n sub x9, x9, #2040\n msr spsel, #0\n mov sp, x9\n str xzr, [sp]\n msr spsel, #1" : : : "x9", "memory");
    return 0;
}

static void misaligned_stack(void) {
    u64 before = READ(sp_el0);
    survives(misaligned, 0, 0);
    WRITE(sp_el0, before);
    tell("a store by a misaligned SP_EL0: still here");
}

static void masked_for_ever(void) {
    asm volatile("msr daifset, #0xf\n 1: b 1b");
}

const struct attack system_attacks[] = {
    {"read every register of EL2 and EL3", read_higher, false},
    {"write every register of EL2 and EL3", write_higher, false},
    {"the list registers", list_registers, false},
    {"the identification registers", identification, false},
    {"the debug registers", debug_registers, false},
    {"the performance monitors", performance_monitors, false},
    {"every MRS", read_everything, false},
    {"every MSR of EL1 and EL0", write_everything, false},
    {"every system instruction", system_instructions, false},
    {"address translation instructions", address_translation, false},
    {"TLB maintenance, also that of EL2", tlb_maintenance, false},
    {"cache maintenance by set and way", set_way, false},
    {"cache maintenance of what is not ours", cache_by_address, false},
    {"illegal exception returns", illegal_return, false},
    {"undefined instructions", undefined_instructions, false},
    {"semihosting", semihosting, false},
    {"a stack pointer that is not aligned", misaligned_stack, false},
    {"a loop with everything masked", masked_for_ever, true},
};
const u32 system_attack_count = sizeof system_attacks / sizeof system_attacks[0];
