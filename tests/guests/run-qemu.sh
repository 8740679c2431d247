#!/bin/sh
# Runs a guest under QEMU on the machine that guests.json asks for, or on another one.
#   ./run-qemu.sh NAME [CORES [MACHINE]]    MACHINE: virtualization=on, secure=on, gic-version=2,
#                                           with commas between them, or none
# The exit code is the guest's; 124 after TIMEOUT seconds (60). One host thread runs all cores in turn, which lets WFE
# and YIELD hand over; THREAD=multi gives each core its own, which is slow when there are fewer host cores. CPU: -cpu.
set -eu
cd "$(dirname "$0")"
name=$1
cores=${2:-4}
machine=${3:-$(node -e '
  const guest = require("./guests.json").guests.find((g) => g.name === process.argv[1]);
  if (guest) console.log(Object.keys(guest.machine).filter((k) => guest.machine[k]).map((k) => k === "gic" ? `gic-version=${guest.machine[k]}` : k === "board" ? guest.machine[k].map((word) => word.slice(2)) : k + "=on").join() || "none");
' "$name")}
[ -n "$machine" ] || { echo "$name is not in guests.json" >&2; exit 2; }
[ "$machine" = none ] && machine=virtualization=off
case $machine in *gic-version*) ;; *) machine=gic-version=3,$machine ;; esac
exec timeout "${TIMEOUT:-60}" qemu-system-aarch64 -accel "tcg,thread=${THREAD:-single}" -M "virt,$machine" \
  -cpu "${CPU:-max}" -smp "$cores" -m 512 -nic none -display none -monitor none -serial stdio -semihosting \
  -kernel "bin/$name.elf" </dev/null
