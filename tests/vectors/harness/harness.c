/*
 * Runs single A64 instructions (or a few in a row) on the processor or emulator beneath it, from any register and
 * memory state, and reports the state they leave.
 *
 * Every case enters and leaves through the Linux signal frame. A signal handler fills the frame with the whole state
 * of the next case and returns: rt_sigreturn loads X0-X30, SP, PC, NZCV, FPCR, FPSR and V0-V31 at once. After the
 * words under test stands a BRK, and the rest of both code regions is BRK as well, so that falling through, branching
 * and faulting all come back here as a signal whose frame holds the whole state. No register and no stack pointer is
 * kept for the harness itself.
 *
 * What this cannot hold: the exclusive monitor, which an exception return clears. A store-exclusive that is to
 * succeed is a case of two words, the load-exclusive first.
 *
 * Protocol (little endian): see struct message and struct result; the reader is harness.ts.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#define WINDOW_BASE 0x10000000UL
#define WINDOW_SIZE 0x1000UL
#define CODE_LOW 0x0ffe0000UL
#define CODE_HIGH 0x10010000UL
#define CODE_SIZE 0x10000UL
#define BRK_0 0xd4200000U
#define MAX_WORDS 4
/* A case that runs away (a branch to itself) is reported as SIGALRM. */
#define WATCHDOG_SECONDS 10

enum { MESSAGE_WINDOW = 1, MESSAGE_CASE = 2 };

struct input {
    uint64_t pc;
    uint32_t word_count, nzcv, fpcr, fpsr;
    uint32_t words[MAX_WORDS];
    uint64_t x[31], sp;
    uint8_t v[512];
};

struct result {
    uint64_t pc, fault_address;
    uint32_t signal, nzcv, fpcr, fpsr;
    uint32_t memory_offset, memory_length;
    uint64_t x[31], sp;
    uint8_t v[512];
};

static uint8_t alternate_stack[65536] __attribute__((aligned(16)));
static uint64_t initial_window[WINDOW_SIZE / 8];
static struct input current;
static int case_is_running;

static uint8_t out[1 << 16];
static size_t out_length;

static void flush(void)
{
    size_t done = 0;
    while (done < out_length) {
        ssize_t n = write(1, out + done, out_length - done);
        if (n <= 0)
            _exit(2);
        done += (size_t)n;
    }
    out_length = 0;
}

static void put(const void *bytes, size_t length)
{
    if (out_length + length > sizeof out)
        flush();
    memcpy(out + out_length, bytes, length);
    out_length += length;
}

static int get(void *bytes, size_t length)
{
    static uint8_t in[1 << 16];
    static size_t in_position, in_length;
    uint8_t *to = bytes;
    while (length > 0) {
        if (in_position == in_length) {
            ssize_t n = read(0, in, sizeof in);
            if (n <= 0)
                return 0;
            in_position = 0;
            in_length = (size_t)n;
        }
        size_t n = in_length - in_position < length ? in_length - in_position : length;
        memcpy(to, in + in_position, n);
        to += n;
        in_position += n;
        length -= n;
    }
    return 1;
}

static void write_code(uint64_t address, const uint32_t *words, uint32_t count)
{
    volatile uint32_t *code = (volatile uint32_t *)address;
    for (uint32_t i = 0; i < count; i++)
        code[i] = words[i];
    for (uint32_t i = 0; i < count; i++)
        __asm__ volatile("dc cvau, %0" ::"r"(&code[i]) : "memory");
    __asm__ volatile("dsb ish" ::: "memory");
    for (uint32_t i = 0; i < count; i++)
        __asm__ volatile("ic ivau, %0" ::"r"(&code[i]) : "memory");
    __asm__ volatile("dsb ish\n\tisb" ::: "memory");
}

static struct fpsimd_context *fpsimd(ucontext_t *context)
{
    struct _aarch64_ctx *record = (struct _aarch64_ctx *)context->uc_mcontext.__reserved;
    while (record->magic != FPSIMD_MAGIC) {
        if (record->magic == 0)
            _exit(3);
        record = (struct _aarch64_ctx *)((uint8_t *)record + record->size);
    }
    return (struct fpsimd_context *)record;
}

static void report(int signal, siginfo_t *info, ucontext_t *context)
{
    static const uint32_t brk[MAX_WORDS] = {BRK_0, BRK_0, BRK_0, BRK_0};
    struct result result;
    struct fpsimd_context *vectors = fpsimd(context);
    uint64_t *window = (uint64_t *)WINDOW_BASE;
    uint32_t first = 0, last = WINDOW_SIZE / 8;

    memset(&result, 0, sizeof result);
    result.pc = context->uc_mcontext.pc;
    result.fault_address = signal == SIGSEGV || signal == SIGBUS ? (uint64_t)info->si_addr : 0;
    result.signal = (uint32_t)signal;
    result.nzcv = (uint32_t)(context->uc_mcontext.pstate & 0xf0000000U);
    result.fpcr = vectors->fpcr;
    result.fpsr = vectors->fpsr;
    memcpy(result.x, context->uc_mcontext.regs, sizeof result.x);
    result.sp = context->uc_mcontext.sp;
    memcpy(result.v, vectors->vregs, sizeof result.v);
    while (first < last && window[first] == initial_window[first])
        first++;
    while (last > first && window[last - 1] == initial_window[last - 1])
        last--;
    result.memory_offset = first * 8;
    result.memory_length = (last - first) * 8;
    put(&result, sizeof result);
    put(window + first, result.memory_length);
    memcpy(window + first, initial_window + first, result.memory_length);
    write_code(current.pc, brk, current.word_count);
}

static void load(ucontext_t *context)
{
    struct fpsimd_context *vectors = fpsimd(context);

    context->uc_mcontext.pc = current.pc;
    context->uc_mcontext.pstate = current.nzcv;
    memcpy(context->uc_mcontext.regs, current.x, sizeof current.x);
    context->uc_mcontext.sp = current.sp;
    vectors->fpcr = current.fpcr;
    vectors->fpsr = current.fpsr;
    memcpy(vectors->vregs, current.v, sizeof current.v);
    /* An SVE record, where there is one, would overlay V0-V31: end the frame after the FPSIMD record. */
    struct _aarch64_ctx *next = (struct _aarch64_ctx *)((uint8_t *)vectors + vectors->head.size);
    next->magic = 0;
    next->size = 0;
    write_code(current.pc, current.words, current.word_count);
}

static void on_signal(int signal, siginfo_t *info, void *frame)
{
    ucontext_t *context = frame;
    uint64_t kind;

    alarm(0);
    if (case_is_running)
        report(signal, info, context);
    for (;;) {
        if (!get(&kind, sizeof kind)) {
            flush();
            _exit(0);
        }
        if (kind == MESSAGE_WINDOW) {
            if (!get(initial_window, sizeof initial_window))
                _exit(4);
            memcpy((void *)WINDOW_BASE, initial_window, sizeof initial_window);
        } else if (kind == MESSAGE_CASE) {
            if (!get(&current, sizeof current) || current.word_count > MAX_WORDS)
                _exit(4);
            break;
        } else {
            _exit(4);
        }
    }
    case_is_running = 1;
    load(context);
    alarm(WATCHDOG_SECONDS);
}

static void map(uint64_t base, uint64_t size, int protection)
{
    void *at = mmap((void *)base, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (at != (void *)base)
        _exit(5);
}

static void fill_with_brk(uint64_t base)
{
    uint32_t *code = (uint32_t *)base;
    for (uint64_t i = 0; i < CODE_SIZE / 4; i++)
        code[i] = BRK_0;
}

int main(void)
{
    static const int signals[] = {SIGTRAP, SIGILL, SIGSEGV, SIGBUS, SIGALRM};
    stack_t stack = {.ss_sp = alternate_stack, .ss_size = sizeof alternate_stack};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};

    map(WINDOW_BASE, WINDOW_SIZE, PROT_READ | PROT_WRITE);
    map(CODE_LOW, CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC);
    map(CODE_HIGH, CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC);
    fill_with_brk(CODE_LOW);
    fill_with_brk(CODE_HIGH);
    sigfillset(&action.sa_mask);
    sigaltstack(&stack, 0);
    for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++)
        sigaction(signals[i], &action, 0);
    __asm__ volatile("brk #0");
    return 1;
}
