#!/bin/sh
# Builds bin/*.elf from src (Debian: gcc-aarch64-linux-gnu). The same sources and compiler give the same bytes.
#   ./build.sh            all guests
#   ./build.sh NAME...    these
set -eu
cd "$(dirname "$0")"
cross=${CROSS_COMPILE:-aarch64-linux-gnu-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib -mgeneral-regs-only -march=armv8-a
  -mstrict-align -mno-outline-atomics -fno-pic -fno-pie -fno-stack-protector -fno-common
  -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -fno-ident -I src/runtime"

runtime=
for source in src/runtime/*.c src/runtime/*.S; do
  object=$work/$(basename "$source").o
  ${cross}gcc $flags -c "$source" -o "$object"
  runtime="$runtime $object"
done

mkdir -p bin
if [ $# -eq 0 ]; then
  set -- $(ls src/*.c | sed 's,src/,,; s,\.c$,,')
fi
for name; do
  objects=
  for source in src/"$name".c src/"$name".S; do
    [ -f "$source" ] || continue
    object=$work/guest-$(basename "$source").o
    ${cross}gcc $flags -c "$source" -o "$object"
    objects="$objects $object"
  done
  ${cross}ld -nostdlib -static --build-id=none -z noexecstack -z max-page-size=4096 -z norelro --no-warn-rwx-segments \
    -T src/runtime/guest.ld -o bin/"$name".elf $objects $runtime
  ${cross}strip --strip-debug bin/"$name".elf
done
