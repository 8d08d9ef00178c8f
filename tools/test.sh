#!/usr/bin/env bash
# All tests: the rules of the house, every crate, the real programs, the console in a real browser.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '\n== %s\n' "$*"; }

[ -d "$SERENO_TEST_DATA" ] || echo "note: $SERENO_TEST_DATA is absent; tests that need it will say 'skipped'"

say "rules, crates, programs"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if command -v cargo-nextest >/dev/null; then
    run=(cargo nextest run --locked --workspace --no-fail-fast --success-output final)
else
    run=(cargo test --locked --workspace --no-fail-fast -- --nocapture)
fi
# What passes says little here; the log is shown whole when something fails.
"${run[@]}" 2>&1 | tee "$log" |
    grep --line-buffered -E '^ +(Compiling|PASS|FAIL|SIG|Summary|skipped:)|^(test result|error|warning)|tests run:' ||
    { cat "$log"; exit 1; }
say "console"
(cd web && npm run --silent check && npm test --silent && npm run --silent size)
say "console in Chromium: acts of a person"
(cd web && npm run --silent acts)
say "console in Chromium, beside two real nodes"
bash tools/browser-test.sh
say "result"
skipped=$(grep -c '^ *skipped:' "$log" || true)
echo "tests that skipped something: $skipped"
grep '^ *skipped:' "$log" | sort | uniq -c || true
tests=$(sed -nE 's/.* ([0-9]+) tests run: .*/\1/p' "$log" | tail -n 1)
[ -n "$tests" ] || tests=$(sed -nE 's/^test result: ok\. ([0-9]+) passed.*/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
echo "$tests passed, 0 failed, $skipped skipped"
