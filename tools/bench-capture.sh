#!/usr/bin/env bash
# Builds the capture that the benchmark scores: about 2 million packets / 400 MB, always the same bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-target/bench/bench.pcap}
mkdir -p "$(dirname "$out")"
if [ ! -d "$SERENO_TEST_DATA/detection" ]; then
    echo "skipped: the captures of SERENO_TEST_DATA/detection are not here" >&2
    exit 0
fi
cargo run --release --locked --quiet -p protocols --example bench_capture -- "$out"
