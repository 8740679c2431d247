#!/bin/sh
# Builds the vector harness, a static AArch64 Linux program (Debian: gcc-aarch64-linux-gnu, libc6-dev-arm64-cross).
# usage: tests/vectors/harness/build.sh OUTPUT
set -eu
here=$(cd "$(dirname "$0")" && pwd)
exec "${CROSS_COMPILE:-aarch64-linux-gnu-}gcc" -static -O2 -Wall -Wextra -Werror -march=armv8-a -o "$1" "$here/harness.c"
