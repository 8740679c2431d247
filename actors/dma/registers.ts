// The register map of the DMA engine: Heddle's own device. dma.ts tells how it is used.

import { type Register, registerTable } from '../device.ts';

export type DmaRegister =
  | 'DMA_ID'
  | 'DMA_VERSION'
  | 'DMA_CONTROL'
  | 'DMA_STATUS'
  | 'DMA_INTERRUPT_CLEAR'
  | 'DMA_SUBSTREAM'
  | 'DMA_SOURCE_LOW'
  | 'DMA_SOURCE_HIGH'
  | 'DMA_TARGET_LOW'
  | 'DMA_TARGET_HIGH'
  | 'DMA_LENGTH_LOW'
  | 'DMA_LENGTH_HIGH'
  | 'DMA_LIST_LOW'
  | 'DMA_LIST_HIGH'
  | 'DMA_COUNT_LOW'
  | 'DMA_COUNT_HIGH'
  | 'DMA_FAULT_LOW'
  | 'DMA_FAULT_HIGH';

export const control = {
  /** Starts a transfer; written as 0 while busy, it stops after the present chunk. */
  START: 1 << 0,
  /** The transfers are in a list, at DMA_LIST. */
  LIST: 1 << 1,
  /** Transactions are privileged. */
  PRIVILEGED: 1 << 2,
  /** The interrupt is raised by DONE, by ERROR. */
  DONE_ENABLE: 1 << 4,
  ERROR_ENABLE: 1 << 5,
  /** Everything is as out of reset; the other bits of the write are ignored. */
  RESET: 2 ** 31,
} as const;

export const status = { BUSY: 1 << 0, DONE: 1 << 1, ERROR: 1 << 2 } as const;

/** DMA_STATUS[15:8]. */
export const errorCode = {
  none: 0,
  /** The read of the source, the write of the target, the read of a list element has been aborted. */
  source: 1,
  target: 2,
  list: 3,
  /** A list of more elements than `maxListElements`. */
  listTooLong: 4,
  stopped: 5,
} as const;

/** DMA_SUBSTREAM: bit 31 says that transactions carry the SubstreamID in [19:0]. */
export const substreamEnable = 2 ** 31;

const word = (name: DmaRegister, offset: number, access: 'RW' | 'RO' = 'RW'): Register<DmaRegister> => ({
  name,
  offset,
  reset: 0,
  access,
  mask: access === 'RW' ? 0xffff_ffff : 0,
});

export const dmaTable = registerTable<Register<DmaRegister>>(
  [
    // "HDMA"
    { name: 'DMA_ID', offset: 0x00, reset: 0x414d_4448, access: 'RO', mask: 0 },
    { name: 'DMA_VERSION', offset: 0x04, reset: 1, access: 'RO', mask: 0 },
    { name: 'DMA_CONTROL', offset: 0x08, reset: 0, access: 'RW', mask: 0x37 },
    { name: 'DMA_STATUS', offset: 0x0c, reset: 0, access: 'RO', mask: 0 },
    { name: 'DMA_INTERRUPT_CLEAR', offset: 0x10, reset: 0, access: 'WO', mask: status.DONE | status.ERROR },
    { name: 'DMA_SUBSTREAM', offset: 0x14, reset: 0, access: 'RW', mask: 0x800f_ffff },
    word('DMA_SOURCE_LOW', 0x18),
    word('DMA_SOURCE_HIGH', 0x1c),
    word('DMA_TARGET_LOW', 0x20),
    word('DMA_TARGET_HIGH', 0x24),
    word('DMA_LENGTH_LOW', 0x28),
    word('DMA_LENGTH_HIGH', 0x2c),
    word('DMA_LIST_LOW', 0x30),
    word('DMA_LIST_HIGH', 0x34),
    word('DMA_COUNT_LOW', 0x38, 'RO'),
    word('DMA_COUNT_HIGH', 0x3c, 'RO'),
    word('DMA_FAULT_LOW', 0x40, 'RO'),
    word('DMA_FAULT_HIGH', 0x44, 'RO'),
  ],
  0x1000,
);
