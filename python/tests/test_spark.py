"""The data source on real Spark: a standalone master and two workers on loopback."""

import gzip
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

pyspark = pytest.importorskip("pyspark")
if shutil.which("java") is None:
    pytest.skip("there is no Java", allow_module_level=True)

import jfrkit
import jfrkit.spark

ROOT = pathlib.Path(__file__).resolve().parents[2]
#: How many recordings; 2,000 only for manual runs.
COUNT = int(os.environ.get("JFRKIT_SPARK_RECORDINGS", "200"))


def free_port():
    with socket.socket() as of:
        of.bind(("127.0.0.1", 0))
        return of.getsockname()[1]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """Recordings made of the small fixtures, every third with another one appended to make it different."""
    folder = tmp_path_factory.mktemp("recordings")
    small = [ROOT / "fixtures/jdk17-multichunk.jfr", *sorted((ROOT / "fixtures/scenarios").glob("*.jfr.gz"))]
    data = [gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in small]
    data = sorted((d for d in data if len(d) < 600_000), key=len)[:24]
    for n in range(COUNT):
        one = data[n % len(data)]
        more = data[(n // len(data) + n) % len(data)] if n % 3 == 0 else b""
        (folder / f"rec-{n:05}.jfr").write_bytes(one + more)
    (folder / "broken.jfr").write_bytes(b"no recording")
    return folder


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A master and workers in separate processes, stopped at the end."""
    home = pathlib.Path(pyspark.__file__).parent
    logs = tmp_path_factory.mktemp("spark")
    port, web = free_port(), free_port()
    environment = dict(os.environ, SPARK_HOME=str(home), SPARK_NO_DAEMONIZE="1", SPARK_LOCAL_IP="127.0.0.1")
    environment["PYSPARK_PYTHON"] = sys.executable
    spark_class = str(home / "bin/spark-class")
    processes = []

    def start(name, *args):
        log = open(logs / f"{name}.log", "wb")
        command = [spark_class, *args]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=logs)
        processes.append(process)
        return process

    deploy = "org.apache.spark.deploy"
    master = ["--host", "127.0.0.1", "--port", str(port), "--webui-port", str(web)]
    start("master", f"{deploy}.master.Master", *master)
    workers = [
        start(f"worker{n}", f"{deploy}.worker.Worker", "--host", "127.0.0.1", "--cores", "1", "--memory", "1g",
              "--work-dir", str(logs / f"work{n}"), "--webui-port", str(free_port()), f"spark://127.0.0.1:{port}")
        for n in range(2)
    ]
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                state = urllib.request.urlopen(f"http://127.0.0.1:{web}/json/", timeout=2).read().decode()
                if state.count('"ALIVE"') >= 3:
                    break
            except OSError:
                pass
            time.sleep(0.5)
        else:
            pytest.skip("the cluster does not come up here")
        yield f"spark://127.0.0.1:{port}", workers
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture(scope="module")
def spark(cluster):
    from pyspark.sql import SparkSession

    master, _ = cluster
    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    session = (
        SparkSession.builder.master(master)
        .appName("jfrkit")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.executor.memory", "512m")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.sql.session.timeZone", "UTC")
        .getOrCreate()
    )
    session.dataSource.register(jfrkit.spark.JfrDataSource)
    yield session
    session.stop()


def good(folder):
    return sorted(folder.glob("rec-*.jfr"))


def read(spark, folder, **options):
    reader = spark.read.format("jfr")
    for name, value in options.items():
        reader = reader.option(name, value)
    return reader.load(f"{folder}/*.jfr")


def test_totals_are_those_of_one_process(spark, recordings):
    totals, cpu = {}, 0
    for path in good(recordings):
        recording = jfrkit.open(path)
        cpu += recording.profile("cpu").totals["cpu-time"]
        for event in recording.summary()["events"]:
            totals[event["name"]] = totals.get(event["name"], 0) + event["count"]
    assert read(spark, recordings, table="samples", type="cpu").groupBy().sum("cpu_time").first()[0] == cpu
    for event in ("jdk.ExecutionSample", "jdk.GCHeapSummary"):
        assert read(spark, recordings, event=event).count() == totals[event], event


def test_columns_are_those_asked_for(spark, recordings):
    reader = spark.read.format("jfr").option("event", "jdk.GCHeapSummary").schema("file string, heapUsed long")
    rows = reader.load(f"{recordings}/rec-0000*.jfr").collect()
    assert rows and all(row.heapUsed > 0 and row.file.endswith(".jfr") for row in rows)


def test_merged_profiles_are_those_of_one_process(spark, recordings):
    files = spark.createDataFrame([(str(path), n % 5) for n, path in enumerate(good(recordings))], "file string, version int")
    merged = jfrkit.spark.merge(files, ["version"], fan_in=4, tasks=8)
    merged = {row.version: bytes(row.pprof) for row in merged.collect()}
    profiles = [jfrkit.open(path).profile("cpu").pprof() for path in good(recordings)]
    own = {version: [pprof for pprof in profiles[version::5] if pprof] for version in range(5)}
    assert merged == {version: jfrkit.merge(some) for version, some in own.items() if some}
    assert len(merged) >= 2
    first, second = sorted(merged)[:2]
    one, other = (files.where(f"version = {version}") for version in (first, second))
    one, other = (jfrkit.spark.merge(some, [], tasks=2) for some in (one, other))
    rows = jfrkit.spark.diff(one, other).collect()
    own = jfrkit.diff(merged[first], merged[second])
    assert sorted((r.name, r.a, r.b) for r in rows) == sorted((r["name"], r["a"], r["b"]) for r in own)


def test_findings_are_those_of_one_process(spark, recordings):
    few = str(recordings / "rec-0000*.jfr")
    found = {(pathlib.Path(row.file).name, row.id) for row in jfrkit.spark.findings(spark, few).collect()}
    own = {(path.name, finding.id) for path in recordings.glob("rec-0000*.jfr") for finding in jfrkit.open(path).analyze()}
    assert found == own and own
    assert jfrkit.spark.metrics(spark, few).where("name = 'gc.count' AND time IS NULL").count() == 10


def test_a_broken_recording_is_a_loss(spark, recordings):
    losses = read(spark, recordings, table="losses").where("file LIKE '%broken.jfr'").collect()
    assert len(losses) == 1 and losses[0].loss
    with pytest.raises(Exception, match="broken.jfr"):
        read(spark, recordings, table="recordings", failOnError="true").count()


def test_large_files_are_cut_at_chunks(spark, recordings, tmp_path):
    data = (ROOT / "fixtures/jdk17-multichunk.jfr").read_bytes()
    (tmp_path / "large.jfr").write_bytes(data)
    whole = jfrkit.open(data)
    assert len(whole.chunks) == 3
    few = read(spark, tmp_path, table="jdk.ExecutionSample", partitionBytes="100000")
    assert few.rdd.getNumPartitions() == 3
    assert few.count() == len(whole.table("jdk.ExecutionSample"))
    # The id belongs to the whole recording.
    assert [row.recording for row in few.select("recording").distinct().collect()] == [jfrkit.spark._first_eight(whole.hash)]
    cpu = read(spark, tmp_path, table="samples", type="cpu", partitionBytes="100000")
    assert cpu.groupBy().sum("cpu_time").first()[0] == whole.profile("cpu").totals["cpu-time"]


def test_one_worker_is_killed_in_the_middle(spark, cluster, recordings):
    """Must run last, because it leaves only one worker."""
    import threading

    _, workers = cluster
    expected = read(spark, recordings, table="samples", type="cpu").groupBy().sum("cpu_time").first()[0]
    threading.Timer(1.0, workers[1].kill).start()
    for _ in range(3):
        assert read(spark, recordings, table="samples", type="cpu", partitionBytes="1000000").groupBy().sum("cpu_time").first()[0] == expected
    assert workers[1].wait(60) is not None
