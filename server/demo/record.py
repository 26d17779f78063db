#!/usr/bin/env python3
"""Records the profiles of `jfrkit serve --demo` again: the programs in programs/, each at several loads.

usage: record.py [--work DIR] [--only shop,billing,recommender,gateway,storefront]

Recordings of Java are made by the JDK; profiles of the other languages are what Datadog's clients upload. The profiles name paths, so the
programs run in a directory that says nothing about the checkout (default /srv/demo). Needs zstd, JDKs 17 and 25 (JAVA17, JAVA25), Go, Node.js
and a Python with venv (PYTHON); downloads the clients. Takes about three minutes, on a machine with nothing else to do.
"""
import argparse
import email
import http.server
import json
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
SECONDS = 20
# What a service does a second in each of its recordings; Billing: the share of its time that it is busy.
LOADS = {
    "shop-1.2.0": [4000, 8000], "shop-1.3.0": [4000, 7000, 10000], "billing": [0.1, 0.25],
    "recommender": [3, 6, 10, 14], "gateway": [500, 1000, 1800, 2600], "storefront": [300, 600, 1000, 1500],
}
# No processes and variables of this machine, and few enough events for a small file.
EVENTS = [
    "jdk.ExecutionSample#period=20ms", "jdk.ObjectAllocationSample#throttle=40/s", "jdk.JavaMonitorEnter#threshold=1ms", "jdk.ThreadPark#threshold=50ms",
    "jdk.SystemProcess#enabled=false", "jdk.NativeLibrary#enabled=false", "jdk.InitialEnvironmentVariable#enabled=false", "jdk.FileWrite#threshold=1ms",
    "jdk.ModuleExport#enabled=false", "jdk.ModuleRequire#enabled=false", "jdk.BooleanFlagChanged#enabled=false",
]
GO_START = """	if err := profiler.Start(profiler.WithService("gateway"), profiler.WithAgentAddr(os.Getenv("AGENT")), profiler.WithPeriod(20*time.Second),
		profiler.CPUDuration(20*time.Second), profiler.WithProfileTypes(profiler.CPUProfile, profiler.HeapProfile, profiler.MutexProfile,
			profiler.BlockProfile, profiler.GoroutineProfile)); err != nil {
		panic(err)
	}"""


class Intake(http.server.BaseHTTPRequestHandler):
    """Keeps the parts of each upload, by service."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = b""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/profiling/"):
            message = email.message_from_bytes(b"Content-Type: " + self.headers["Content-Type"].encode() + b"\r\n\r\n" + body)
            parts = {part.get_filename() or part.get_param("name", header="content-disposition"): part.get_payload(decode=True) for part in message.get_payload()}
            parts["event"] = parts.pop("event.json", parts.get("event"))
            self.server.uploads.setdefault(re.search(r"service:([\w-]+)", json.loads(parts["event"])["tags_profiler"])[1], []).append(parts)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_PUT = do_GET = do_POST

    def log_message(self, *_):
        pass


def run(*command, **more):
    subprocess.run([str(word) for word in command], check=True, **more)


def unpack(content):
    tool = {b"\x1f\x8b": "gzip", b"\x28\xb5": "zstd"}.get(content[:2])
    return subprocess.run([tool, "-dcq"], input=content, check=True, stdout=subprocess.PIPE).stdout if tool else content


def pack(content, target):
    """Compresses a file, or what a client has compressed already, as small as possible."""
    target.write_bytes(subprocess.run(["zstd", "-q", "--ultra", "-22", "-c"], input=unpack(content), check=True, stdout=subprocess.PIPE).stdout)
    print(f"{target.stat().st_size:8,} {target.name}", flush=True)


def java(work, home, name, program, load, number):
    classes = work / f"classes-{name}"
    run(f"{home}/bin/javac", "-d", classes, HERE / f"programs/{program}.java")
    options = ",".join(["settings=default", f"filename={work}/{name}.jfr", "delay=2s", f"duration={SECONDS}s", *EVENTS])
    arguments = [SECONDS + 4, load, *([name.removeprefix("shop-")] if program == "Shop" else [])]
    run(f"{home}/bin/java", "-Xmx256m", f"-XX:StartFlightRecording={options}", "-cp", classes, program, *arguments, cwd=work, env={"PATH": "/usr/bin"}, stdout=subprocess.DEVNULL)
    pack((work / f"{name}.jfr").read_bytes(), HERE / f"fleet/{name}-{number}.jfr.zst")


def client(work, server, name, command, number, env, keep):
    """Runs a program with a client and keeps its second upload: the first one contains the start of the program."""
    agent = f"127.0.0.1:{server.server_port}"
    env = {
        "PATH": os.environ["PATH"], "HOME": str(work), "AGENT": agent, "DD_TRACE_AGENT_URL": f"http://{agent}", "DD_SERVICE": name, "DD_PROFILING_ENABLED": "true",
        "DD_TRACE_ENABLED": "false", "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false", "DD_REMOTE_CONFIGURATION_ENABLED": "false", **env,
    }
    server.uploads.pop(name, None)
    run(*command, cwd=work, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    parts = server.uploads[name][1]
    (work / f"{name}-{number}.json").write_bytes(parts["event"])
    for part in keep:
        if part.endswith(".json"):
            (HERE / f"fleet/{name}-{number}.{part}").write_bytes(unpack(parts[part]))
        else:
            pack(parts[part], HERE / f"fleet/{name}-{number}.{part}.zst")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, default=Path("/srv/demo"))
    parser.add_argument("--only", default="shop,billing,recommender,gateway,storefront")
    args = parser.parse_args()
    work = args.work
    work.mkdir(parents=True, exist_ok=True)
    (HERE / "fleet").mkdir(exist_ok=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Intake)
    server.uploads = {}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    seconds = 2 * SECONDS + 12

    def shop():
        for name in ("shop-1.2.0", "shop-1.3.0"):
            for number, load in enumerate(LOADS[name], 1):
                java(work, os.environ.get("JAVA25", "/usr/lib/jvm/temurin-25-jdk-amd64"), name, "Shop", load, number)

    def billing():
        for number, load in enumerate(LOADS["billing"], 1):
            java(work, os.environ.get("JAVA17", "/usr/lib/jvm/java-17-openjdk-amd64"), "billing", "Billing", load, number)

    def recommender():
        python = work / "python/bin/python"
        if not python.exists():
            run(os.environ.get("PYTHON", "/usr/bin/python3"), "-m", "venv", work / "python")
            run(python, "-m", "pip", "install", "--quiet", "ddtrace")
        shutil.copy(HERE / "programs/recommender.py", work)
        for number, load in enumerate(LOADS["recommender"], 1):
            env = {"PATH": f"{work}/python/bin:{os.environ['PATH']}", "DD_PROFILING_UPLOAD_INTERVAL": str(SECONDS)}
            client(work, server, "recommender", [work / "python/bin/ddtrace-run", python, "recommender.py", seconds, load], number, env, ["profile.pprof"])

    def gateway():
        module = "github.com/DataDog/dd-trace-go/v2/profiler"
        directory = work / "gateway"
        directory.mkdir(exist_ok=True)
        source = (HERE / "programs/gateway.go.in").read_text()
        (directory / "main.go").write_text(source.replace("@IMPORT@", f'\n\t"{module}"').replace("@START@", GO_START).replace("@STOP@", "\tprofiler.Stop()"))
        env = {**os.environ, "GOFLAGS": "-mod=mod -trimpath"}
        if not (directory / "go.mod").exists():
            run("go", "mod", "init", "example.com/gateway", cwd=directory, env=env)
            run("go", "get", module, cwd=directory, env=env)
        run("go", "build", "-o", "gateway", ".", cwd=directory, env=env)
        for number, load in enumerate(LOADS["gateway"], 1):
            client(work, server, "gateway", [directory / "gateway", seconds, load], number, {}, ["cpu.pprof", "delta-heap.pprof", "metrics.json"])

    def storefront():
        directory = work / "storefront"
        directory.mkdir(exist_ok=True)
        if not (directory / "node_modules").exists():
            (directory / "package.json").write_text('{"private": true}\n')
            run("npm", "install", "--no-audit", "--no-fund", "--silent", "dd-trace", cwd=directory)
        shutil.copy(HERE / "programs/storefront.js", directory)
        for number, load in enumerate(LOADS["storefront"], 1):
            env = {"DD_TRACE_ENABLED": "true", "DD_PROFILING_UPLOAD_PERIOD": str(SECONDS), "DD_INTERNAL_PROFILING_LONG_LIVED_THRESHOLD": "0"}
            command = ["node", "-r", f"{directory}/node_modules/dd-trace/init", directory / "storefront.js", seconds, load]
            client(work, server, "storefront", command, number, env, ["wall.pprof", "space.pprof"])

    wanted = args.only.split(",")
    threads = [threading.Thread(target=service) for service in (shop, billing, recommender, gateway, storefront) if service.__name__ in wanted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
