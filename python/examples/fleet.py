#!/usr/bin/env python3
"""Answers questions about many recordings with Spark, and draws a chart. `# %%` begins a cell, as in a notebook.

    pip install pyspark pyarrow matplotlib ./python
    python python/examples/fleet.py                      # the recordings in fixtures/, on this machine
    spark-submit --master spark://host:7077 --archives env.tar.gz#environment python/examples/fleet.py 's3://logs/2026/**/*.jfr.gz'

Writes fleet.png and one merged CPU profile per JVM (jvm-17.pb.gz, …) to the folder given by --output.
"""

# %% The recordings
import argparse
import os
import pathlib
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

import jfrkit.spark

here = pathlib.Path(__file__).resolve()
options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("recordings", nargs="?", default=f"{here.parents[2]}/fixtures/**/*.jfr*", help="a path or pattern")
options.add_argument("-o", "--output", type=pathlib.Path, default=pathlib.Path("."), help="a folder")
options = options.parse_args()

# Without this, Spark would start whatever `python3` it finds.
os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
spark = SparkSession.builder.appName("fleet").config("spark.sql.session.timeZone", "UTC").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
spark.dataSource.register(jfrkit.spark.JfrDataSource)


def table(name, **more):
    return spark.read.format("jfr").options(table=name, **more).load(options.recordings)


# "17" of "OpenJDK 64-Bit Server VM (17.0.15+6) for linux-amd64 JRE (17.0.15+6), built on …"
version = F.regexp_extract("jvmVersion", r"JRE \((1\.8|[0-9]+)", 1)
recordings = table("recordings").withColumn("jvm", F.when(version == "1.8", "8").otherwise(version)).cache()
recordings.groupBy("jvm").agg(
    F.count("*").alias("recordings"),
    F.sum("events").alias("events"),
    F.round(F.sum("bytes") / 1e6, 1).alias("MB"),
    F.sum("losses").alias("losses"),
).orderBy(F.col("jvm").cast("int")).show()

# %% Which methods take the CPU time, and on which JVM?
# A stack has the same id in all recordings, so one row of each stack and frame is enough.
stacks = table("stacks").dropDuplicates(["id"]).select(F.col("id").alias("stack"), F.get("frames", F.lit(0)).alias("leaf"))
frames = table("frames").dropDuplicates(["id"]).select(F.col("id").alias("leaf"), "class", "method")
samples = table("samples", type="cpu").select("recording", "stack", "cpu_time")
jvms = recordings.select(F.col("id").alias("recording"), "jvm").dropDuplicates(["recording"])
methods = (
    samples.join(stacks, "stack").join(frames, "leaf").join(F.broadcast(jvms), "recording")
    .groupBy("class", "method").pivot("jvm").agg(F.sum("cpu_time") / 1e9).na.fill(0.0)
)
names = [name for name in methods.columns if name not in ("class", "method")]
methods = methods.withColumn("seconds", sum((F.col(name) for name in names), F.lit(0.0)))
top = methods.orderBy(F.desc("seconds"), "class", "method").limit(12).collect()
for row in top[:5]:
    print(f"{row.seconds:8.2f} s  {row['class']}.{row.method}")

# %% What do the rules find, and in how many recordings?
found = (
    table("findings").where("severity = 'warning'").groupBy("id").agg(F.countDistinct("file").alias("recordings"))
    .orderBy(F.desc("recordings"), "id").limit(12).collect()
)
for row in found[:5]:
    print(f"{row.recordings:4}  {row.id}")

# %% One CPU profile for each JVM, for pprof's tools or `jfrkit serve`
options.output.mkdir(parents=True, exist_ok=True)
merged = jfrkit.spark.merge(recordings, by=["jvm"], type="cpu", tasks=4)
for row in merged.collect():
    (options.output / f"jvm-{row.jvm}.pb.gz").write_bytes(row.pprof)

# %% The chart
import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 4.8), layout="constrained")
# matplotlib takes text between dollar signs for formulas.
short = [f"{row['class'].rpartition('.')[2]}.{row.method}".replace("$", r"\$") for row in top]
begin = [0.0] * len(top)
for name in sorted(names, key=int):
    values = [row[name] for row in top]
    left.barh(short, values, left=begin, label=f"JDK {name}")
    begin = [a + b for a, b in zip(begin, values)]
left.set(title="CPU time by method", xlabel="seconds")
left.legend(frameon=False)
right.barh([row.id for row in found], [row.recordings for row in found], color="#c2410c")
right.set(title="Recordings with a warning, by rule", xlabel="recordings")
right.xaxis.get_major_locator().set_params(integer=True)
for axes in (left, right):
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
figure.savefig(options.output / "fleet.png", dpi=80)
print(f"wrote {options.output / 'fleet.png'}")

# %%
spark.stop()
