/* A byte-code interpreter: a stack machine, one indirect or table branch per operation. It runs a sieve, Fibonacci by
 * recursion, and a Collatz search. About 35 million instructions on core 0; repeat=N times as many. */
#include "guest.h"
#include "option.h"

enum op { PUSH, LOAD, STORE, FETCH, PUT, ADD, SUB, MUL, SHIFT, AND, LESS, EQUAL, JUMP, IF_ZERO, CALL, RETURN, LOCAL, PRINT, END };

static int variables[16], memory[8192], stack[256];
static int frames[64];

static void interpret(const short *code) {
    u32 pc = 0, sp = 0, fp = 0;
    u64 steps = 0;
    for (;;) {
        steps++;
        int operation = code[pc++];
        switch ((enum op)operation) {
        case PUSH: stack[sp++] = code[pc++]; break;
        case LOAD: stack[sp++] = variables[code[pc++]]; break;
        case STORE: variables[code[pc++]] = stack[--sp]; break;
        case FETCH: stack[sp - 1] = memory[stack[sp - 1]]; break;
        case PUT: sp -= 2; memory[stack[sp]] = stack[sp + 1]; break;
        case ADD: sp--; stack[sp - 1] += stack[sp]; break;
        case SUB: sp--; stack[sp - 1] -= stack[sp]; break;
        case MUL: sp--; stack[sp - 1] *= stack[sp]; break;
        case SHIFT: stack[sp - 1] >>= code[pc++]; break;
        case AND: stack[sp - 1] &= code[pc++]; break;
        case LESS: sp--; stack[sp - 1] = stack[sp - 1] < stack[sp]; break;
        case EQUAL: sp--; stack[sp - 1] = stack[sp - 1] == stack[sp]; break;
        case JUMP: pc = (u32)code[pc]; break;
        case IF_ZERO: pc = stack[--sp] ? pc + 1 : (u32)code[pc]; break;
        case CALL: frames[fp++] = (int)pc + 1; pc = (u32)code[pc]; break;
        case RETURN: pc = (u32)frames[--fp]; break;
        case LOCAL: { /* the n-th value below the top */ int n = code[pc++]; stack[sp] = stack[sp - 1 - (u32)n]; sp++; break; }
        case PRINT: print("  %d\n", stack[--sp]); break;
        case END: print("  %lu operations\n", steps); return;
        }
    }
}

#define LIMIT 8000
/* Variables: 0 i, 1 j, 2 how many. The comment before a line is the address of its first word. */
static const short sieve[] = {
    /* 0 */ PUSH, 2, STORE, 0, PUSH, 0, STORE, 2,
    /* 8 */ LOAD, 0, PUSH, LIMIT, LESS, IF_ZERO, 64,
    /* 15 */ LOAD, 0, FETCH, PUSH, 0, EQUAL, IF_ZERO, 55,
    /* 23 */ LOAD, 2, PUSH, 1, ADD, STORE, 2, LOAD, 0, STORE, 1,
    /* 34 */ LOAD, 1, PUSH, LIMIT, LESS, IF_ZERO, 55,
    /* 41 */ LOAD, 1, PUSH, 1, PUT, LOAD, 1, LOAD, 0, ADD, STORE, 1, JUMP, 34,
    /* 55 */ LOAD, 0, PUSH, 1, ADD, STORE, 0, JUMP, 8,
    /* 64 */ LOAD, 2, PRINT, END,
};

/* fib(n): n is on the stack, and is replaced by the result. */
static const short fibonacci[] = {
    /* 0 */ PUSH, 22, CALL, 6, PRINT, END,
    /* 6 */ LOCAL, 0, PUSH, 2, LESS, IF_ZERO, 14, RETURN,
    /* 14 */ LOCAL, 0, PUSH, 1, SUB, CALL, 6,
    /* 21 */ LOCAL, 1, PUSH, 2, SUB, CALL, 6,
    /* 28 */ ADD, STORE, 3, STORE, 4, LOAD, 3, RETURN,
};

/* The start below 1000 with the longest Collatz sequence, and its length. Variables: 0 start, 1 value, 2 length, 3 best
   length, 4 best start. */
static const short collatz[] = {
    /* 0 */ PUSH, 1, STORE, 0, PUSH, 0, STORE, 3,
    /* 8 */ LOAD, 0, PUSH, 1000, LESS, IF_ZERO, 87,
    /* 15 */ LOAD, 0, STORE, 1, PUSH, 0, STORE, 2,
    /* 23 */ PUSH, 1, LOAD, 1, LESS, IF_ZERO, 63,
    /* 30 */ LOAD, 2, PUSH, 1, ADD, STORE, 2, LOAD, 1, AND, 1, IF_ZERO, 55,
    /* 43 */ LOAD, 1, PUSH, 3, MUL, PUSH, 1, ADD, STORE, 1, JUMP, 23,
    /* 55 */ LOAD, 1, SHIFT, 1, STORE, 1, JUMP, 23,
    /* 63 */ LOAD, 3, LOAD, 2, LESS, IF_ZERO, 78,
    /* 70 */ LOAD, 2, STORE, 3, LOAD, 0, STORE, 4,
    /* 78 */ LOAD, 0, PUSH, 1, ADD, STORE, 0, JUMP, 8,
    /* 87 */ LOAD, 4, PRINT, LOAD, 3, PRINT, END,
};

static void programs(void) {
    print("primes below %d\n", LIMIT);
    interpret(sieve);
    print("Fibonacci of 22\n");
    interpret(fibonacci);
    print("longest Collatz sequence from below 1000\n");
    interpret(collatz);
}

int guest(void) {
    print("bytecode\n");
    for (u64 n = option("repeat", 1); n > 0; n--) {
        for (u32 i = 0; i < LIMIT; i++) {
            memory[i] = 0;
        }
        programs();
    }
    return 0;
}
