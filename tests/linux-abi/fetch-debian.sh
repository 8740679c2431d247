#!/usr/bin/env bash
# Fetches arm64 programs from the Debian archive that this system uses, and unpacks them into a directory that serves as --sysroot. Nothing
# of the system is changed, and no rights are needed: apt keeps its lists for this in the directory.
#   ./fetch-debian.sh            into node_modules/.cache/debian-arm64 of the checkout, unless it is there
set -euo pipefail
cd "$(dirname "$0")/../.."
target=node_modules/.cache/debian-arm64
if [[ -e $target/complete ]]; then exit 0; fi

packages=(
  busybox-static bash coreutils dash sed grep gawk bc dc gzip pigz xz-utils zstd sqlite3 python3.11-minimal perl-base lua5.4 openssl
  libc6 libgcc-s1 libstdc++6 libtinfo6 libreadline8 libselinux1 libpcre2-8-0 libacl1 libattr1 libcrypt1 libgmp10 libmpfr6 libsigsegv2
  zlib1g liblzma5 liblz4-1 libzstd1 libsqlite3-0 libssl3 libexpat1 libpython3.11-minimal libpython3.11-stdlib
)
rm -rf "$target"
mkdir -p "$target"/{root,apt/state/lists/partial,apt/cache/archives/partial,packages}
apt=$(realpath "$target/apt")
touch "$apt/status"
cat >"$apt/apt.conf" <<END
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
Acquire::Languages "none";
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
END
export APT_CONFIG=$apt/apt.conf
# Other archives of the system may have nothing for arm64.
apt-get update -qq >/dev/null 2>"$apt/errors" || true
(cd "$target/packages" && apt-get download -qq "${packages[@]}" 2>>"$apt/errors") || {
  cat "$apt/errors" >&2
  exit 1
}
for package in "$target"/packages/*.deb; do dpkg-deb -x "$package" "$target/root"; done
rm -rf "$apt" "$target/packages"
touch "$target/complete"
