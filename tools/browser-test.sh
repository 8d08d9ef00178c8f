#!/usr/bin/env bash
# Starts the demonstration and walks its pages with headless Chromium and axe-core.
# Screenshots: web/test-results/.  SERENO_BIN names another build of the program.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${SERENO_BIN:-target/debug/sereno}
data=$(mktemp -d)/demo
out=$(mktemp)
"$bin" demo --data "$data" --listen 127.0.0.1:0 --answer-after-s 8 >"$out" 2>&1 &
demo=$!
stop() {
    kill "$demo" 2>/dev/null || true
    wait "$demo" 2>/dev/null || true
    rm -rf "$(dirname "$data")" "$out"
}
trap stop EXIT
for _ in $(seq 300); do
    grep -q 'CERT ' "$out" && break
    kill -0 "$demo" 2>/dev/null || { cat "$out" >&2; exit 1; }
    sleep 0.2
done
operator=$(grep -oE 'Operator +http[^ ]+' "$out" | awk '{print $2}')
cert=$(grep -oE 'CERT +http[^ ]+' "$out" | awk '{print $2}')
export SERENO_URL=${operator%%/#*} SERENO_CERT_URL=${cert%%/#*}
export SERENO_USER="Duty officer" SERENO_PASSWORD=${operator##*:}
export SERENO_CERT_USER="Duty officer" SERENO_CERT_PASSWORD=${cert##*:}
(cd web && node e2e/pages.mjs)
