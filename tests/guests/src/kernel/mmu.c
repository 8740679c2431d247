/* Translation tables of level 1 (one page) and level 2 (one page per gigabyte that holds RAM). */
#include "mmu.h"
#include "machine.h"

enum { most_tables = 8, most_split = 8, entries = 512 };
#define DEVICE_BLOCK (PTE_BLOCK | PTE_DEVICE | PTE_AF | PTE_PXN | PTE_UXN)
#define GIGABYTE 0x40000000ull
#define BLOCK 0x200000ull

static u64 level1[entries] __attribute__((aligned(4096)));
static u64 level2[most_tables][entries] __attribute__((aligned(4096)));
static u64 level3[most_split][entries] __attribute__((aligned(4096)));
static u32 tables, splits;
extern u8 image_start[], image_end[];

static u64 *table_for(u64 va) {
    u64 *entry = &level1[va / GIGABYTE];
    if ((*entry & 3) != PTE_TABLE) {
        if (tables == most_tables) {
            return 0;
        }
        u64 *table = level2[tables++], base = va & ~(GIGABYTE - 1);
        for (u32 i = 0; i < entries; i++) {
            table[i] = (base + i * BLOCK) | DEVICE_BLOCK;
        }
        *entry = (u64)table | PTE_TABLE;
    }
    return (u64 *)(*entry & ~0xfffull);
}

static void map_ram(u64 base, u64 bytes) {
    for (u64 at = base & ~(BLOCK - 1); at < base + bytes && at < entries * GIGABYTE; at += BLOCK) {
        u64 *table = table_for(at);
        if (!table) {
            return; /* RAM beyond it stays unused */
        }
        table[at / BLOCK % entries] = at | MMU_RAM_BLOCK;
    }
}

void mmu_build(void) {
    for (u64 i = 0; i < entries; i++) {
        level1[i] = i * GIGABYTE | DEVICE_BLOCK;
    }
    map_ram((u64)image_start, (u64)image_end - (u64)image_start);
    for (u32 i = 0; i < machine.memories; i++) {
        map_ram(machine.memory[i].base, machine.memory[i].bytes);
    }
    dsb(sy);
}

void mmu_on(void) {
    WRITE(cpacr_el1, 0x300000); /* FPEN */
    WRITE(mdscr_el1, 0);
    WRITE(contextidr_el1, 0);
    WRITE(cntkctl_el1, 3); /* EL0VCTEN, EL0PCTEN */
    WRITE(mair_el1, MAIR_VALUE);
    /* T0SZ = 25, Write-Back Inner Shareable walks, 4 KiB granule, EPD1; IPS as wide as the machine's physical addresses. */
    u64 range = READ(id_aa64mmfr0_el1) & 0xf;
    WRITE(tcr_el1, 25 | 1 << 8 | 1 << 10 | 3 << 12 | 1 << 23 | (range < 5 ? range : 5) << 32);
    WRITE(ttbr0_el1, level1);
    isb();
    asm volatile("tlbi vmalle1\n ic iallu\n dsb nsh\n isb" : : : "memory");
    WRITE(sctlr_el1, SCTLR_VALUE);
    isb();
}

static void replace(u64 *entry, u64 descriptor) {
    *entry = 0;
    asm volatile("dsb ishst\n tlbi vmalle1is\n dsb ish" : : : "memory");
    *entry = descriptor;
    asm volatile("dsb ishst\n isb" : : : "memory");
}

void mmu_set_block(u64 va, u64 descriptor) {
    u64 *table = table_for(va);
    if (table) {
        replace(&table[va / BLOCK % entries], descriptor);
    }
}

void mmu_set_gigabyte(u64 va, u64 descriptor) {
    replace(&level1[va / GIGABYTE], descriptor);
}

void mmu_set_page(u64 va, u64 descriptor) {
    u64 *table = table_for(va);
    if (!table) {
        return;
    }
    u64 *entry = &table[va / BLOCK % entries];
    if ((*entry & 3) != PTE_TABLE) {
        if (splits == most_split) {
            return;
        }
        u64 *pages = level3[splits++], attributes = (*entry & 0xffff000000000fffull & ~3ull) | PTE_PAGE;
        for (u32 i = 0; i < entries; i++) {
            pages[i] = ((va & ~(BLOCK - 1)) + i * 4096) | attributes;
        }
        replace(entry, (u64)pages | PTE_TABLE);
    }
    replace(&((u64 *)(*entry & ~0xfffull))[va / 4096 % entries], descriptor);
}
