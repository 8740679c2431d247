#!/bin/sh
# Runs one of "vmRuns" of guests.json under QEMU, with its cores, options and devices.
#   ./run-vm-qemu.sh NAME       124 after TIMEOUT seconds (60). KERNEL: another file than bin/vm/PROGRAM. MORE: further arguments.
# The disk is a fresh one of 1 MiB; the network is QEMU's `user`; the virtio console writes to standard output as the UART does.
# With "initrd" all of bin/vm/*.img are in a cpio archive; "input" is typed; it begins with a DEL, since
# QEMU's PL011 loses what was typed before the FIFO is on.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
truncate -s 1M "$work/disk"
node -e '
  const run = require("./guests.json").vmRuns.find((one) => one.name === process.argv[1]);
  if (!run) process.exit(2);
  const packed = run.packed ? ",packed=on" : "";
  const fs = require("fs"), path = require("path"), folder = process.argv[2];
  const member = (name, data) => {
    const hex = (value) => value.toString(16).padStart(8, "0"), pad = (bytes) => Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
    const fields = [1, 0o100644, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length + 1, 0].map(hex).join("");
    return Buffer.concat([pad(Buffer.from(`070701${fields}${name}\0`, "latin1")), pad(data)]);
  };
  const images = fs.readdirSync("bin/vm").filter((name) => name.endsWith(".img"));
  const archive = images.map((name) => member(name, fs.readFileSync(path.join("bin/vm", name))));
  fs.writeFileSync(`${folder}/initrd`, Buffer.concat([...archive, member("TRAILER!!!", Buffer.alloc(0))]));
  fs.writeFileSync(`${folder}/input`, run.input || "");
  const devices = {
    block: ["-drive", `if=none,id=d,format=raw,file=${folder}/disk`, "-device", `virtio-blk-device,drive=d,serial=heddle-disk${packed}`],
    net: ["-netdev", "user,id=n", "-device", `virtio-net-device,netdev=n${packed}`],
    entropy: ["-device", `virtio-rng-device${packed}`],
    console: ["-device", `virtio-serial-device${packed}`, "-device", "virtconsole,chardev=s"],
  };
  const on = run.machine.virtualization ? "on" : "off";
  const words = ["-M", `virt,gic-version=${run.machine.gic},virtualization=${on}`, "-smp", String(run.cores),
    "-kernel", process.env.KERNEL || `bin/vm/${run.program}.${run.flat ? "img" : "elf"}`, "-append", run.options,
    ...(run.initrd ? ["-initrd", `${folder}/initrd`] : []), ...run.devices.flatMap((device) => devices[device])];
  console.log(words.map((word) => `\x27${word}\x27`).join(" "));
' "$1" "$work" >"$work/words" || { echo "$1 is not in vmRuns of guests.json" >&2; exit 2; }
eval "set -- $(cat "$work/words")"
code=0
timeout "${TIMEOUT:-60}" qemu-system-aarch64 -accel tcg,thread=single -cpu max -m 512 -nic none -display none -monitor none \
  -chardev stdio,mux=on,id=s -serial chardev:s -global virtio-mmio.force-legacy=false "$@" ${MORE:-} <"$work/input" || code=$?
exit $code
