#!/usr/bin/env bash
# A whole collection read over TAXII, ours and medallion's, by the same client one after the other on this machine.
#   PYTHON=… tools/peers/medallion.sh [OBJECTS]     PYTHON: an interpreter with medallion and taxii2-client
#   SERENO: the program, built for release [default: target/release/sereno]
set -euo pipefail
cd "$(dirname "$0")/../.."
python=${PYTHON:-python3}
program=${SERENO:-target/release/sereno}
if ! "$python" -c 'import medallion, taxii2client' 2>/dev/null; then
    echo "skipped: $python has no medallion and taxii2-client (PYTHON names another)"
    exit 0
fi
"$python" - "$(realpath "$program")" "${1:-5000}" "$python" <<'PY'
import json, os, shutil, socket, subprocess, sys, tempfile, time, urllib.error, urllib.request
from importlib.metadata import version
from taxii2client.v21 import Collection, as_pages
program, count, python = sys.argv[1], int(sys.argv[2]), sys.argv[3]
tick, pages = os.sysconf("SC_CLK_TCK"), 1000
folder = tempfile.mkdtemp()
date = "2026-01-01T00:00:00.000Z"
objects = [{"type": "indicator", "spec_version": "2.1", "id": f"indicator--{n:08x}-0000-4000-8000-000000000001",
    "created": date, "modified": date, "valid_from": date, "pattern_type": "stix", "name": f"Indicator {n}",
    "pattern": f"[ipv4-addr:value = '198.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}']"} for n in range(count)]

def port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]

def start(arguments, url, **more):
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    deadline = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(url, timeout=2)
            return process
        except urllib.error.HTTPError:
            return process
        except OSError:
            assert time.monotonic() < deadline and process.poll() is None, f"{arguments[0]} does not start"
            time.sleep(0.05)

def cpu(process):
    fields = open(f"/proc/{process.pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / tick

# Whole collections are read until the server has used half a CPU second, so that clock ticks do not matter.
def read(name, process, collection):
    before, own, start, passes = cpu(process), time.process_time(), time.monotonic(), 0
    while passes == 0 or (cpu(process) - before < 0.5 and passes < 500):
        seen = {o["id"] for page in as_pages(collection.get_objects, per_request=pages) for o in page.get("objects", [])}
        assert len(seen) == count, f"{name}: {len(seen)} of {count} objects"
        passes += 1
    used, wall = cpu(process) - before, time.monotonic() - start
    own = time.process_time() - own
    rate = passes * count / max(used, 1 / tick)
    print(f"{name}: {count} objects, read whole {passes} times with {used:.2f} CPU s of the server: {rate:,.0f} objects a "
          f"CPU second ({wall:.1f} s in all, of which the client {own:.1f} CPU s)", flush=True)
    return rate

try:
    at = port()
    url = f"http://127.0.0.1:{at}"
    data = os.path.join(folder, "node")
    node = start([program, "up", "--data", data, "--listen", f"127.0.0.1:{at}"], f"{url}/readyz")
    sereno = lambda *a: json.loads(subprocess.check_output([program, *a, "--json", "--data", data]))
    made = sereno("taxii", "collection", "new", "--title", "bench", "--alias", "bench")
    token = sereno("token", "new", "--role", "taxii", "--collection", "bench:read,write")["token"]
    ours = Collection(f"{url}/taxii2/sereno/collections/{made['id']}/", user="token", password=token)
    for begin in range(0, count, 1000):
        ours.add_objects({"objects": objects[begin:begin + 1000]})
    ours = read("sereno", node, ours)
    node.terminate(), node.wait()

    at = port()
    url = f"http://127.0.0.1:{at}"
    id, media = "91a7b528-80eb-42ed-a74d-c6fbd5a26116", "application/stix+json;version=2.1"
    # Dates that differ: with tied ones medallion loses most of the collection.
    manifest = [{"id": o["id"], "version": date, "media_type": media,
        "date_added": f"2026-01-01T{n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}.{n // 86400:06}Z"}
        for n, o in enumerate(objects)]
    content = {"/discovery": {"title": "m", "default": f"{url}/main/", "api_roots": [f"{url}/main/"]},
        "main": {"information": {"title": "m", "versions": ["application/taxii+json;version=2.1"],
            "max_content_length": 9_765_625}, "status": [], "collections": [{"id": id, "title": "full",
            "can_read": True, "can_write": True, "media_types": [media], "objects": objects, "manifest": manifest}]}}
    json.dump(content, open(f"{folder}/data.json", "w"))
    json.dump({"backend": {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend",
        "filename": f"{folder}/data.json"}, "users": {"admin": "word"}, "taxii": {"max_page_size": pages}},
        open(f"{folder}/config.json", "w"))
    peer = start([python, "-m", "medallion.scripts.run", "--port", str(at), f"{folder}/config.json"], f"{url}/taxii2/")
    theirs = Collection(f"{url}/main/collections/{id}/", user="admin", password="word")
    theirs = read(f"medallion {version('medallion')}", peer, theirs)
    peer.terminate(), peer.wait()
    print(f"ratio sereno / medallion: {ours / theirs:.0f}")
finally:
    for process in ("node", "peer"):
        if process in globals() and globals()[process].poll() is None:
            globals()[process].kill()
    shutil.rmtree(folder, ignore_errors=True)
PY
