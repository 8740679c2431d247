/* CRC32 and CRC32C by instruction, against the same by table in C, and SHA-256 in C with its published test vectors. For
 * benchmarks crc=N and sha=N do either N times more. */
#include "guest.h"
#include "option.h"

#define BYTES (64 * 1024)

static u8 text[BYTES] __attribute__((section(".noinit"), aligned(64)));
static u32 table[256];

#define CRC(name, type, modifier)                                                                                      \
    static u32 name(u32 crc, type value) {                                                                             \
        asm(".arch_extension crc\n " #name " %w0, %w0, %" #modifier "1" : "+r"(crc) : "r"(value));                      \
        return crc;                                                                                                    \
    }
CRC(crc32b, u8, w)
CRC(crc32h, u16, w)
CRC(crc32w, u32, w)
CRC(crc32x, u64, x)
CRC(crc32cb, u8, w)
CRC(crc32ch, u16, w)
CRC(crc32cw, u32, w)
CRC(crc32cx, u64, x)

static u32 by_table(u32 polynomial, u32 bytes) {
    for (u32 i = 0; i < 256; i++) {
        u32 crc = i;
        for (u32 bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? polynomial : 0);
        }
        table[i] = crc;
    }
    u32 crc = ~0u;
    for (u32 i = 0; i < bytes; i++) {
        crc = crc >> 8 ^ table[(crc ^ text[i]) & 0xff];
    }
    return ~crc;
}

#define BY_INSTRUCTION(type, instruction)                                                                              \
    ({                                                                                                                 \
        u32 crc_ = ~0u;                                                                                                \
        for (u32 i_ = 0; i_ < BYTES; i_ += sizeof(type)) {                                                             \
            crc_ = instruction(crc_, *(const type *)(text + i_));                                                      \
        }                                                                                                              \
        ~crc_;                                                                                                         \
    })

static const u32 k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static u32 rotate(u32 x, u32 n) {
    return x >> n | x << (32 - n);
}

static void sha256_block(u32 h[8], const u8 *p) {
    u32 w[64];
    for (u32 i = 0; i < 16; i++) {
        w[i] = (u32)p[4 * i] << 24 | (u32)p[4 * i + 1] << 16 | (u32)p[4 * i + 2] << 8 | p[4 * i + 3];
    }
    for (u32 i = 16; i < 64; i++) {
        u32 a = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        u32 b = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + a + w[i - 7] + b;
    }
    u32 v[8];
    for (u32 i = 0; i < 8; i++) {
        v[i] = h[i];
    }
    for (u32 i = 0; i < 64; i++) {
        u32 s1 = rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25);
        u32 t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + k[i] + w[i];
        u32 s0 = rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22);
        u32 t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        for (u32 j = 7; j > 0; j--) {
            v[j] = v[j - 1];
        }
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (u32 i = 0; i < 8; i++) {
        h[i] += v[i];
    }
}

static void sha256(const char *name, const u8 *p, u64 bytes) {
    u32 h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    u64 at = 0;
    for (; at + 64 <= bytes; at += 64) {
        sha256_block(h, p + at);
    }
    u8 last[128] = {0};
    u32 rest = (u32)(bytes - at);
    memcpy(last, p + at, rest);
    last[rest] = 0x80;
    u32 end = rest < 56 ? 64 : 128;
    for (u32 i = 0; i < 8; i++) {
        last[end - 1 - i] = (u8)(bytes * 8 >> 8 * i);
    }
    sha256_block(h, last);
    if (end == 128) {
        sha256_block(h, last + 64);
    }
    print("SHA-256 of %s: ", name);
    for (u32 i = 0; i < 8; i++) {
        print("%08x", h[i]);
    }
    print("\n");
}

int guest(void) {
    print("crc-sha\n");
    memcpy(text, "123456789", 9);
    print("CRC-32 of 123456789: %08x by table, CRC-32C: %08x\n", by_table(0xedb88320, 9), by_table(0x82f63b78, 9));
    u32 seed = 1;
    for (u32 i = 0; i < BYTES; i++) {
        seed = seed * 1664525 + 1013904223;
        text[i] = (u8)(seed >> 24);
    }
    print("CRC-32 of %u bytes: %08x by table\n", (u32)BYTES, by_table(0xedb88320, BYTES));
    if ((READ(id_aa64isar0_el1) >> 16 & 15) == 0) {
        print("FEAT_CRC32 is not implemented\n");
    } else {
        print("  CRC32B %08x CRC32H %08x CRC32W %08x CRC32X %08x\n", BY_INSTRUCTION(u8, crc32b), BY_INSTRUCTION(u16, crc32h),
              BY_INSTRUCTION(u32, crc32w), BY_INSTRUCTION(u64, crc32x));
        print("CRC-32C: %08x by table\n", by_table(0x82f63b78, BYTES));
        print("  CRC32CB %08x CRC32CH %08x CRC32CW %08x CRC32CX %08x\n", BY_INSTRUCTION(u8, crc32cb),
              BY_INSTRUCTION(u16, crc32ch), BY_INSTRUCTION(u32, crc32cw), BY_INSTRUCTION(u64, crc32cx));
    }
    sha256("nothing", text, 0);
    sha256("abc", (const u8 *)"abc", 3);
    sha256("two blocks", (const u8 *)"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56);
    sha256("64 KiB", text, BYTES);
    for (u64 n = option("sha", 0); n > 0; n--) {
        sha256("64 KiB", text, BYTES);
    }
    for (u64 n = option("crc", 0); n > 0; n--) {
        check(by_table(0xedb88320, BYTES) == BY_INSTRUCTION(u64, crc32x), "a CRC by table is that by instruction");
    }
    return 0;
}
