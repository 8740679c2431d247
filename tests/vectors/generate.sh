#!/bin/sh
# Makes the committed vectors again, under qemu-aarch64 (Debian: qemu-user, gcc-aarch64-linux-gnu,
# libc6-dev-arm64-cross).
# usage: tests/vectors/generate.sh [GROUP…]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$here/harness/build.sh" "$scratch/harness"
cd "$here/../.."
npx tsc -p "$here/tsconfig.json" --outDir "$scratch/built"
echo '{ "type": "module" }' >"$scratch/built/package.json"
node "$scratch/built/tests/vectors/generate.js" "$scratch/harness" "$here/data" "$@"
