#!/usr/bin/env bash
# Checks what a goal needs; installs Debian packages when it may (root), otherwise says exactly what
# to install. Usage: need.sh run|test|bench
set -euo pipefail
goal=${1:?run, test or bench}

packages=()
# Peers that some tests drive: those tests say "skipped" without them.
peers=()
peer() { # command, package
    command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || peers+=("$2")
}
want() { # command, package
    command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || packages+=("$2")
}
must() { # command, how to get it
    command -v "$1" >/dev/null 2>&1 || { echo "missing: $1 ($2)" >&2; exit 1; }
}

must cargo "Rust 1.95 or newer: https://rustup.rs"
must node "Node 20 or newer: Debian package nodejs, or nodejs.org"
must npm "comes with Node"
must cc "a C compiler: apt-get install gcc libc6-dev"

case $goal in
    run) want nft nftables ;;
    test)
        want nft nftables
        want ip iproute2
        want iptables iptables
        want chromium chromium
        want openssl openssl
        want curl curl
        want python3 python3
        python3 -c 'import venv, ensurepip' 2>/dev/null || packages+=(python3-venv)
        peer sshd openssh-server
        peer mosquitto mosquitto
        peer swtpm swtpm
        peer tpm2_nvdefine tpm2-tools
        peer qemu-system-x86_64 qemu-system-x86
        peer mkfs.btrfs btrfs-progs
        peer tshark tshark
        peer age age
        ;;
    bench)
        want softflowd softflowd
        want nft nftables
        want ip iproute2
        want iptables iptables
        ;;
esac

if [ ${#peers[@]} -gt 0 ]; then
    # A package that cannot be had keeps no test from running.
    if [ -n "${SERENO_TEST_PEERS:-}" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "installing: ${peers[*]}" >&2
        apt-get update -qq >/dev/null 2>&1 || true
        for package in "${peers[@]}"; do
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null 2>&1 ||
                echo "cannot be installed here: $package" >&2
        done
    else
        echo "some tests will be skipped; to have all: apt-get install ${peers[*]}" >&2
    fi
fi
[ ${#packages[@]} -eq 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing: ${packages[*]}" >&2
    apt-get update -qq >/dev/null 2>&1 || true
    if DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null; then
        exit 0
    fi
fi
echo "please install: apt-get install ${packages[*]}" >&2
# The demonstration says by itself what it cannot enforce; tests must not run half.
[ "$goal" = run ] || exit 1
