/* Code that is made at run time, as by a just-in-time compiler: a function is written, made visible, and called 200 times; then
 * another one takes its place, in one of eight places. About 3 million instructions; repeat=N times as many. */
#include "guest.h"
#include "code.h"
#include "option.h"

#define FUNCTIONS 150
#define CALLS 200
#define PLACES 8
#define ADD_W0(imm) (0x11000000u | (imm) << 10)
#define EOR_W0_ROR(amount) (0x4ac00000u | (amount) << 10)

static u32 code[PLACES][32] __attribute__((aligned(4096)));

int guest(void) {
    u32 seed = 1, sum = 0;
    u64 functions = FUNCTIONS * option("repeat", 1);
    for (u64 n = 0; n < functions; n++) {
        volatile u32 *at = code[n % PLACES];
        u32 length = 0;
        at[length++] = MOVZ_W0((u32)n & 0xffff);
        while (length < 16) {
            seed = seed * 1664525 + 1013904223;
            at[length++] = seed & 0x8000 ? ADD_W0(seed >> 20) : EOR_W0_ROR(1 + (seed >> 27) % 30);
        }
        at[length++] = RET;
        synchronize((const void *)at, 4 * length);
        for (u32 i = 0; i < CALLS; i++) {
            sum = sum * 31 + run((const u32 *)at);
        }
    }
    print("rewrite: %lu functions, checksum %08x\n", functions, sum);
    return 0;
}
