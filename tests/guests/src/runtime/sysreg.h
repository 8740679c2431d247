/* System registers, barriers and hints, under the names of the Arm ARM. */
#pragma once
#include <stdint.h>
#include <stddef.h>
#include <stdbool.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define READ(name) ({ u64 v_; asm volatile("mrs %0, " #name : "=r"(v_) : : "memory"); v_; })
#define WRITE(name, value) asm volatile("msr " #name ", %0" : : "r"((u64)(value)) : "memory")

#define isb() asm volatile("isb" : : : "memory")
#define dsb(domain) asm volatile("dsb " #domain : : : "memory")
#define dmb(domain) asm volatile("dmb " #domain : : : "memory")
#define wfi() asm volatile("wfi" : : : "memory")
#define wfe() asm volatile("wfe" : : : "memory")
#define sev() asm volatile("sev" : : : "memory")
#define sevl() asm volatile("sevl" : : : "memory")
#define irq_unmask() asm volatile("msr daifclr, #2" : : : "memory")
#define irq_mask() asm volatile("msr daifset, #2" : : : "memory")
#define fiq_unmask() asm volatile("msr daifclr, #1" : : : "memory")
#define fiq_mask() asm volatile("msr daifset, #1" : : : "memory")

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);

/* The GIC CPU interface, by encoding: the assembler knows the names only with -march=armv8-a+gic or later. */
#define ICC_PMR_EL1 s3_0_c4_c6_0
#define ICC_IAR0_EL1 s3_0_c12_c8_0
#define ICC_EOIR0_EL1 s3_0_c12_c8_1
#define ICC_HPPIR0_EL1 s3_0_c12_c8_2
#define ICC_BPR0_EL1 s3_0_c12_c8_3
#define ICC_AP1R0_EL1 s3_0_c12_c9_0
#define ICC_DIR_EL1 s3_0_c12_c11_1
#define ICC_RPR_EL1 s3_0_c12_c11_3
#define ICC_SGI1R_EL1 s3_0_c12_c11_5
#define ICC_SGI0R_EL1 s3_0_c12_c11_7
#define ICC_IAR1_EL1 s3_0_c12_c12_0
#define ICC_EOIR1_EL1 s3_0_c12_c12_1
#define ICC_HPPIR1_EL1 s3_0_c12_c12_2
#define ICC_BPR1_EL1 s3_0_c12_c12_3
#define ICC_CTLR_EL1 s3_0_c12_c12_4
#define ICC_SRE_EL1 s3_0_c12_c12_5
#define ICC_IGRPEN0_EL1 s3_0_c12_c12_6
#define ICC_IGRPEN1_EL1 s3_0_c12_c12_7
/* One more expansion, so that READ_(ICC_PMR_EL1) sees the encoding. */
#define READ_(name) READ(name)
#define WRITE_(name, value) WRITE(name, value)

static inline u32 mmio_read32(u64 address) {
    u32 value;
    asm volatile("ldr %w0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}
static inline void mmio_write32(u64 address, u32 value) {
    asm volatile("str %w0, [%1]" : : "rZ"(value), "r"(address) : "memory");
}
static inline u64 mmio_read64(u64 address) {
    u64 value;
    asm volatile("ldr %0, [%1]" : "=r"(value) : "r"(address) : "memory");
    return value;
}
static inline void mmio_write64(u64 address, u64 value) {
    asm volatile("str %0, [%1]" : : "rZ"(value), "r"(address) : "memory");
}
static inline void mmio_write8(u64 address, u8 value) {
    asm volatile("strb %w0, [%1]" : : "rZ"(value), "r"(address) : "memory");
}
