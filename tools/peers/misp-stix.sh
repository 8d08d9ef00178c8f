#!/usr/bin/env bash
# Attributes per CPU second, ours and those of misp-stix, measured one after the other on this machine.
#   PYTHON=… tools/peers/misp-stix.sh     PYTHON: an interpreter with the package misp-stix
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
program=$(cargo bench -p misp --bench mapping --no-run 2>&1 | sed -n 's/.*(\(.*mapping-[0-9a-f]*\)).*/\1/p')
"$python" - "$program" <<'PY'
import resource, subprocess, sys, time, warnings
def cpu(which, samples):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.argv[1], "--bench", which, "--sample-count", str(samples), "--sample-size", "1"],
                   check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
# Ten samples of 10,000 attributes more, so that start and setup cancel.
ours = {which: 100_000 / (cpu(which, 12) - cpu(which, 2)) for which in ("to", "back")}
print(f"sereno: {ours['to']:.0f} attributes/s to STIX, {ours['back']:.0f} to MISP (CPU, one core)")
from misp_stix_converter import InternalSTIX2toMISPParser, MISPtoSTIX21Parser
from stix2 import parse
warnings.simplefilter("ignore")
count = 1000
def value(n):
    return [("ip-dst", f"198.51.{n >> 8 & 255}.{n & 255}"), ("domain", f"h{n}.example"), ("sha256", f"{n:064x}"),
            ("url", f"https://h{n}.example/a"), ("filename|md5", f"f{n}.exe|{n:032x}")][n % 5]
event = {"Event": {"uuid": "a6ef17d6-91cb-4a05-b10b-2f045daf874c", "info": "bench", "date": "2020-10-25",
    "timestamp": "1603642920", "Orgc": {"uuid": "a0c22599-9e58-4da4-96ac-7051603fa951", "name": "Bench"},
    "Attribute": [{"uuid": f"{n:08x}-0000-4000-8000-000000000001", "type": value(n)[0], "value": value(n)[1],
        "to_ids": True, "category": "Network activity", "timestamp": "1603642920", "comment": "seen",
        "distribution": "5", "Tag": [{"name": "tlp:green"}]} for n in range(count)]}}
for attribute in event["Event"]["Attribute"]:
    if attribute["type"] in ("sha256", "filename|md5"):
        attribute["category"] = "Payload delivery"
start = time.process_time()
there = MISPtoSTIX21Parser()
there.parse_misp_event(event)
bundle = there.bundle
to = time.process_time() - start
start = time.process_time()
back = InternalSTIX2toMISPParser()
back.load_stix_bundle(bundle)
back.parse_stix_bundle()
from_ = time.process_time() - start
read = len(back.misp_event.attributes)
print(f"misp-stix: {count / to:.0f} attributes/s to STIX, {read / from_:.0f} to MISP ({read} of {count} read)")
PY
