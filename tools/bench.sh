#!/usr/bin/env bash
# Inner loops (divan), then whole processes beside their peers, as ratios in one run.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '\n== %s\n' "$*"; }
machine() { awk -F': ' '/model name/ {print $2; exit}' /proc/cpuinfo; }
# CPU seconds (user + system) and peak resident KiB of a command.
cpu() {
    python3 - "$@" <<'P'
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{used.ru_utime + used.ru_stime:.3f} {used.ru_maxrss} {done.returncode}")
P
}

say "machine: $(machine), $(nproc) cores, $(uname -r)"
say "inner loops"
cargo bench --locked -p protocols -p analytics 2>/dev/null | grep -v '^$' || true

say "intelligence: STIX, patterns, an index of a million, ATT&CK into the store, feeds"
cargo bench --locked -p stix -p misp -p intel -p feeds -p feedhub -p communities 2>/dev/null | grep -v '^$' || true

say "playbooks: durable steps, waiting runs, trigger to command"
cargo bench --locked -p playbooks 2>/dev/null | grep '^figure' || true

say "sereno detect score beside softflowd"
[ -n "${SKIP_BUILD:-}" ] || cargo build --release --locked -p sereno -p sereno-edge
bash tools/bench-capture.sh target/bench/bench.pcap
capture=target/bench/bench.pcap
if [ -f "$capture" ]; then
    model=target/bench/model
    ./target/release/sereno detect train --pcap data/captures/hakai-train.pcap.gz --out "$model" >/dev/null
    best_ours=999; best_peer=999
    for round in 1 2 3 4 5; do
        read -r ours kib _ < <(cpu ./target/release/sereno detect score --model "$model" --pcap "$capture" --out target/bench/out.jsonl)
        read -r peer _ _ < <(cpu softflowd -r "$capture" -n 127.0.0.1:9 -d -p target/bench/flow.pid)
        read -r wc _ _ < <(cpu cat "$capture")
        echo "round $round: sereno $ours CPU s ($((kib / 1024)) MiB), softflowd $peer CPU s, cat $wc CPU s"
        best_ours=$(awk -v a="$ours" -v b="$best_ours" 'BEGIN {print (a < b) ? a : b}')
        best_peer=$(awk -v a="$peer" -v b="$best_peer" 'BEGIN {print (a < b) ? a : b}')
    done
    awk -v a="$best_ours" -v b="$best_peer" 'BEGIN {printf "ratio sereno / softflowd: %.2f (best of five each)\n", a / b}'
fi

say "whole pass: decode, windows, conversations, all parsers, beside nDPI, argus and softflowd"
if [ -f "$capture" ]; then
    [ -n "${SKIP_BUILD:-}" ] || cargo build --release --locked -p analytics --example pass
    pass=target/release/examples/pass
    for stage in read decode windows flow all; do
        printf '%-8s ' "$stage"
        "$pass" "$capture" "$stage" | awk '/^(messages|CPU|memory)/ {printf "%s  ", $0} END {print ""}'
    done
    echo "10,000 devices with seven conversations each:"
    "$pass" --devices 10000 | awk '/^(CPU|memory)/ || / open:/'
    # The same work of each: read the capture, follow every conversation, recognise what it can.
    declare -A command=(
        [sereno]="$pass $capture all"
        [ndpi]="ndpiReader -q -d -i $capture"
        [argus]="argus -F /dev/null -r $capture -w /dev/null"
        [softflowd]="softflowd -r $capture -n 127.0.0.1:9 -d -p target/bench/flow.pid"
    )
    declare -A best=()
    for round in 1 2 3 4 5; do
        line="round $round:"
        for name in sereno ndpi argus softflowd; do
            read -r -a words <<<"${command[$name]}"
            if ! command -v "${words[0]}" >/dev/null; then
                line+=" $name not installed,"
                continue
            fi
            read -r seconds kib _ < <(cpu "${words[@]}")
            line+=" $name $seconds CPU s ($((kib / 1024)) MiB),"
            best[$name]=$(awk -v a="$seconds" -v b="${best[$name]:-999}" 'BEGIN {print (a < b) ? a : b}')
        done
        echo "${line%,}"
    done
    for name in ndpi argus softflowd; do
        [ -n "${best[$name]:-}" ] || continue
        awk -v a="${best[sereno]}" -v b="${best[$name]}" -v n="$name" \
            'BEGIN {printf "ratio sereno / %s: %.2f (best of five each)\n", n, a / b}'
    done
fi

say "node: start-up and memory"
bash tools/bench-node.sh
echo "# TAXII over a large collection (TAXII_OBJECTS, 1,000,000)"
cargo bench --locked -p server --bench taxii 2>/dev/null | grep -v '^$' || true
echo "# A whole collection by the same client, beside medallion (PYTHON: an interpreter with both)"
bash tools/peers/medallion.sh
say "gateway: order to effective block, added latency, verdicts by user space, fail mode"
cargo test --release --locked -p sereno-edge --test it gate -- --nocapture --test-threads 1 2>&1 |
    grep -E '^(figure|skipped)' || true
say "the whole loop: from a finding to its proven block"
cargo test --release --locked -p sereno --test it closing::a_finding -- --nocapture 2>&1 |
    grep -E '^(figure|skipped)' || true
say "sizes"
ls -l target/release/sereno target/release/sereno-edge | awk '{printf "%s %.1f MB\n", $9, $5 / 1e6}'
(cd web && npm run --silent size) || true
