#!/bin/sh
# Runs a guest under QEMU on the machine that guests.json asks for, or on another one.
#   ./run-qemu.sh NAME [CORES [MACHINE]]    MACHINE: virtualization=on, secure=on, both with a comma, or none
# The exit code is the guest's; 124 after TIMEOUT seconds (60). One host thread runs all cores in turn, which lets WFE
# and YIELD hand over; THREAD=multi gives each core its own, which is slow when there are fewer host cores. CPU: -cpu.
set -eu
cd "$(dirname "$0")"
name=$1
cores=${2:-4}
machine=${3:-$(python3 - "$name" <<'P'
import json, sys
for guest in json.load(open('guests.json'))['guests']:
    if guest['name'] == sys.argv[1]:
        print(','.join(k + '=on' for k, v in guest['machine'].items() if v) or 'none')
P
)}
[ -n "$machine" ] || { echo "$name is not in guests.json" >&2; exit 2; }
[ "$machine" = none ] && machine=virtualization=off
exec timeout "${TIMEOUT:-60}" qemu-system-aarch64 -accel "tcg,thread=${THREAD:-single}" -M "virt,gic-version=3,$machine" -cpu "${CPU:-max}" \
  -smp "$cores" -m 512 -nic none -display none -monitor none -serial stdio -semihosting -kernel "bin/$name.elf" </dev/null
