#!/usr/bin/env bash
# Live capture under load: small frames through a veth pair in a namespace of its own, at 500,000 a
# second and as fast as this machine sends. Sent = seen + dropped, always.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! unshare -rn ip link add dev left type veth peer name right 2>/dev/null; then
    echo "skipped: no network namespaces here (unshare, iproute2)"
    exit 0
fi
[ -n "${SKIP_BUILD:-}" ] || cargo build --release --locked --quiet -p sereno-edge
cargo build --release --locked --quiet -p dataplane --example flood
count=${1:-5000000}
run() {
    unshare -rn bash -c '
        set -e
        ip link add dev left address 02:00:00:00:00:0a type veth peer name right address 02:00:00:00:00:0b
        ip addr add 10.9.0.1/24 dev left
        ip link set left up; ip link set right up
        ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:0b dev left nud permanent
        SERENO_LOG=warn ./target/release/sereno-edge probe --interface right --filter "udp dst port 9999" --ring 256 --count >"$1" &
        probe=$!
        sleep 1
        ./target/release/examples/flood 10.9.0.2:9999 "$2" ${3:-}
        sleep 0.5
        kill -TERM $probe
        wait $probe
    ' bash "$1" "$2" "${3:-}"
}
mkdir -p target/bench
for rate in 500000 ""; do
    sent=$(run target/bench/live.json "$count" "$rate")
    python3 - "$sent" target/bench/live.json "${rate:-as fast as possible}" <<'P'
import json, sys
sent, seen = json.loads(sys.argv[1]), json.load(open(sys.argv[2]))["capture"]
whole = sent["sent"] == seen["seen"] + seen["dropped"]
print(f"asked {sys.argv[3]}: sent {sent['sent']} at {sent['per_second']}/s, seen {seen['seen']} "
      f"({seen['seen'] / sent['seconds']:.0f}/s), dropped {seen['dropped']}, "
      f"interface dropped {seen['interface_dropped']}: {'counted exactly' if whole else 'NOT COUNTED EXACTLY'}")
sys.exit(0 if whole else 1)
P
done
