"""A standalone Spark cluster on loopback, the recordings that it reads, and what one process makes of them.

Used by test_spark.py and by benches/spark.py.
"""

import collections
import contextlib
import gzip
import hashlib
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

import jfrkit

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benches"))

from measure import later  # noqa: E402, F401 (test_spark.py shifts recordings with it)

#: Third-party recordings, available only next to some checkouts.
CORPUS = pathlib.Path(os.environ.get("JFRKIT_CORPUS", ROOT.parent / "shared/corpus"))
TYPES = (
    "cpu alloc native class-load error file-io lock socket-io wall live park wait sleep pinned native-alloc native-lock method-trace event"
).split()


def free_port():
    with socket.socket() as of:
        of.bind(("127.0.0.1", 0))
        return of.getsockname()[1]


class NoCluster(Exception):
    """The cluster does not come up."""


@contextlib.contextmanager
def cluster(logs, workers=2, environment=None):
    """Runs a master and workers of one core each. Yields the URL of the master and the worker processes."""
    import pyspark

    home = pathlib.Path(pyspark.__file__).parent
    port, web = free_port(), free_port()
    environment = dict(
        os.environ,
        SPARK_HOME=str(home),
        SPARK_NO_DAEMONIZE="1",
        SPARK_LOCAL_IP="127.0.0.1",
        PYSPARK_PYTHON=sys.executable,
        **(environment or {}),
    )
    deploy, url = "org.apache.spark.deploy", f"spark://127.0.0.1:{port}"
    processes = []

    def start(name, *arguments):
        with open(logs / f"{name}.log", "wb") as log:
            command = [str(home / "bin/spark-class"), *arguments]
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=logs)
        processes.append(process)
        return process

    def state():
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{web}/json/", timeout=2).read().decode()
        except OSError:
            return ""

    try:
        start("master", f"{deploy}.master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", str(web))
        own = ["--host", "127.0.0.1", "--cores", "1", "--memory", "1g"]
        started = [
            start(f"worker{n}", f"{deploy}.worker.Worker", *own, "--work-dir", str(logs / f"work{n}"),
                  "--webui-port", str(free_port()), url)
            for n in range(workers)
        ]
        end = time.monotonic() + 300
        while state().count('"ALIVE"') <= workers:
            if time.monotonic() > end:
                raise NoCluster(f"no {workers} workers after five minutes: see {logs}")
            time.sleep(0.5)
        yield url, started
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def session(master, **settings):
    """A session with one executor per worker."""
    from pyspark.sql import SparkSession

    import jfrkit.spark

    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    builder = SparkSession.builder.master(master).appName("jfrkit")
    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.executor.memory": "512m",
        "spark.executor.cores": "1",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.session.timeZone": "UTC",
        "spark.log.level": "ERROR",
        **settings,
    }
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.dataSource.register(jfrkit.spark.JfrDataSource)
    return spark


def unpacked(path):
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def make_recordings(folder, count):
    """Writes `count` recordings with different names, copied from the fixtures and, from 1,000 on, from the corpus, which has
    compressed and damaged ones and those of other producers. Adds a file that is not a recording."""
    small = [ROOT / "fixtures/jdk17-multichunk.jfr", *sorted((ROOT / "fixtures/scenarios").glob("*.jfr.gz"))]
    data = sorted((d for d in map(unpacked, small) if len(d) < 600_000), key=len)[:24]
    others = []
    if count >= 1000:
        others = [ROOT / f"fixtures/{name}" for name in ("jdk8-profile.jfr.gz", "jdk11-profile.jfr.gz", "jdk17-full.jfr")]
        if CORPUS.is_dir():
            others += sorted(path for path in CORPUS.rglob("*.jfr*") if path.name.split(".jfr")[1] in ("", ".gz", ".lz4", ".zst", ".zip"))
        others = [path for path in others if path.is_file() and path.stat().st_size < 1 << 20]
    for n in range(count):
        of = n % (len(data) + len(others))
        if of >= len(data):
            other = others[of - len(data)]
            suffix = ".jfr" + other.name.split(".jfr")[1]
            (folder / f"rec-{n:05}{suffix}").write_bytes(other.read_bytes())
            continue
        # Every third gets another recording appended, so that not all copies are equal.
        more = data[(n // len(data) + n) % len(data)] if n % 3 == 0 else b""
        (folder / f"rec-{n:05}.jfr").write_bytes(data[of] + more)
    (folder / "broken.jfr").write_bytes(b"no recording")
    return sorted(folder.glob("rec-*.jfr*"))


class OneProcess:
    """The results of a single process. Equal files are read once."""

    def __init__(self):
        self._known = {}

    def of(self, path):
        key = hashlib.sha256(path.read_bytes()).digest()
        if key not in self._known:
            self._known[key] = self._read(path)
        return self._known[key]

    @staticmethod
    def _read(path):
        def computed(work, otherwise):
            # Of a damaged recording, one result may be missing and another there.
            try:
                return work(jfrkit.open(path))
            except (jfrkit.JfrError, OSError):
                return otherwise

        def profiles(recording):
            of = {kind: recording.profile(kind) for kind in TYPES}
            totals = {(kind, value): total for kind, profile in of.items() for value, total in profile.totals.items()}
            return totals, of["cpu"].pprof()

        def counts(recording):
            return collections.Counter({name: count for name, count in recording.tables().items() if count is not None})

        totals, cpu = computed(profiles, ({}, None))
        findings = computed(lambda recording: sorted((f.id, f.severity) for f in recording.analyze()), [])
        return {"events": computed(counts, {}), "totals": totals, "cpu": cpu, "findings": findings}

    def sums(self, paths, key):
        """The sums over all recordings, by name."""
        sums = collections.Counter()
        for path in paths:
            sums.update(self.of(path)[key])
        return dict(sums)
