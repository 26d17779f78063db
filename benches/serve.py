#!/usr/bin/env python3
"""Measures `jfrkit serve` against its targets, and prints ratios where they are more meaningful than times.

    cargo build --release --bin jfrkit
    benches/serve.py [--jfrkit FILE] [--only uploads,views,...] [--large REC.jfr] [--typical REC.jfr]
    benches/serve.py --only overload --minutes 10
    benches/serve.py --only long --count 10000

`--large` is a recording of about 90 MB, `--typical` one of about 5 MB. A target in milliseconds applies to the fastest of nine runs with two
idle cores; figures called "first" are taken after a restart of the server, so nothing is cached. The page is not measured here.
"""
import argparse
import gzip
import http.client
import json
import math
import os
import random
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUNS = 9


class Server:
    """A server on a free port, in the given directory or a temporary one."""

    def __init__(self, jfrkit, directory=None, *more):
        self.own = tempfile.TemporaryDirectory(prefix="jfrkit-bench-") if directory is None else None
        self.directory = directory or self.own.name
        began = time.perf_counter()
        self.process = subprocess.Popen(
            [jfrkit, "serve", "--dir", f"{self.directory}/data", "--listen", "127.0.0.1:0", "--min-free", "0", *more],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        self.address = self.process.stdout.readline().strip().removeprefix("http://")
        if not self.address:
            sys.exit(f"{jfrkit} serve does not start")
        while self.get("/readyz", fail=False)[0] != 200:
            time.sleep(0.005)
        self.started = time.perf_counter() - began

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        if self.own:
            self.own.cleanup()

    def stop(self):
        self.process.terminate()
        self.process.wait(60)

    def connect(self):
        return http.client.HTTPConnection(self.address, timeout=120)

    def get(self, path, fail=True, **parameters):
        connection = self.connect()
        connection.request("GET", path + ("?" + urllib.parse.urlencode(parameters, doseq=True) if parameters else ""))
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if fail and answer.status >= 400:
            sys.exit(f"{path} {parameters}: {answer.status} {body[:300]}")
        return answer.status, body

    def json(self, path, **parameters):
        return json.loads(self.get(path, **parameters)[1])

    def post(self, content, connection=None, **tags):
        """The id and 200, or None and the status; `cut off` if the server refused the upload without reading the body."""
        own = connection or self.connect()
        try:
            own.request("POST", "/api/v1/recordings?" + urllib.parse.urlencode(tags), body=content)
        except (BrokenPipeError, ConnectionResetError):
            # The response may arrive before the end of the body.
            pass
        try:
            answer = own.getresponse()
            body = answer.read()
        except (ConnectionError, http.client.HTTPException):
            own.close()
            return None, "cut off"
        if connection is None:
            own.close()
        return (json.loads(body)["id"], 200) if answer.status == 200 else (None, answer.status)

    def wait_ready(self, id):
        while True:
            detail = self.json(f"/api/v1/profiles/{id}")
            if detail["status"] == "failed":
                sys.exit(f"{id}: {detail.get('reason')}")
            if detail["status"] == "ready" and detail["analysis"]["status"] != "processing":
                return detail
            time.sleep(0.005)

    def wait_idle(self):
        while self.json("/api/v1/status")["spool"]["uploads"]:
            time.sleep(0.05)

    def cpu(self):
        """Seconds of CPU time used so far."""
        fields = open(f"/proc/{self.process.pid}/stat").read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        """Resident memory in MiB: now, the peak, and the part that is not file-backed."""
        of = {}
        for line in open(f"/proc/{self.process.pid}/status"):
            name, _, value = line.partition(":")
            if name in ("VmRSS", "VmHWM", "RssAnon"):
                of[name] = int(value.split()[0]) / 1024
        return of["VmRSS"], of["VmHWM"], of["RssAnon"]


def say(what, figure, bar, met=None):
    verdict = "" if met is None else "met   " if met else "MISSED"
    print(f"{verdict:<7}{what:<58} {figure:<34} {bar}", flush=True)


def milliseconds(work):
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3


def threads(count, work):
    all = [threading.Thread(target=work, args=(n,)) for n in range(count)]
    for thread in all:
        thread.start()
    for thread in all:
        thread.join()


def run(*command):
    """How many seconds a command takes."""
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def plain_loop(directory, contents):
    """The minimum cost of durability: write, sync the file, rename, sync the directory. In uploads per second."""
    began = time.perf_counter()
    for n, content in enumerate(contents):
        path = f"{directory}/{n}"
        with open(path + ".new", "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        os.rename(path + ".new", path)
        handle = os.open(directory, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
    return len(contents) / (time.perf_counter() - began)


def uploads(args):
    """Files of 1 MB from 8 clients, compared with a plain loop that writes and syncs the same files."""
    # Compressed, like most uploads, but not profiles, so processing them does not slow down the uploads.
    contents = [gzip.compress(random.randbytes(1_000_000), 1) for _ in range(100)]
    ratios = []
    for _ in range(3):
        with Server(args.jfrkit) as server:
            os.mkdir(f"{server.directory}/plain")
            plain = plain_loop(f"{server.directory}/plain", contents)
            todo = list(enumerate(contents))

            def work(_):
                connection = server.connect()
                while todo:
                    try:
                        n, content = todo.pop()
                    except IndexError:
                        break
                    if server.post(content, connection, service="load", tag=f"n:{n}")[1] != 200:
                        sys.exit("an upload was refused")

            began = time.perf_counter()
            threads(8, work)
            rate = len(contents) / (time.perf_counter() - began)
            ratios.append((rate / plain, rate, plain))
    ratio, rate, plain = sorted(ratios)[1]
    say("uploads of 1 MB by 8 clients, to a plain loop with fsync", f"{ratio:.2f} ({rate:.0f}/s to {plain:.0f}/s)", ">= 0.7", ratio >= 0.7)


def first_flame(args, name, recording, flame_bar, findings_bar):
    content = Path(recording).read_bytes()
    with tempfile.TemporaryDirectory() as out:
        convert = min(run(args.jfrkit, "convert", recording, "-o", f"{out}/{n}", "-q") for n in range(3))
    flames, findings = [], []
    detail = None
    for n in range(RUNS):
        with Server(args.jfrkit) as server:
            id, _ = server.post(content, service="bench")
            answered = time.perf_counter()
            while server.get("/api/v1/flame", profile=id, type="cpu")[0] != 200:
                time.sleep(0.005)
            flames.append(time.perf_counter() - answered)
            detail = server.wait_ready(id)
            findings.append(time.perf_counter() - answered)
    size = len(content) / 1e6
    bar = min(flame_bar, 1.5 * convert + 0.5)
    say(f"{name} ({size:.1f} MB): answer to the first flame graph", f"{min(flames):.2f} s (convert {convert:.2f} s)", f"< {bar:.2f} s", min(flames) < bar)
    if findings_bar:
        say(f"{name}: answer to its findings", f"{min(findings):.2f} s", f"< {findings_bar} s", min(findings) < findings_bar)
    return sum(file["bytes"] for file in detail["files"] if file["kind"] == "derived")


def disk(name, recording, derived, bar):
    if not shutil.which("zstd"):
        return print(f"skipped: disk, {name}: zstd is not installed")
    packed = len(subprocess.run(["zstd", "-q", "-c", recording], check=True, stdout=subprocess.PIPE).stdout)
    say(f"{name}: derived, to the recording packed with zstd", f"{derived / packed:.3f} ({derived / 1e6:.2f} to {packed / 1e6:.2f} MB)", f"<= {bar}", derived <= bar * packed)


def recordings(args):
    """From the response to the first flame graph and the findings; the space used on disk."""
    disk("large", args.large, first_flame(args, "large", args.large, 1.5, 4), 0.3)
    disk("typical", args.typical, first_flame(args, "typical", args.typical, 0.7, None), 0.65)


def sustained(args):
    """The throughput of the workers, compared with `convert` and `analyze` on the same files one after the other."""
    content, count = Path(args.typical).read_bytes(), 20
    used = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    ratios, costs = [], []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as out, Server(args.jfrkit) as server:
            server.wait_ready(server.post(content, service="warm")[0])
            before = used()
            alone = sum(run(args.jfrkit, "convert", args.typical, "-o", f"{out}/{n}", "-q") + run(args.jfrkit, "analyze", "-q", args.typical) for n in range(count)) / count
            cost = (used() - before) / count
            began, before = time.perf_counter(), server.cpu()
            for n in range(count):
                server.post(content, service="bench", tag=f"n:{n}")
            server.wait_idle()
            each = (time.perf_counter() - began) / count
            ratios.append((alone / each, 1 / each, 1 / alone))
            costs.append((cost / ((server.cpu() - before) / count), (server.cpu() - before) / count, cost))
    ratio, each, alone = sorted(ratios)[1]
    say("processing, to convert and analyze of the same files", f"{ratio:.2f} ({each:.1f}/s to {alone:.1f}/s)", ">= 0.7", ratio >= 0.7)
    ratio, each, alone = sorted(costs)[1]
    say("— the same in CPU time, whatever else the machine does", f"{ratio:.2f} ({each:.2f} s to {alone:.2f} s)", "")


def overload(args):
    """Twice the sustainable rate: acknowledged uploads are kept, the excess gets 503, memory stays flat."""
    content = Path(args.typical).read_bytes()
    with Server(args.jfrkit, None, "--spool-max", "256MiB") as server:
        began = time.perf_counter()
        ids = [server.post(content, service="warm", tag=f"n:{n}")[0] for n in range(10)]
        server.wait_idle()
        every = (time.perf_counter() - began) / 10 / 2
        codes, memory, end, n = {}, [], time.time() + args.minutes * 60, 0
        pending, lock = [], threading.Lock()

        def one(n):
            id, status = server.post(content, service="over", tag=f"n:{n}")
            with lock:
                codes[status] = codes.get(status, 0) + 1
                if id:
                    ids.append(id)

        while time.time() < end:
            thread = threading.Thread(target=one, args=(n,))
            thread.start()
            pending.append(thread)
            n += 1
            if n % 20 == 0:
                memory.append(server.memory()[2])
            time.sleep(every)
        for thread in pending:
            thread.join()
        server.wait_idle()
        lost = [id for id in ids if server.json(f"/api/v1/profiles/{id}")["status"] != "ready"]
        quarter = max(1, len(memory) // 4)
        first, last = (statistics.median(part) for part in (memory[quarter : 2 * quarter] or memory, memory[-quarter:]))
        say(f"twice the sustainable rate ({1 / every:.1f}/s) for {args.minutes} min: answers", str(codes), "200 and 503", set(codes) <= {200, 503, "cut off"})
        say("— acknowledged and not there", str(len(lost)), "0", not lost)
        say("— memory without files, second and last quarter", f"{first:.0f} and {last:.0f} MiB", "flat", last < 1.2 * first + 10)


def memory(args):
    """Idle, and 64 uploads of a large recording at once."""
    with Server(args.jfrkit) as server:
        time.sleep(2)
        idle = server.memory()[0]
        say("memory, idle", f"{idle:.0f} MiB", "< 60 MB", idle * 1.048576 < 60)
    content = Path(args.large).read_bytes()
    with Server(args.jfrkit, None, "--spool-max", "8GiB") as server:
        codes, peak, going = {}, [0.0], [True]

        def watch():
            while going[0]:
                peak[0] = max(peak[0], server.memory()[2])
                time.sleep(0.02)

        watcher = threading.Thread(target=watch)
        watcher.start()

        def one(n):
            status = server.post(content, service=f"s{n}")[1]
            codes[status] = codes.get(status, 0) + 1

        threads(64, one)
        received = peak[0]
        going[0] = False
        watcher.join()
        say(f"memory, 64 uploads of {len(content) / 1e6:.0f} MB at once, answers {codes}", f"{received:.0f} MiB, with files {server.memory()[1]:.0f}", "< 300 MB", received * 1.048576 < 300)
        server.process.kill()


def synthetic(directory, count):
    """An index of this many profiles: those of the store, repeated with different services, hosts, times and measures."""
    base = sqlite3.connect(f"{directory}/data/index.db")
    columns = [row[1] for row in base.execute("PRAGMA table_info(profile)")]
    rows = base.execute("SELECT * FROM profile").fetchall()
    texts = base.execute("SELECT max(id) FROM text").fetchone()[0] + 1
    names = {"service": (texts, 50), "version": (texts + 50, 20), "host": (texts + 70, 400), "env": (texts + 470, 4)}
    for name, (first, many) in names.items():
        base.executemany("INSERT INTO text VALUES (?, ?)", [(first + n, f"{name}-{n}") for n in range(many)])
    process = texts + 474
    base.executemany("INSERT INTO text VALUES (?, ?)", [(process + n, f"process-{n}") for n in range(2_000)])
    now, month = int(time.time() * 1e3), 29 * 86_400_000
    place = {name: n for n, name in enumerate(columns)}
    pick = random.Random(1)

    def made():
        for n in range(count):
            row = list(rows[n % len(rows)])
            at = now - month + n * (month - 3 * 3_600_000) // count
            row[place["n"]] = None
            row[place["id"]] = at.to_bytes(6, "big") + n.to_bytes(10, "big")
            row[place["start"]], row[place["end"]], row[place["received_at"]] = at - 61_000, at - 1_000, at
            for name, (first, many) in names.items():
                row[place[name]] = first + pick.randrange(many)
            row[place["process"]] = process + pick.randrange(2_000)
            row[place["cpu_cores"]], row[place["alloc_rate"]] = pick.expovariate(1), pick.expovariate(1e-8)
            row[place["disk_received"]] = 0
            row[place["disk_derived"]] = 1_000
            yield row

    base.executemany(f"INSERT INTO profile VALUES ({','.join('?' * len(columns))})", made())
    base.commit()
    base.close()


def search(args):
    """Search with facets and histogram in 100,000 and 1,000,000 profiles; start; memory."""
    queries = [
        "", "service:service-7", "service:service-7 env:env-1", "-env:env-0 host:host-1*", "cpu:>2 alloc:[10MB TO 1GB]",
        "service:(service-1 OR service-2) version:version-3", "type:cpu cpu:<1", "service-4", "status:failed",
    ]
    for count, bar in ((100_000, 50), (1_000_000, 250)):
        with tempfile.TemporaryDirectory(prefix="jfrkit-bench-") as directory:
            with Server(args.jfrkit, directory) as server:
                server.wait_ready(server.post(Path(args.typical).read_bytes(), service="bench", env="test", version="1")[0])
            synthetic(directory, count)
            started = []
            for _ in range(3):
                with Server(args.jfrkit, directory) as server:
                    started.append(server.started)
            with Server(args.jfrkit, directory) as server:
                total = server.json("/api/v1/profiles", q="", **{"from": "now-40d"})["total"]
                if total <= count:
                    sys.exit(f"only {total} of {count} profiles are there")
                resident = server.memory()[0]
                times = []
                for query in queries * RUNS:
                    both = {"q": query, "from": "now-40d"}
                    times.append((query, milliseconds(lambda: (server.get("/api/v1/profiles", limit=50, **both), server.get("/api/v1/facets", top=20, **both)))))
                best = sorted(min(ms for q, ms in times if q == query) for query in queries)
                all = sorted(ms for _, ms in times)
                p95 = all[math.ceil(0.95 * len(all)) - 1]
                say(f"search, facets and histogram, {count:,} profiles: p95", f"{p95:.0f} ms (worst query {best[-1]:.0f} ms at best)", f"< {bar} ms", p95 < bar)
                if count == 100_000:
                    say("memory, 100,000 profiles", f"{resident:.0f} MiB", "< 120 MB", resident * 1.048576 < 120)
                else:
                    say("start with 1,000,000 profiles", f"{min(started):.2f} s", "< 5 s", min(started) < 5)
                    say("memory, 1,000,000 profiles", f"{resident:.0f} MiB", "")


def views(args):
    """Trees and tables of one large profile, first and cached; merges of many."""
    with tempfile.TemporaryDirectory(prefix="jfrkit-bench-") as directory:
        with Server(args.jfrkit, directory) as server:
            large = server.post(Path(args.large).read_bytes(), service="large")[0]
            detail = server.wait_ready(large)
            content = Path(args.typical).read_bytes()
            for n in range(args.merge):
                while server.post(content, service="typical", tag=f"n:{n}")[1] != 200:
                    time.sleep(0.5)
            server.wait_idle()
        kinds = [entry["type"] for entry in detail["types"] if entry["absent"] is None]
        asked = [("flame", {"type": kind}) for kind in kinds]
        asked += [("flame", {"type": "cpu", "view": "callers"}), ("flame", {"type": "cpu", "group": "thread"}), ("flame", {"type": "cpu", "recursion": "collapse"})]
        asked += [("flame", {"type": "cpu", "lines": "1"}), ("flame", {"type": "cpu", "include": "spark"}), ("flame", {"type": "cpu", "search": "spark"})]
        asked += [("table", {"type": "cpu", "by": by}) for by in ("function", "line", "package", "class", "thread")]
        first, cached = {}, {}
        for n in range(RUNS):
            for what, parameters in asked:
                key = (what, *parameters.values())
                with Server(args.jfrkit, directory) as server:
                    ask = lambda: server.get(f"/api/v1/{what}", profile=large, **parameters)
                    first.setdefault(key, []).append(milliseconds(ask))
                    cached.setdefault(key, []).append(min(milliseconds(ask) for _ in range(3)))
        for name, times, bar in (("first", first, 500), ("cached", cached, 100)):
            worst = max(times, key=lambda key: min(times[key]))
            figure = min(times[worst])
            say(f"{len(asked)} trees and tables of the large profile, {name}: worst", f"{figure:.0f} ms ({' '.join(worst)})", f"< {bar} ms", figure < bar)
        for count, bar in ((100, 2_000), (500, 10_000)):
            if count > args.merge:
                print(f"skipped: merge of {count}; see --merge")
                continue
            times = []
            for _ in range(RUNS if count == 100 else 3):
                with Server(args.jfrkit, directory) as server:
                    ids = [row["id"] for row in server.json("/api/v1/profiles", q="service:typical", limit=count, **{"from": "0"})["rows"]]
                    times.append(milliseconds(lambda: server.get("/api/v1/flame", profile=ids, type="cpu")))
            say(f"merge of {count} typical profiles, first", f"{min(times) / 1e3:.2f} s", f"< {bar // 1000} s", min(times) < bar)


def size(args):
    """How much the server adds to the size of the program."""
    if not args.without:
        return print("skipped: size of the program; --without FILE gives one built with --no-default-features")
    more = os.path.getsize(args.jfrkit) - os.path.getsize(args.without)
    say("program, more than without `serve`", f"{more / 1e6:.1f} MB", "<= 8 MB", more <= 8e6)


def long(args):
    """Many small uploads: all are acknowledged and kept; memory."""
    # A profile of 200 functions, with a different time in each upload.
    content = Path(args.small).read_bytes()
    with Server(args.jfrkit) as server:
        ids, lock, codes = [], threading.Lock(), {}
        numbers = iter(range(args.count))

        def work(_):
            connection = server.connect()
            while True:
                with lock:
                    n = next(numbers, None)
                if n is None:
                    return
                while True:
                    id, status = server.post(content, connection, service=f"s{n % 20}", tag=f"n:{n}")
                    with lock:
                        codes[status] = codes.get(status, 0) + 1
                    if id:
                        break
                    time.sleep(1)
                with lock:
                    ids.append(id)

        began = time.perf_counter()
        threads(8, work)
        answered = time.perf_counter() - began
        server.wait_idle()
        done = time.perf_counter() - began
        total = server.json("/api/v1/profiles", q="", **{"from": "0"})["total"]
        missing = [id for id in ids if server.json(f"/api/v1/profiles/{id}")["status"] not in ("ready", "failed")]
        now, peak, anonymous = server.memory()
        say(f"{args.count:,} uploads of {len(content) / 1e3:.0f} kB: answers {codes}", f"{args.count / answered:.0f}/s, processed {args.count / done:.0f}/s", "")
        say("— acknowledged and not there", str(len(missing)), "0", not missing and total == args.count)
        say("— memory after it", f"{now:.0f} MiB, at most {peak:.0f}", "")


ALL = {"uploads": uploads, "recordings": recordings, "sustained": sustained, "memory": memory, "search": search, "views": views, "size": size}
FLAGGED = {"overload": overload, "long": long}


def main():
    corpus = ROOT.parent / "shared/corpus/bench"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jfrkit", default=str(ROOT / "target/release/jfrkit"))
    parser.add_argument("--without", help="the program built with --no-default-features")
    parser.add_argument("--only", default=",".join(ALL), help=f"of {', '.join([*ALL, *FLAGGED])}")
    parser.add_argument("--large", default=str(corpus / "spark17-heavy.jfr"))
    parser.add_argument("--typical", default=str(corpus / "spark17-profile.jfr"))
    parser.add_argument("--small", default=str(ROOT / "fixtures/jdk17-profile.jfr.gz"))
    parser.add_argument("--merge", type=int, default=500, help="typical profiles to merge at most")
    parser.add_argument("--minutes", type=float, default=10, help="of overload")
    parser.add_argument("--count", type=int, default=10_000, help="uploads of `long`")
    args = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for name in args.only.split(","):
        {**ALL, **FLAGGED}[name](args)


if __name__ == "__main__":
    main()
