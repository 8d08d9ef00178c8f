#!/usr/bin/env bash
# Live capture under load: small frames through a veth pair in a namespace of its own, at 500,000 a
# second, as fast as this machine sends, and from a million fake devices. Exact or it fails:
# accepted = sent + dropped by the sending interface, and sent = seen + dropped by the capture.
# First argument: frames a run (5,000,000). THREADS: sending threads (2). RING: MiB (64). On a busy machine the sender does not
# keep up with the rate; the line then says so.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! unshare -rn ip link add dev left type veth peer name right 2>/dev/null; then
    echo "skipped: no network namespaces here (unshare, iproute2)"
    exit 0
fi
[ -n "${SKIP_BUILD:-}" ] || cargo build --release --locked --quiet -p sereno-edge
[ -n "${SKIP_BUILD:-}" ] || cargo build --release --locked --quiet -p dataplane --example flood
count=${1:-5000000}
run() {
    unshare -rn bash -c '
        set -e
        ip link add dev left address 02:00:00:00:00:0a type veth peer name right address 02:00:00:00:00:0b
        # Nobody else may send on the pair.
        for end in left right; do echo 1 >/proc/sys/net/ipv6/conf/$end/disable_ipv6; done
        ip link set left up; ip link set right up
        SERENO_LOG=warn ./target/release/sereno-edge probe --interface right --filter "udp dst port 9999" \
            --ring "${RING:-64}" --count >"$1" &
        probe=$!
        sleep 1
        ./target/release/examples/flood left "$2" "$3" "$4" "${THREADS:-2}"
        sleep 0.5
        ticks=$(awk "{print \$14 + \$15}" /proc/$probe/stat)
        memory=$(awk "/VmHWM/ {print int(\$2 / 1024)}" /proc/$probe/status)
        echo "$ticks $memory"
        kill -TERM $probe
        wait $probe
    ' bash "$@"
}
mkdir -p target/bench
for turn in "500000 1" "max 1" "max 1000000"; do
    read -r rate senders <<<"$turn"
    said=$(run target/bench/live.json "$count" "$rate" "$senders")
    python3 - "$said" target/bench/live.json "$rate" "$senders" <<'P'
import json, os, sys
flood, costs = sys.argv[1].split("\n")
sent, told = json.loads(flood), json.load(open(sys.argv[2]))
seen, watch = told["capture"], told["watch"]
ticks, memory = costs.split()
exact = (sent["accepted"] == sent["sent"] + sent["dropped"]
         and sent["sent"] == seen["seen"] + seen["dropped"] == seen["passed"]
         and watch["frames"] == seen["seen"])
late = sys.argv[3] != "max" and sent["per_second"] < 0.99 * float(sys.argv[3])
print(f"asked {sys.argv[3]}/s from {sys.argv[4]}: sent {sent['sent']} at {sent['per_second']}/s "
      f"{'(the sender did not keep up) ' if late else ''}(sender dropped {sent['dropped']}), seen {seen['seen']} ({seen['seen'] / sent['seconds']:.0f}/s), "
      f"dropped {seen['dropped']}, interface dropped {seen['interface_dropped']}; probe "
      f"{int(ticks) / os.sysconf('SC_CLK_TCK'):.2f} CPU s, {memory} MiB at most (ring included); "
      f"packets of devices refused {watch.get('devices_refused', 0)}: "
      f"{'counted exactly' if exact else 'NOT COUNTED EXACTLY'}")
sys.exit(0 if exact else 1)
P
done
