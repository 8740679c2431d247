#!/bin/sh
# Makes the expected words of the sources here with GNU as and ld (Debian: binutils-aarch64-linux-gnu), at address 0x40000000.
# The tests need none of it: what it makes is committed.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cat > "$work/flat.ld" <<'LD'
SECTIONS {
  . = 0x40000000;
  .text : SUBALIGN(4) { *(.text) }
  .data : ALIGN(16) SUBALIGN(1) { *(.data) }
  .rodata : ALIGN(16) SUBALIGN(1) { *(.rodata) }
}
LD
for name in instructions program sections; do
  aarch64-linux-gnu-as -march=armv8.7-a+crc+lse+rcpc+sb+predres+flagm+pauth+profile+lor "$name.s" -o "$work/$name.o"
  aarch64-linux-gnu-ld -T "$work/flat.ld" -e 0x40000000 "$work/$name.o" -o "$work/$name.elf"
  aarch64-linux-gnu-objcopy -O binary "$work/$name.elf" "$work/$name.bin"
  od -An -v -tx1 "$work/$name.bin" | tr -d ' ' > "$name.hex"
done
