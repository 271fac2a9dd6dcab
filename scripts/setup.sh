#!/usr/bin/env bash
# Installs what is missing on a Debian 12 machine: the toolchain (apt, as root or through sudo) and the Python packages (.venv in
# the project's root). Says what it does; quick and silent about the rest when nothing is missing.
# usage: scripts/setup.sh [--tests]        --tests: also what only the tests need
# Part of Halftone, under the Apache License v2.0 with LLVM Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=(
  clang-22 lld-22 llvm-22-dev llvm-22-tools libmlir-22-dev mlir-22-tools liblld-22-dev  # the compiler's own parts
  cmake ninja-build ccache g++ libc6-dev ca-certificates                                # libstdc++ and the C library, also static
  protobuf-compiler libprotobuf-dev zlib1g-dev libzstd-dev libssl-dev libgtest-dev libgmock-dev libopenblas-pthread-dev
)
# Executables for 64-bit ARM are linked with its C library.
[ "$(uname -m)" = aarch64 ] || packages+=(libc6-dev-arm64-cross libgcc-12-dev-arm64-cross libstdc++-12-dev-arm64-cross)
# What a machine may have from elsewhere is asked by what it does: npm (gets the demo's model), Python with venv.
command -v npm >/dev/null || packages+=(npm)
python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3 python3-venv)
requirements=(scripts/requirements.txt)
for argument in "$@"; do
  case "$argument" in
    --tests)
      packages+=(libclang-rt-22-dev qemu-user)  # the sanitizers' runtime; processors that are not there
      requirements+=(scripts/requirements-tests.txt)
      ;;
    *) echo "setup: unknown option '$argument'; the only one is --tests" >&2; exit 2 ;;
  esac
done

say() { echo "setup: $*"; }
fail() { echo "setup: $*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else fail "run this as root, there is no sudo here: $*"; fi
}

missing_packages() {
  local name
  for name in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || echo "$name"
  done
}

# LLVM 22 comes to Debian 12 through the suite bookworm-security. The installer enables it, a bare debootstrap does not: then it is
# added beside the machine's own mirror.
enable_security_suite() {
  local mirror
  mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' | awk '$2 == "bookworm" {print $1; exit}')
  mirror=${mirror%/}
  [ -n "$mirror" ] || fail "apt has no suite 'bookworm'; Halftone is built on Debian 12"
  say "adding the suite bookworm-security to apt's sources"
  echo "deb $mirror-security bookworm-security main" | as_root tee /etc/apt/sources.list.d/halftone-security.list >/dev/null
  as_root apt-get update -qq
}

available() { [[ $(apt-cache policy "$1" 2>/dev/null) == *"Candidate: "[0-9]* ]]; }

install_packages() {
  say "installing with apt: $*"
  as_root apt-get update -qq
  available clang-22 || enable_security_suite
  available clang-22 || fail "apt offers no clang-22, not even from the suite bookworm-security"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null ||
    fail "apt could not install these packages"
}

make_venv() {
  [ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null && return
  say "making .venv"
  rm -rf .venv
  python3 -m venv .venv || fail "python3 -m venv failed; on Debian: apt-get install python3-venv"
}

# A stamp in .venv holds the requirements that were installed last.
install_requirements() {
  local file stamp
  for file in "${requirements[@]}"; do
    stamp=.venv/$(basename "$file")
    cmp -s "$file" "$stamp" && continue
    say "installing $(basename "$file") into .venv"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r "$file" || fail "pip could not install $file"
    cp "$file" "$stamp"
  done
}

mapfile -t missing < <(missing_packages)
[ ${#missing[@]} = 0 ] || install_packages "${missing[@]}"
make_venv
install_requirements
say "ready"
