// A capture of frames as a file that tcpdump and Wireshark read: libpcap's format with time stamps in nanoseconds, which are those of
// simulated time.

const magicNanoseconds = 0xa1b2_3c4d;
const linkTypeEthernet = 1;
const fileHeaderBytes = 24;
const recordHeaderBytes = 16;
const snapBytes = 0x4_0000;
const ticksPerSecond = 1e9;

/** A capture ends before its file becomes too large to handle. */
const maxCaptureBytes = 0x1000_0000;

export class Capture {
  private readonly records: { ticks: number; frame: Uint8Array }[] = [];
  private sizeBytes = fileHeaderBytes;

  add(ticks: number, frame: Uint8Array): void {
    const recordBytes = recordHeaderBytes + frame.length;
    if (this.sizeBytes + recordBytes > maxCaptureBytes) return;
    this.sizeBytes += recordBytes;
    this.records.push({ ticks, frame: frame.slice() });
  }

  toBytes(): Uint8Array<ArrayBuffer> {
    const view = new DataView(new ArrayBuffer(this.sizeBytes));
    const bytes = new Uint8Array(view.buffer);
    view.setUint32(0, magicNanoseconds, true);
    // Version 2.4 of the format.
    view.setUint16(4, 2, true);
    view.setUint16(6, 4, true);
    view.setUint32(16, snapBytes, true);
    view.setUint32(20, linkTypeEthernet, true);
    let at = fileHeaderBytes;
    for (const { ticks, frame } of this.records) {
      view.setUint32(at, Math.floor(ticks / ticksPerSecond), true);
      view.setUint32(at + 4, ticks % ticksPerSecond, true);
      view.setUint32(at + 8, frame.length, true);
      view.setUint32(at + 12, frame.length, true);
      bytes.set(frame, at + recordHeaderBytes);
      at += recordHeaderBytes + frame.length;
    }
    return bytes;
  }
}
