/* What the attacks share: a guard that survives the faults they cause, and instructions made at run time. */
#pragma once
#include "kernel.h"

struct attack {
    const char *name;
    void (*run)(void);
    /* It does not come back, whoever is below: not part of attack=all. */
    bool is_last;
};

/* The tables of the files, in the order of their numbers. */
extern const struct attack memory_attacks[], system_attacks[], interrupt_attacks[], call_attacks[], device_attacks[];
extern const u32 memory_attack_count, system_attack_count, interrupt_attack_count, call_attack_count, device_attack_count;

/* An address with neither RAM nor device behind it: target=ADDRESS. */
u64 hole(void);
/* rounds=N, or what the attack thinks is enough. */
u32 repetitions(u32 otherwise);

/* Calls f(a, b); false if it took a synchronous exception, which is in `caught`. */
bool survives(u64 (*f)(u64, u64), u64 a, u64 b);
struct caught {
    u64 esr, far, elr;
    u64 result; /* of f, if it survived */
};
extern struct caught caught;
/* Executes one instruction that may use x0. */
bool execute(u32 word, u64 *x0);
/* The same for many: made together, for the maintenance of code takes longest, and then executed in any order. */
enum { most_made = 384 };
void make(const u32 *words, u32 count);
bool execute_made(u32 n, u64 *x0);

/* Counts what happens to several tries, and says it: "N tried, N faults, the last EC 0x25". */
void count(bool survived);
void tell_counts(const char *what);
/* Says what the last try did. */
void tell_one(bool survived);
/* Prints the start of a line, "attack N: ", and the rest. */
#define tell(...) (print("attack %u: ", attack_number), print(__VA_ARGS__), print("\n"))
extern u32 attack_number;

/* A reproducible sequence. */
u64 pseudo_random(void);

#define MRS(op0, op1, crn, crm, op2) (0xd5200000u | ((op0) & 3) << 19 | (op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5)
#define MSR(op0, op1, crn, crm, op2) (MRS(op0, op1, crn, crm, op2) & ~0x00200000u)
#define SYS(op1, crn, crm, op2) MSR(1, op1, crn, crm, op2)
