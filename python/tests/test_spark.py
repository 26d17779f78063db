"""The data source on real Spark: a standalone master and two workers on loopback.

`JFRKIT_SPARK=2000` uses 2,000 recordings instead of 200, including the corpus if it is available, and one of 1 GB.
"""

import collections
import doctest
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time
from functools import reduce

import pytest

pyspark = pytest.importorskip("pyspark")
if shutil.which("java") is None:
    pytest.skip("Java is not installed", allow_module_level=True)

import pyarrow as pa
from pyspark.sql import functions as F

import cluster as clusters
import jfrkit
import jfrkit.spark
from cluster import CORPUS, ROOT, TYPES

#: How many recordings; 2,000 only for manual runs.
WANTED = os.environ.get("JFRKIT_SPARK", "")
COUNT = int(WANTED) if WANTED.isdigit() and int(WANTED) > 1 else 200


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("recordings")
    clusters.make_recordings(folder, COUNT)
    return folder


@pytest.fixture(scope="module")
def one_process():
    return clusters.OneProcess()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    try:
        with clusters.cluster(tmp_path_factory.mktemp("spark")) as up:
            yield up
    except clusters.NoCluster as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def spark(cluster):
    session = clusters.session(cluster[0])
    yield session
    session.stop()


def good(folder):
    return sorted(folder.glob("rec-*.jfr*"))


def read(spark, folder, **options):
    reader = spark.read.format("jfr")
    for name, value in options.items():
        reader = reader.option(name, value)
    return reader.load(f"{folder}/*.jfr*")


def totals_of_samples(spark, folder):
    """The sum of each value of each type of profile, in one job."""
    of, parts = jfrkit.open(ROOT / "fixtures/jdk17-multichunk.jfr"), []
    for kind in TYPES:
        sums = [F.struct(F.lit(name).alias("name"), F.sum(name.replace("-", "_")).alias("sum")) for name in of.profile(kind).totals]
        parts.append(read(spark, folder, table="samples", type=kind).groupBy().agg(F.lit(kind).alias("type"), F.array(*sums).alias("sums")))
    rows = reduce(lambda a, b: a.union(b), parts).collect()
    return {(row.type, value.name): value.sum or 0 for row in rows for value in row.sums}


def test_totals_of_every_profile_are_those_of_one_process(spark, recordings, one_process):
    own = one_process.sums(good(recordings), "totals")
    found = totals_of_samples(spark, recordings)
    assert found == own
    assert sum(total > 0 for total in own.values()) >= 20


def test_counts_of_events_are_those_of_one_process(spark, recordings, one_process):
    """All types together, and the eight most frequent types."""
    own = one_process.sums(good(recordings), "events")
    assert read(spark, recordings, table="recordings").groupBy().sum("events").first()[0] == sum(own.values())
    most = sorted(own, key=lambda name: (-own[name], name))[:8]
    counts = [
        read(spark, recordings, event=name).groupBy().agg(F.count("*").alias("n")).select(F.lit(name).alias("name"), "n") for name in most
    ]
    found = {row.name: row.n for row in reduce(lambda a, b: a.union(b), counts).collect()}
    assert found == {name: own[name] for name in most}


def test_columns_are_those_asked_for(spark, recordings):
    reader = spark.read.format("jfr").option("event", "jdk.GCHeapSummary").schema("file string, heapUsed long")
    rows = reader.load(f"{recordings}/rec-0000*.jfr").collect()
    assert rows and all(row.heapUsed > 0 and row.file.endswith(".jfr") for row in rows)


def test_types_of_different_recordings_become_one():
    wider, array = jfrkit.spark._wider, jfrkit.spark._array
    assert wider(pa.int32(), pa.int64()) == wider(pa.int64(), pa.int32()) == pa.int64()
    assert wider(pa.int64(), pa.decimal128(20, 0)) == pa.decimal128(20, 0)
    assert wider(pa.string(), pa.int64()) == pa.string()
    assert wider(pa.struct([("a", pa.int32())]), pa.struct([("a", pa.int64()), ("b", pa.string())])) == pa.struct(
        [("a", pa.int64()), ("b", pa.string())]
    )
    assert array(pa.array([1, 2], pa.int32()), pa.int64()).to_pylist() == [1, 2]
    # Values that do not fit become null, never another value.
    assert array(pa.array([1 << 40]), pa.int32()).to_pylist() == [None]
    assert array(pa.array(["text"]), pa.struct([("a", pa.int32())])).to_pylist() == [None]


def test_merged_profiles_are_those_of_one_process(spark, recordings, one_process):
    paths = good(recordings)
    files = spark.createDataFrame([(str(path), n % 5) for n, path in enumerate(paths)], "file string, version int")
    own = collections.defaultdict(list)
    for n, path in enumerate(paths):
        if one_process.of(path)["cpu"]:
            own[n % 5].append(one_process.of(path)["cpu"])
    expected = {version: jfrkit.merge(some) for version, some in own.items()}
    assert len(expected) >= 2
    merged = {}
    # For any partitioning and fan-in: trees of one, two and four levels.
    for fan_in, tasks in ((64, 2), (4, 8), (2, 13)):
        found = jfrkit.spark.merge(files, ["version"], fan_in=fan_in, tasks=tasks)
        merged = {row.version: bytes(row.pprof) for row in found.collect()}
        assert merged == expected, (fan_in, tasks)
    first, second = sorted(merged)[:2]
    one, other = (files.where(f"version = {version}") for version in (first, second))
    one, other = (jfrkit.spark.merge(some, [], tasks=2) for some in (one, other))
    rows = jfrkit.spark.diff(one, other).collect()
    changes = jfrkit.diff(merged[first], merged[second])
    assert sorted((r.name, r.a, r.b) for r in rows) == sorted((r["name"], r["a"], r["b"]) for r in changes)


def test_findings_are_those_of_one_process(spark, recordings, one_process):
    rows = jfrkit.spark.findings(spark, f"{recordings}/rec-*.jfr*").select("file", "id", "severity").collect()
    found = collections.defaultdict(list)
    for row in rows:
        found[pathlib.Path(row.file).name].append((row.id, row.severity))
    own = {path.name: one_process.of(path)["findings"] for path in good(recordings)}
    assert {name: sorted(some) for name, some in found.items()} == {name: some for name, some in own.items() if some}
    few = jfrkit.spark.metrics(spark, f"{recordings}/rec-0000*.jfr")
    assert few.where("name = 'gc.count' AND time IS NULL").count() == 10


def test_a_broken_recording_is_a_loss(spark, recordings):
    losses = read(spark, recordings, table="losses").where("file LIKE '%broken.jfr'").collect()
    assert len(losses) == 1 and losses[0].loss
    # The corpus has broken recordings of its own, any of which may be met first.
    names = "|".join(re.escape(path.name) for path in recordings.glob("*.jfr*"))
    with pytest.raises(Exception, match=f"({names}): "):
        read(spark, recordings, table="recordings", failOnError="true").count()


def test_examples_in_docs(spark):
    names = {"spark": spark, "FIXTURE": str(ROOT / "fixtures/jdk17-full.jfr")}
    done = doctest.testmod(jfrkit.spark, extraglobs=names)
    assert done.attempted >= 8 and done.failed == 0


def test_large_files_are_cut_at_chunks(spark, tmp_path):
    data = (ROOT / "fixtures/jdk17-multichunk.jfr").read_bytes()
    (tmp_path / "large.jfr").write_bytes(data)
    whole = jfrkit.open(data)
    assert len(whole.chunks) == 3
    few = read(spark, tmp_path, table="jdk.ExecutionSample", partitionBytes="100000")
    assert few.rdd.getNumPartitions() == 3
    assert few.count() == len(whole.table("jdk.ExecutionSample"))
    # Repeated chunks count once.
    (tmp_path / "twice.jfr").write_bytes(data + data)
    assert jfrkit.spark._chunks(str(tmp_path / "twice.jfr"), 2 * len(data), 100_000) == whole.chunks
    (tmp_path / "twice.jfr").unlink()
    # The id belongs to the whole recording.
    assert [row.recording for row in few.select("recording").distinct().collect()] == [jfrkit.spark._first_eight(whole.hash)]
    cpu = read(spark, tmp_path, table="samples", type="cpu", partitionBytes="100000")
    assert cpu.groupBy().sum("cpu_time").first()[0] == whole.profile("cpu").totals["cpu-time"]


def test_a_huge_recording_among_small_ones(spark, tmp_path):
    """1 GB with 2,000 recordings and the corpus, otherwise 20 MB."""
    heavy, bytes_ = CORPUS / "bench/spark17-heavy.jfr", 1 << 30
    if COUNT < 1000 or not heavy.is_file():
        heavy, bytes_ = ROOT / "fixtures/jdk17-multichunk.jfr", 20 << 20
    data, hours = heavy.read_bytes(), 0
    with open(tmp_path / "huge.jfr", "wb") as huge:
        while huge.tell() < bytes_:
            huge.write(clusters.later(data, hours))
            hours += 1
    small = samples_small = 0
    for n, path in enumerate(sorted((ROOT / "fixtures/scenarios").glob("*.jfr.gz"))[:20]):
        shutil.copy(path, tmp_path / f"small-{n:02}.jfr.gz")
        small += jfrkit.open(path).profile("cpu").totals["cpu-time"]
        samples_small += len(jfrkit.open(path).table("jdk.ExecutionSample"))
    once = jfrkit.open(data)
    cpu = read(spark, tmp_path, table="samples", type="cpu")
    # The chunks of the huge recording are spread over tasks.
    assert cpu.rdd.getNumPartitions() > max(1, bytes_ // (32 << 20)) and (tmp_path / "huge.jfr").stat().st_size >= bytes_
    assert cpu.groupBy().sum("cpu_time").first()[0] == hours * once.profile("cpu").totals["cpu-time"] + small
    samples = read(spark, tmp_path, table="jdk.ExecutionSample", columns="startTime,file")
    assert samples.count() == hours * len(once.table("jdk.ExecutionSample")) + samples_small


def stored(recordings):
    return good(recordings)[12:24]


@pytest.fixture(scope="module")
def object_store(recordings):
    """An S3 server on loopback with some recordings in a bucket; the query that paths need to reach it."""
    pytest.importorskip("moto.server")
    from pyarrow import fs

    port = clusters.free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        store = fs.S3FileSystem(
            access_key="key", secret_key="secret", region="us-east-1", endpoint_override=f"127.0.0.1:{port}", scheme="http",
            allow_bucket_creation=True,
        )
        for _ in range(120):
            try:
                store.create_dir("logs")
                break
            except OSError:
                assert server.poll() is None
                time.sleep(0.5)
        for n, path in enumerate(stored(recordings)):
            with store.open_output_stream(f"logs/2026/day-{n % 2}/{path.name}") as out:
                out.write(path.read_bytes())
        with store.open_output_stream("logs/2026/broken.jfr") as out:
            out.write(b"no recording")
        yield f"?endpoint_override=127.0.0.1:{port}&scheme=http&region=us-east-1"
    finally:
        server.terminate()
        server.wait()


def test_recordings_in_an_object_store(spark, recordings, one_process, object_store):
    paths = stored(recordings)

    def load(pattern, **options):
        return spark.read.format("jfr").options(**options).load(f"s3://key:secret@logs/{pattern}{object_store}")

    own = one_process.sums(paths, "totals")
    cpu = load("2026/**/*.jfr", table="samples", type="cpu")
    assert cpu.groupBy().sum("cpu_time").first()[0] == own["cpu", "cpu-time"]
    assert load("2026/day-0/*.jfr", table="recordings").count() == 6
    assert load("2026", table="recordings").count() == 12
    assert load("2026/*.jfr", table="losses").count() == 1
    # Split at chunks, with the id of the whole recording.
    events = load("2026/**/*.jfr", table="jdk.ExecutionSample", partitionBytes="100000").select("recording", "file")
    ids = {jfrkit.spark._first_eight(jfrkit.open(path).hash) for path in paths if one_process.of(path)["events"].get("jdk.ExecutionSample")}
    assert events.count() == one_process.sums(paths, "events")["jdk.ExecutionSample"]
    assert {row.recording for row in events.select("recording").distinct().collect()} == ids
    merged = jfrkit.spark.merge(load("2026/**/rec-*.jfr", table="recordings"), [], tasks=2).first().pprof
    in_order = sorted(enumerate(paths), key=lambda pair: (pair[0] % 2, pair[1].name))
    assert bytes(merged) == jfrkit.merge([one_process.of(path)["cpu"] for _, path in in_order if one_process.of(path)["cpu"]])


def test_one_worker_is_killed_in_the_middle(spark, cluster, recordings, one_process):
    """Must run last, because it leaves only one worker."""
    _, workers = cluster
    tracker, killed = spark.sparkContext.statusTracker(), []

    def kill():
        while not killed:
            stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
            for stage in stages:
                # Some tasks have finished, and others are running or waiting.
                if stage and stage.numCompletedTasks >= 2 and stage.numTasks - stage.numCompletedTasks >= 3:
                    workers[1].kill()
                    killed.append((stage.numCompletedTasks, stage.numTasks))
                    return
            time.sleep(0.02)

    own = one_process.sums(good(recordings), "totals")["cpu", "cpu-time"]
    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    samples = read(spark, recordings, table="samples", type="cpu", partitionBytes="1000000")
    for _ in range(3):
        assert samples.groupBy().sum("cpu_time").first()[0] == own
    assert killed and workers[1].wait(60) is not None
    profiles = [one_process.of(path)["cpu"] for path in good(recordings)]
    files = spark.createDataFrame([(str(path),) for path in good(recordings)], "file string")
    merged = jfrkit.spark.merge(files, [], tasks=6).first().pprof
    assert bytes(merged) == jfrkit.merge([pprof for pprof in profiles if pprof])
