// Transports with no device behind them (virtio 1.2, "MMIO Device Register Layout": DeviceID 0), side by side in one region. QEMU's
// `virt` has 32 transports; a driver passes over the empty ones in silence.

import type { Actor, Message, Port } from '../actor.ts';
import { type Device, noGuestErrors, serveBusRequest } from '../device.ts';
import { configOffset, transportTable } from './transport-registers.ts';

export class EmptySlots implements Actor, Device {
  readonly guestErrors = noGuestErrors();
  private readonly port: Port;
  private readonly slotBytes: number;

  constructor(port: Port, slotBytes: number) {
    this.port = port;
    this.slotBytes = slotBytes;
  }

  receive(message: Message): void {
    serveBusRequest(this.port, this, message);
  }

  /** Who they are is all that they tell. */
  read(offset: number, sizeBytes: number): number {
    const register = offset % this.slotBytes;
    const row = register < configOffset ? transportTable.rows[transportTable.indexAt(register)] : undefined;
    const identifies = row !== undefined && ['MagicValue', 'Version', 'VendorID'].includes(row.name);
    return identifies && sizeBytes === 4 ? row.reset : 0;
  }

  write(): void {
    this.guestErrors.misuse++;
  }

  timer(): void {}

  save(): unknown {
    return { version: 1, guestErrors: { ...this.guestErrors } };
  }

  restore(saved: { guestErrors: EmptySlots['guestErrors'] }): void {
    Object.assign(this.guestErrors, saved.guestErrors);
  }
}
