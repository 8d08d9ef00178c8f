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
    cargo nextest run --locked --workspace --no-fail-fast --success-output final 2>&1 | tee "$log"
else
    cargo test --locked --workspace --no-fail-fast -- --nocapture 2>&1 | tee "$log"
fi
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
tests=$(grep -oE '[0-9]+ passed' "$log" | awk '{n += $1} END {print n + 0}')
echo "$tests passed, 0 failed, $skipped skipped"
