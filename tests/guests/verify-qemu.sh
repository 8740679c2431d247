#!/bin/sh
# Runs the guests under QEMU, on every machine that guests.json names for them, with 1, 2, 4 and 8 cores: the exit code is
# right, the output does not change from run to run, and with 4 cores on the first machine it is expected/NAME.txt.
#   ./verify-qemu.sh [NAME...]        CORES="1 4" and REPEAT=5 for others; UPDATE=1 writes expected/ instead
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
node -e '
  const on = (machine) => Object.keys(machine).filter((k) => machine[k]).map((k) => k === "gic" ? `gic-version=${machine[k]}` : k === "board" ? machine[k].map((word) => word.slice(2)) : k + "=on").join() || "none";
  for (const g of require("./guests.json").guests) {
    if (g.qemu && (process.argv.length === 1 || process.argv.includes(g.name, 1))) {
      console.log([g.name, g.timingIndependent, [].concat(g.exitCode).join(), ...[g.machine, ...g.otherMachines].map(on)].join(" "));
    }
  }' "$@" >"$work/list"
failed=0
while read -r name steady codes machines; do
  first=1
  for machine in $machines; do
    for cores in ${CORES:-1 2 4 8}; do
      for run in $(seq "${REPEAT:-2}"); do
        code=0
        ./run-qemu.sh "$name" "$cores" "$machine" >"$work/$run" 2>"$work/errors" || code=$?
        case ",$codes," in
        *,$code,*) ;;
        *) echo "$name, $cores cores, $machine: exit code $code" && cat "$work/errors" && failed=1 ;;
        esac
        if [ "$steady" = true ] && ! cmp -s "$work/$run" "$work/1"; then
          echo "$name, $cores cores, $machine: run $run differs from the first" && failed=1
        fi
      done
      if [ "$steady" = true ] && [ $first = 1 ] && [ "$cores" = 4 ]; then
        if [ -n "${UPDATE:-}" ]; then
          mkdir -p expected && cp "$work/1" "expected/$name.txt"
        elif ! diff "expected/$name.txt" "$work/1"; then
          echo "$name: differs from expected/$name.txt" && failed=1
        fi
      fi
    done
    first=0
  done
  echo "$name: done"
done <"$work/list"
exit $failed
