#!/usr/bin/env bash
# Fetches arm64 programs, and the libraries that they depend on, from the Debian archive that this system uses, and unpacks them into a directory
# that serves as --sysroot. Nothing of the system is changed, and no rights are needed: apt keeps its lists for this in the directory.
#   ./fetch-debian.sh            into node_modules/.cache/debian-arm64 of the checkout, unless these programs are there
set -euo pipefail
cd "$(dirname "$0")/../.."

programs=(
  # Shells and what scripts use.
  busybox-static bash dash coreutils findutils diffutils patch sed grep gawk mawk original-awk bc dc m4 make ed tar cpio file jq
  # Compression.
  gzip pigz bzip2 lbzip2 xz-utils zstd lz4 brotli zip unzip
  # Languages.
  perl python3.11-minimal libpython3.11-stdlib lua5.4 luajit ruby3.1 tcl8.6 guile-3.0-libs guile-3.0 tcc libtcc-dev libc6-dev
  # Of Rust, of Go, of C++, and greater ones.
  ripgrep fd-find gron git sqlite3 openssl
  # Loads.
  sysbench stress-ng
)
target=node_modules/.cache/debian-arm64
if [[ "$(cat $target/complete 2>/dev/null)" == "${programs[*]}" ]]; then exit 0; fi

fresh=$target.fresh
rm -rf "$fresh"
mkdir -p "$fresh"/{root,apt/state/lists/partial,apt/cache/archives/partial}
apt=$(realpath "$fresh/apt")
touch "$apt/status"
cat >"$apt/apt.conf" <<END
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
Acquire::Languages "none";
Dir::State "$apt/state";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
Debug::NoLocking "true";
END
# Downloads belong to who calls this; for root, apt would give them to a user of its own.
if ((EUID == 0)); then echo 'APT::Sandbox::User "root";' >>"$apt/apt.conf"; fi
export APT_CONFIG=$apt/apt.conf
# Other archives of the system may have nothing for arm64.
apt-get update -qq >/dev/null 2>"$apt/errors" || true
# Nothing is installed where this begins, so that all dependencies are fetched.
apt-get install -qq --yes --no-install-recommends --download-only "${programs[@]}" >/dev/null 2>>"$apt/errors" || {
  cat "$apt/errors" >&2
  exit 1
}
for package in "$apt"/cache/archives/*.deb; do dpkg-deb -x "$package" "$fresh/root"; done
rm -rf "$apt"
echo "${programs[*]}" >"$fresh/complete"
rm -rf "$target"
mv "$fresh" "$target"
