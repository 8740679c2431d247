/** struct virtio_blk_req without its data: type, reserved, sector. */
export function blockHeader(requestType: number, sector: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(16));
  view.setUint32(0, requestType, true);
  view.setUint32(8, sector % 2 ** 32, true);
  view.setUint32(12, Math.floor(sector / 2 ** 32), true);
  return new Uint8Array(view.buffer);
}
