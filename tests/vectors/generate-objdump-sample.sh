#!/bin/sh
# Makes the committed sample of disassembled words again (Debian: binutils-aarch64-linux-gnu).
# usage: tests/vectors/generate-objdump-sample.sh
set -eu
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$here/../.."
npx tsc -p "$here/tsconfig.json" --outDir "$scratch/built"
echo '{ "type": "module" }' >"$scratch/built/package.json"
node "$scratch/built/tests/vectors/generate-objdump-sample.js" "$scratch" "$here/data/objdump-sample.txt.gz"
