#!/usr/bin/env python3
"""Measures jfrkit on Spark: two executors against one, and what Spark takes by itself.

    python benches/spark.py [--recordings N] [--runs N] [--heavy HEAVY.jfr]

Needs the wheel, pyspark, pyarrow and Java. A standalone master and two workers of one core each run on loopback, for each job first
with one executor, then with both; each figure is the median of the runs after a warm-up. Whether two cores are idle is tried out
first: the ratio is worth something only if they are.

"Spark alone" is the same query over a data source that has as many partitions and one row in each, without any recording.
With HEAVY, a large recording, reading one of its tables in Python is compared with a walk of its event headers, which takes
`cargo build --release -p jfrkit-benches`.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "python/tests"), str(HERE)]

import pyarrow
from pyspark.sql import functions as F
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

import cluster as clusters
import jfrkit
import jfrkit.spark
from measure import BIN, idle_cores


class NothingToRead(DataSource):
    """One row in each of `partitions` partitions."""

    @classmethod
    def name(cls):
        return "nothing"

    def schema(self):
        return "file string, cpu_time bigint"

    def reader(self, schema):
        return OneRow(int(self.options["partitions"]))


class OneRow(DataSourceReader):
    def __init__(self, count):
        self.count = count

    def partitions(self):
        return [InputPartition(n) for n in range(self.count)]

    def read(self, partition):
        yield pyarrow.RecordBatch.from_pydict({"file": [str(partition.value)], "cpu_time": [1]})


def seconds(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def jobs(spark, folder):
    """Each job by what it is, and how many tasks read."""

    def read(table, **options):
        return spark.read.format("jfr").options(table=table, **options).load(f"{folder}/rec-*")

    samples, findings = read("samples", type="cpu"), read("findings")
    recordings = read("recordings").select("file").localCheckpoint()
    yield "sum of CPU samples", samples.rdd.getNumPartitions(), lambda: samples.groupBy().sum("cpu_time").collect()
    yield "findings, counted by id", findings.rdd.getNumPartitions(), lambda: findings.groupBy("id").count().collect()
    tasks = max(8, samples.rdd.getNumPartitions())
    yield "one merged CPU profile", tasks, lambda: jfrkit.spark.merge(recordings, [], tasks=tasks).collect()


def one_process(folder):
    """The same, without Spark, on one thread: seconds by job."""
    paths = sorted(folder.glob("rec-*"))

    def each(work):
        for path in paths:
            try:
                yield work(jfrkit.open(path))
            except jfrkit.JfrError:
                pass

    yield "sum of CPU samples", seconds(lambda: sum(each(lambda r: sum(len(b) for b in r.batches("samples")))))
    yield "findings, counted by id", seconds(lambda: sum(each(lambda r: len(r.table("findings")))))
    profiles = lambda: [pprof for pprof in each(lambda r: r.profile("cpu").pprof()) if pprof]
    yield "one merged CPU profile", seconds(lambda: jfrkit.merge(profiles()))


def measure_spark(count, runs):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="jfrkit-spark-"))
    try:
        clusters.make_recordings(folder, count)
        size = sum(path.stat().st_size for path in folder.iterdir())
        print(f"{count:,} recordings, {size / 1e6:,.0f} MB, load average {os.getloadavg()[0]:.1f}", flush=True)
        os.environ["RAYON_NUM_THREADS"] = "1"
        alone = dict(one_process(folder))
        del os.environ["RAYON_NUM_THREADS"]
        (folder / "spark").mkdir()
        taken, spark_alone = {}, {}
        with clusters.cluster(folder / "spark") as (master, _):
            for executors in (1, 2):
                spark = clusters.session(master, **{"spark.cores.max": str(executors)})
                spark.dataSource.register(NothingToRead)
                for name, tasks, work in jobs(spark, folder):
                    work()
                    taken[name, executors] = statistics.median(seconds(work) for _ in range(runs))
                    nothing = spark.read.format("nothing").option("partitions", tasks).load()
                    query = lambda: nothing.groupBy().sum("cpu_time").collect()
                    query()
                    spark_alone[name, executors] = (tasks, statistics.median(seconds(query) for _ in range(runs)))
                spark.stop()
        print("\n| job | one process, one thread | one executor | two executors | ratio | tasks | Spark alone, two executors |")
        print("|---|---|---|---|---|---|---|")
        for name, single in alone.items():
            one, two = taken[name, 1], taken[name, 2]
            tasks, overhead = spark_alone[name, 2]
            print(f"| {name} | {single:.1f} s | {one:.1f} s | {two:.1f} s | {one / two:.2f} × | {tasks} | {overhead:.2f} s |")
        print(f"\nload average {os.getloadavg()[0]:.1f}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measure_table(heavy, runs):
    walk = os.path.join(BIN, "header-walk")
    recording = jfrkit.open(heavy)
    recording.table("jdk.GarbageCollection")
    table = statistics.median(seconds(lambda: recording.table("jdk.GarbageCollection")) for _ in range(runs))
    print(f'table("jdk.GarbageCollection"): {table * 1e3:.1f} ms, load average {os.getloadavg()[0]:.1f}')
    if os.path.exists(walk):
        command = lambda: subprocess.run([walk, heavy], check=True, stdout=subprocess.DEVNULL)
        command()
        headers = statistics.median(seconds(command) for _ in range(runs))
        print(f"walk of event headers: {headers * 1e3:.1f} ms; bar 1.3 × + 20 ms = {headers * 1300 + 20:.1f} ms")


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--recordings", type=int, default=2000)
    args.add_argument("--runs", type=int, default=3)
    args.add_argument("--heavy")
    args = args.parse_args()
    cores = idle_cores()
    print(f"Two processes do {cores:.2f} × the work of one" + ("." if cores >= 1.9 else ": two cores are not idle."))
    if args.heavy:
        measure_table(args.heavy, args.runs * 3)
    if args.recordings:
        measure_spark(args.recordings, args.runs)


if __name__ == "__main__":
    main()
