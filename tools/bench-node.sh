#!/usr/bin/env bash
# How fast a node is ready on an existing folder, how much memory the demonstration takes, and how
# long it takes from detection to the CERT.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 - <<'P'
import json, os, re, shutil, socket, statistics, subprocess, tempfile, time, urllib.request

BIN = "target/release/sereno"

def port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]

def ready(url):
    try:
        return urllib.request.urlopen(url + "/readyz", timeout=1).status == 200
    except OSError:
        return False

def resident(pid):
    text = open(f"/proc/{pid}/status").read()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) / 1024

folder = tempfile.mkdtemp()
times = []
for round in range(12):
    p = port()
    begin = time.monotonic()
    node = subprocess.Popen([BIN, "up", "--data", folder + "/node", "--listen", f"127.0.0.1:{p}"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not ready(f"http://127.0.0.1:{p}"):
        time.sleep(0.002)
    if round:  # the first start makes keys and tables
        times.append((time.monotonic() - begin) * 1000)
    node.terminate()
    node.wait()
print(f"ready on an existing folder: median {statistics.median(times):.0f} ms, slowest {max(times):.0f} ms of {len(times)}")

delays, memory, edge = [], [], []
for round in range(5):
    data = f"{folder}/demo{round}"
    demo = subprocess.Popen([BIN, "demo", "--headless", "--json", "--listen", "127.0.0.1:0", "--data", data],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    peak, peak_edge = 0, 0
    while demo.poll() is None:
        nodes, edges = 0, 0
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                words = open(f"/proc/{pid}/cmdline").read().split("\0")
                if data in " ".join(words) and len(words) > 1:
                    if words[1] == "up":
                        nodes += resident(pid)
                    elif "sereno-edge" in words[0]:
                        edges = max(edges, resident(pid))
            except (OSError, AttributeError):
                pass
        peak, peak_edge = max(peak, nodes), max(peak_edge, edges)
        time.sleep(0.05)
    report = json.load(demo.stdout)
    memory.append(peak)
    edge.append(peak_edge)
    out = subprocess.run([BIN, "incidents", "--json", "--data", data + "/cert"], capture_output=True, text=True)
    received = json.loads(out.stdout)["items"][0]["recorded_at"]
    at = lambda text: time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) + float("0" + text[19:-1])
    delays.append(at(received) - at(report["finding"]["recorded_at"]))
delays.sort()
print(f"both nodes together: {max(memory):.0f} MB resident at most; largest edge process: {max(edge):.0f} MB")
print("detection to the CERT's incident: " + ", ".join(f"{d * 1000:.0f} ms" for d in delays))
shutil.rmtree(folder)
P
