#!/usr/bin/env bash
# Long runs: kills of nodes, tshark agreement over every capture, fuzzing of every parser. Results:
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

echo "== 50 kills while intelligence arrives"
if SERENO_KILLS=50 cargo test --locked -p sereno --test it survives_kills -- --nocapture; then
    echo "- 50 times \`kill -9\` while two clients send STIX over TAXII: every acknowledged object is there, once." >>"$out"
else
    echo "- 50 kills while intelligence arrives: FAILED." >>"$out"
    exit 1
fi

echo "== the loop closes by hand"
log=$(mktemp)
if cargo test --locked -p sereno --test it with_the_level_ask -- --ignored --nocapture 2>&1 | tee "$log"; then
    sed -nE 's/^(figure: |(skipped: ))(.*)/- The loop by hand: \2\3./p' "$log" >>"$out"
else
    echo "- The loop by hand: FAILED." >>"$out"
    exit 1
fi

echo "== 20 kills of a checkpoint agent"
if SERENO_KILLS=20 SERENO_KILL_SEED=$seed cargo test --locked -p sereno-edge --test it checkpoints_survive_kills -- --nocapture; then
    echo "- 20 times \`kill -9\` of a checkpoint agent while it writes (seed $seed): only what was unfinished was lost." >>"$out"
else
    echo "- 20 kills of a checkpoint agent (seed $seed): FAILED." >>"$out"
    exit 1
fi

echo "== 200 kills while playbooks act"
log=$(mktemp)
if SERENO_PLAYBOOK_KILLS=200 SERENO_KILL_SEED=$seed cargo test --locked -p sereno --test it playbooks_survive_kills -- --nocapture 2>&1 | tee "$log"; then
    sed -nE 's/^figure: (.*)/- Playbooks: \1./p' "$log" >>"$out"
else
    echo "- 200 kills while playbooks act (seed $seed): FAILED." >>"$out"
    exit 1
fi

echo "== partitions of three nodes in networks of their own"
log=$(mktemp)
if SERENO_SEED=$seed cargo test --locked -p sereno --test it many_partitions_heal -- --ignored --nocapture 2>&1 | tee "$log"; then
    sed -nE 's/^(figure: |(skipped: ))(.*)/- Partitions: \2\3./p' "$log" >>"$out"
else
    echo "- Partitions (seed $seed): FAILED." >>"$out"
    exit 1
fi

echo "== what is hidden is refused as fast as what is not there"
if cargo test --locked -p sereno --test it refused_as_fast -- --ignored --nocapture 2>&1 | tee "$log"; then
    sed -nE 's/^figure: (hidden and absent.*)/- Times: \1./p' "$log" >>"$out"
else
    echo "- Times of hidden and absent: FAILED." >>"$out"
    exit 1
fi

echo "== tshark agreement"
if command -v tshark >/dev/null; then
    cargo test --locked --workspace --test it agreement -- --ignored --nocapture
    cargo test --locked -p protocols --test it agree -- --include-ignored --nocapture
    echo "- Every capture of the test data agrees with tshark frame by frame, and so do the messages of" >>"$out"
    echo "  all protocols but where [agreement.md](agreement.md) says why." >>"$out"
else
    echo "- tshark agreement: skipped, tshark is not installed." >>"$out"
fi

echo "== STIX beside the validator of OASIS"
if said=$(SERENO_STIX_MUTANTS=20000 cargo test --locked -p sereno --test it valid_is_what_the_validator -- --nocapture 2>&1); then
    if grep -q '^skipped:' <<<"$said"; then
        grep '^skipped:' <<<"$said" | sed 's/^/- STIX beside the validator of OASIS: /' >>"$out"
    else
        echo "- 20,000 mutants of valid STIX objects: judged as stix2-validator does but for what docs/stix-validation.md explains." >>"$out"
    fi
else
    echo "$said"
    echo "- STIX beside the validator of OASIS: FAILED." >>"$out"
    exit 1
fi

echo "== fuzzing"
{
    echo
    echo "## Fuzzing"
    echo
    echo "Coverage-guided (libFuzzer), $seconds s each on one core, by \`tools/fuzz.sh\` with the stable compiler;"
    echo "overflow checks and assertions on, at most 512 MiB, 10 s an input. Without a crash:"
    echo
} >>"$out"
for target in $(tools/fuzz.sh list); do
    line=$(tools/fuzz.sh "$target" "$seconds") || { echo "- $target: FAILED." >>"$out"; exit 1; }
    echo "- $line" | tee -a "$out"
done
cat "$out"
