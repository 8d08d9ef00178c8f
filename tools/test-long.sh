#!/usr/bin/env bash
# Long runs: 50 kills, fuzzing from scratch, tshark agreement over every capture. Results:
# docs/measurements/long-runs.md
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p docs/measurements
out=docs/measurements/long-runs.md
seconds=${FUZZ_SECONDS:-120}
{
    echo "# Long runs"
    echo
    echo "Machine: $(awk -F': ' '/model name/ {print $2; exit}' /proc/cpuinfo), $(nproc) cores, Linux $(uname -r)."
    echo "Command: \`make test-long\`, $(date -u +%Y-%m-%d)."
    echo
} >"$out"

echo "== 50 kills"
seed=${SERENO_KILL_SEED:-$(date +%s)}
if SERENO_KILLS=50 SERENO_KILL_SEED=$seed cargo test --locked --workspace --test it the_loop_finishes -- --nocapture; then
    echo "- 50 times \`kill -9\` of either node at random moments (seed $seed): every loop finished, nothing twice." >>"$out"
else
    echo "- 50 kills (seed $seed): FAILED." >>"$out"
    exit 1
fi

echo "== tshark agreement"
if command -v tshark >/dev/null; then
    cargo test --locked --workspace --test it agreement -- --ignored --nocapture
    echo "- Every capture of the test data agrees with tshark frame by frame." >>"$out"
else
    echo "- tshark agreement: skipped, tshark is not installed." >>"$out"
fi

echo "== fuzzing"
if cargo fuzz --version >/dev/null 2>&1; then
    for target in capture packet stix_bundle; do
        (cd fuzz && cargo fuzz run "$target" -- -max_total_time="$seconds")
        echo "- fuzz target \`$target\`: $seconds s without a crash." >>"$out"
    done
else
    echo "- fuzzing: skipped, cargo-fuzz is not installed (it needs a nightly toolchain)." >>"$out"
fi
cat "$out"
