/* Stage 1 of EL1: VA = PA, 4 KiB granule, 39 bits of VA. RAM that the tree names is Normal Write-Back, in blocks of 2 MiB,
 * writable and executable; everything else below 512 GiB is Device-nGnRE and never executable. */
#pragma once
#include "layout.h"
#include "sysreg.h"

/* By core 0, once, before mmu_on(). */
void mmu_build(void);
/* By every core. */
void mmu_on(void);
/* Changes the entry of the 2 MiB around `va`: break-before-make, on all cores. For programs that misbehave. */
void mmu_set_block(u64 va, u64 descriptor);
/* Changes the level 1 entry of the gigabyte around `va`. */
void mmu_set_gigabyte(u64 va, u64 descriptor);
/* Splits off the 4 KiB page at `va` (there is room for few such blocks) and gives it this descriptor. */
void mmu_set_page(u64 va, u64 descriptor);

#define MMU_RAM_BLOCK (PTE_BLOCK | PTE_NORMAL | PTE_INNER | PTE_AF | PTE_UXN)
#define MMU_RAM_PAGE (PTE_PAGE | PTE_NORMAL | PTE_INNER | PTE_AF | PTE_UXN)
#define MMU_DEVICE_PAGE (PTE_PAGE | PTE_DEVICE | PTE_AF | PTE_PXN | PTE_UXN)
