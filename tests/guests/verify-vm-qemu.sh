#!/bin/sh
# Runs "vmRuns" of guests.json under QEMU against expected/vm/NAME.txt; what depends on timing is written there as it is
# matched: "..." stands for any numbers.
#   ./verify-vm-qemu.sh [NAME...]        UPDATE=1 writes expected/vm instead
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ $# -gt 0 ] || set -- $(node -p 'require("./guests.json").vmRuns.map((run) => run.name).join(" ")')
failed=0
for name; do
  ./run-vm-qemu.sh "$name" >"$work/raw" 2>"$work/errors" || { echo "$name: exit code $?" && cat "$work/errors" && failed=1; }
  sed -E '/^(latency|deadlines): /s/[0-9]+( missed|,|$| ticks)/...\1/g; s/^histogram: .*[^\r]/histogram: .../' "$work/raw" | tr -d '\r' >"$work/text"
  if [ -n "${UPDATE:-}" ]; then
    mkdir -p expected/vm && cp "$work/text" "expected/vm/$name.txt"
  elif ! diff "expected/vm/$name.txt" "$work/text"; then
    echo "$name: differs from expected/vm/$name.txt" && failed=1
  fi
  echo "$name: done"
done
exit $failed
