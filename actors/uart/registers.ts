// The register map of the PL011 UART (Arm DDI 0183, "Summary of registers").

import { type Register, registerTable } from '../device.ts';

export type UartRegister =
  | 'UARTDR'
  | 'UARTRSR'
  | 'UARTFR'
  | 'UARTILPR'
  | 'UARTIBRD'
  | 'UARTFBRD'
  | 'UARTLCR_H'
  | 'UARTCR'
  | 'UARTIFLS'
  | 'UARTIMSC'
  | 'UARTRIS'
  | 'UARTMIS'
  | 'UARTICR'
  | 'UARTDMACR'
  | 'UARTPeriphID'
  | 'UARTPCellID';

/** UARTDR as read: error bits above the character. */
export const dataError = { overrun: 1 << 11 } as const;

export const flag = { rxfe: 1 << 4, txff: 1 << 5, rxff: 1 << 6, txfe: 1 << 7 } as const;

export const lineControl = { fen: 1 << 4 } as const;

export const control = { uartEnable: 1 << 0, loopback: 1 << 7, transmitEnable: 1 << 8, receiveEnable: 1 << 9 } as const;

/** UARTIMSC, UARTRIS, UARTMIS, UARTICR. */
export const interrupt = { receive: 1 << 4, transmit: 1 << 5, receiveTimeout: 1 << 6, overrun: 1 << 10 } as const;

const id = (name: UartRegister, offset: number, bytes: readonly number[]): Register<UartRegister>[] =>
  bytes.map((reset, i) => ({ name, offset: offset + 4 * i, reset, access: 'RO', mask: 0 }));

export const uartTable = registerTable<Register<UartRegister>>(
  [
    { name: 'UARTDR', offset: 0x000, reset: 0, access: 'RW', mask: 0xff },
    // Read: receive status; a write of any value clears it (UARTECR).
    { name: 'UARTRSR', offset: 0x004, reset: 0, access: 'RW', mask: 0xf },
    { name: 'UARTFR', offset: 0x018, reset: 0x90, access: 'RO', mask: 0 },
    { name: 'UARTILPR', offset: 0x020, reset: 0, access: 'RW', mask: 0xff },
    { name: 'UARTIBRD', offset: 0x024, reset: 0, access: 'RW', mask: 0xffff },
    { name: 'UARTFBRD', offset: 0x028, reset: 0, access: 'RW', mask: 0x3f },
    { name: 'UARTLCR_H', offset: 0x02c, reset: 0, access: 'RW', mask: 0xff },
    { name: 'UARTCR', offset: 0x030, reset: 0x300, access: 'RW', mask: 0xff87 },
    { name: 'UARTIFLS', offset: 0x034, reset: 0x12, access: 'RW', mask: 0x3f },
    { name: 'UARTIMSC', offset: 0x038, reset: 0, access: 'RW', mask: 0x7ff },
    { name: 'UARTRIS', offset: 0x03c, reset: 0, access: 'RO', mask: 0 },
    { name: 'UARTMIS', offset: 0x040, reset: 0, access: 'RO', mask: 0 },
    { name: 'UARTICR', offset: 0x044, reset: 0, access: 'WO', mask: 0x7ff },
    { name: 'UARTDMACR', offset: 0x048, reset: 0, access: 'RW', mask: 0x7 },
    ...id('UARTPeriphID', 0xfe0, [0x11, 0x10, 0x14, 0x00]),
    ...id('UARTPCellID', 0xff0, [0x0d, 0xf0, 0x05, 0xb1]),
  ],
  0x1000,
);
