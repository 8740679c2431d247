#!/bin/sh
# Asks qemu-aarch64 again which words of floating point and Advanced SIMD it executes (Debian: qemu-user, gcc-aarch64-linux-gnu,
# libc6-dev-arm64-cross).
# usage: tests/vectors/generate-decode-space.sh
set -eu
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$here/harness/build.sh" "$scratch/harness"
cd "$here/../.."
npx tsc -p "$here/tsconfig.json" --outDir "$scratch/built"
echo '{ "type": "module" }' >"$scratch/built/package.json"
node "$scratch/built/tests/vectors/generate-decode-space.js" "$scratch/harness" "$here/data/decode-space.txt.gz"
