#!/usr/bin/env bash
# Coverage-guided fuzzing of whatever reads bytes from outside, with the stable compiler: the passes
# that count coverage are part of it, libFuzzer comes with the crate libfuzzer-sys. All code fuzzed
# is safe Rust, so no sanitizer is needed to see a fault: it is a panic, a broken law (assertions and
# overflow checks are on), a slow input or too much memory.
#
#   tools/fuzz.sh list               targets, parsers by their names
#   tools/fuzz.sh TARGET [SECONDS]   fuzz one (120 s); prints executions, coverage, features
#   tools/fuzz.sh keep TARGET        minimise what was found into fuzz/corpus, which `make test` replays
#   tools/fuzz.sh all [SECONDS]      each in turn, a line each
set -euo pipefail
cd "$(dirname "$0")/../fuzz"

parsers="dns mdns dhcp ssdp ntp http tls ssh telnet mqtt coap modbus iec104 s7comm dnp3 enip bacnet
  opcua mms goose"
others="hello machines segments fragments flow netflow packet capture unpack stix_bundle
  feeds_text feeds_json feeds_pack feeds_turtle misp stix_pattern cacao lists
  mud openc2 checkpoint"
host=$(rustc -vV | sed -n 's/^host: //p')
work=${FUZZ_WORK:-work}
# Longest input; most memory in MiB; seconds after which an input is too slow.
limits=(-max_len="${FUZZ_MAX_LEN:-4096}" -rss_limit_mb=512 -timeout=10 -detect_leaks=0)
max_kept_bytes=2048

build() {
    # The flags of cargo-fuzz without its sanitizer.
    local flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
    flags+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters"
    flags+=" -Cllvm-args=-sanitizer-coverage-pc-table"
    flags+=" -Cllvm-args=-sanitizer-coverage-trace-compares"
    flags+=" -Cllvm-args=-simplifycfg-branch-fold-threshold=0 --cfg fuzzing"
    RUSTFLAGS="$flags" cargo build --quiet --release --locked --target "$host" --bin "$1"
}

# Sets `program`, `corpus` and, for a parser, the variable that names it.
choose() {
    local target=$1 name=$1
    corpus=corpus/$target
    case " $(echo $parsers) " in
        *" $target "*) name=app corpus=corpus/parsers/$target; export SERENO_FUZZ_PARSER=$target ;;
        *) unset SERENO_FUZZ_PARSER ;;
    esac
    case " $(echo $others) app " in
        *" $name "*) ;;
        *) echo "$target is no target; there are: $(echo $parsers $others)" >&2; exit 2 ;;
    esac
    build "$name"
    program=target/$host/release/$name
    mkdir -p "$work/$target" "$work/crashes" "$corpus"
}

run() {
    local target=$1 seconds=${2:-120} log
    choose "$target"
    log=$work/$target.log
    if ! "$program" "$work/$target" "$corpus" "${limits[@]}" -max_total_time="$seconds" \
        -artifact_prefix="$work/crashes/$target-" -print_final_stats=1 >"$log" 2>&1; then
        grep -aE 'panicked|SUMMARY|Test unit written|ERROR' "$log" | head -20 >&2
        tail -n 5 "$log" >&2
        echo "$target: FAILED, see fuzz/$log" >&2
        return 1
    fi
    awk -v target="$target" -v seconds="$seconds" '
        / cov: / { for (i = 1; i < NF; i++) { if ($i == "cov:") cov = $(i+1); if ($i == "ft:") ft = $(i+1) } }
        /number_of_executed_units/ { runs = $2 }
        /peak_rss_mb/ { rss = $2 }
        END { printf "%s: %d s, %d executions, coverage %d, features %d, %d MiB\n", target, seconds, runs, cov, ft, rss }
    ' "$log"
}

keep() {
    local target=$1 kept
    choose "$target"
    kept=$(mktemp -d)
    # By branches reached, not by how often: few small inputs.
    "$program" -set_cover_merge=1 -use_counters=0 -max_len=$max_kept_bytes "${limits[@]:1}" "$kept" "$corpus" "$work/$target" \
        >"$work/$target.merge.log" 2>&1
    # Seeds that have a name stay as they are.
    find "$corpus" -type f -regextype posix-extended -regex '.*/[0-9a-f]{12}' -delete
    find "$kept" -type f | while read -r file; do
        cp "$file" "$corpus/$(basename "$file" | cut -c1-12)"
    done
    rm -r "$kept"
    echo "$target: $(find "$corpus" -type f | wc -l) inputs, $(du -sb "$corpus" | cut -f1) bytes"
}

case ${1:-} in
    list) echo $parsers $others ;;
    keep) keep "${2:?which target}" ;;
    all) for target in $parsers $others; do run "$target" "${2:-120}"; done ;;
    "") sed -n '2,/^set/p' "../tools/fuzz.sh" | grep '^#'; exit 2 ;;
    *) run "$1" "${2:-120}" ;;
esac
