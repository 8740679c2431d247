#!/bin/sh
# Builds bin/*.elf and bin/vm/*.{elf,img} from src (Debian: gcc-aarch64-linux-gnu). The same sources and compiler give the same bytes.
#   ./build.sh            all guests
#   ./build.sh NAME...    these; `linux` is all programs for Linux
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

# Programs of virtual machines: position-independent, on src/kernel and the parts of the runtime that know no board.
vm_flags="$(echo "$flags" | sed 's/-fno-pic -fno-pie//') -fpie -include src/kernel/hidden.h -I src/kernel -DONLY_EL1
  -ffunction-sections -fdata-sections"
kernel=
for source in src/kernel/*.c src/kernel/*.S src/runtime/exception.c src/runtime/vectors.S; do
  object=$work/kernel-$(basename "$source").o
  ${cross}gcc $vm_flags -c "$source" -o "$object"
  kernel="$kernel $object"
done
build_vm() {
  objects=
  for source in src/vm/"$1".c src/vm/"$1".S src/vm/"$1"/*.[cS]; do
    [ -f "$source" ] || continue
    object=$work/vm-$(basename "$source").o
    ${cross}gcc $vm_flags -c "$source" -o "$object"
    objects="$objects $object"
  done
  ${cross}ld -nostdlib -static -pie --no-dynamic-linker --build-id=none -z noexecstack -z max-page-size=4096 -z norelro -z text \
    --gc-sections --no-warn-rwx-segments -T src/kernel/kernel.ld -o bin/vm/"$1".elf $objects $kernel
  ${cross}objcopy -O binary bin/vm/"$1".elf bin/vm/"$1".img
  ${cross}strip --strip-unneeded bin/vm/"$1".elf
}

# Programs for Linux: one static executable on the C library of the compiler.
build_linux() {
  mkdir -p bin/linux
  objects=
  for source in src/linux/*.c; do
    object=$work/linux-$(basename "$source").o
    ${cross}gcc -std=gnu11 -O2 -Wall -Wextra -Werror -Wno-array-bounds -march=armv8-a -fno-ident -c "$source" -o "$object"
    objects="$objects $object"
  done
  ${cross}gcc -static -pthread -Wl,--build-id=none -o bin/linux/suite $objects -lm
  ${cross}strip bin/linux/suite

  # Programs of threads, static and dynamic.
  objects=
  for source in src/linux/checks.c src/linux/pthreads/*.c; do
    object=$work/pthreads-$(basename "$source").o
    ${cross}gcc -std=gnu11 -O2 -Wall -Wextra -Werror -Wno-array-bounds -march=armv8-a -fno-ident -c "$source" -o "$object"
    objects="$objects $object"
  done
  ${cross}gcc -static -pthread -Wl,--build-id=none -o bin/linux/pthreads $objects
  ${cross}gcc -pthread -Wl,--build-id=none -o bin/linux/pthreads-dynamic $objects
  ${cross}strip bin/linux/pthreads bin/linux/pthreads-dynamic
}

mkdir -p bin/vm
if [ $# -eq 0 ]; then
  set -- $(ls src/*.c src/vm/*.c | sed 's,.*/,,; s,\.c$,,') linux
fi
for name; do
  if [ "$name" = linux ]; then
    build_linux
    continue
  fi
  if [ -f src/vm/"$name".c ]; then
    build_vm "$name"
    continue
  fi
  objects=
  guest_flags=$flags
  # Floating point in C; everywhere else SIMD&FP registers are assembly's.
  [ "$name" != nbody ] || guest_flags="$(echo "$flags" | sed 's/-mgeneral-regs-only//') -fno-math-errno"
  for source in src/"$name".c src/"$name".S; do
    [ -f "$source" ] || continue
    object=$work/guest-$(basename "$source").o
    ${cross}gcc $guest_flags -c "$source" -o "$object"
    objects="$objects $object"
  done
  ${cross}ld -nostdlib -static --build-id=none -z noexecstack -z max-page-size=4096 -z norelro --no-warn-rwx-segments \
    -T src/runtime/guest.ld -o bin/"$name".elf $objects $runtime
  ${cross}strip --strip-debug bin/"$name".elf
done
