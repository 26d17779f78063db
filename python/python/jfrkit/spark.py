"""Recordings in Apache Spark 4: a data source, and profiles merged across a cluster.

    spark.dataSource.register(jfrkit.spark.JfrDataSource)
    df = spark.read.format("jfr").option("table", "samples").option("type", "cpu").load("/logs/**/*.jfr.gz")

The driver and the executors need ``pyspark`` ≥ 4 and ``pyarrow``. See docs/spark.md.
"""

import fnmatch
import glob
import io
import os
import struct
from typing import Any, Iterator, List, Optional, Sequence, Tuple

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_schema
from pyspark.sql.types import BinaryType, LongType, StructField, StructType

import jfrkit

__all__ = ["JfrDataSource", "diff", "findings", "merge", "metrics"]

#: Tables other than those of events.
_TABLES = ("samples", "stacks", "frames", "threads", "settings", "metrics", "findings", "recordings")
#: Tables of whole recordings, whose files are not split.
_WHOLE = ("stacks", "frames", "threads", "settings", "metrics", "findings", "recordings")
#: Columns added to those of an event; an event field of the same name gets an underscore.
_OWN = ("recording", "file")
_LOSSES = pa.schema([("file", pa.string()), ("recording", pa.int64()), ("loss", pa.string())])


def _filesystem(path: str) -> Tuple[Any, str]:
    """The file system of a path (None if local), and the path within it."""
    if "://" not in path:
        return None, path
    if path.startswith("file://"):
        return None, path[len("file://") :]
    from pyarrow import fs

    return fs.FileSystem.from_uri(path)


def _find(paths: Sequence[str]) -> List[Tuple[str, int]]:
    """The files that match the patterns, sorted by name, each with its size."""
    found = {}
    for pattern in paths:
        system, inner = _filesystem(pattern)
        if system is None:
            if os.path.isdir(inner):
                inner = os.path.join(inner, "**", "*.jfr*")
            for file in glob.glob(inner, recursive=True):
                if os.path.isfile(file):
                    found[file] = os.path.getsize(file)
            continue
        from pyarrow import fs

        prefix = pattern[: len(pattern) - len(inner)]
        base = inner
        while any(c in base for c in "*?["):
            base = base.rpartition("/")[0]
        info = system.get_file_info(base)
        if info.type == fs.FileType.File:
            found[prefix + info.path] = info.size
            continue
        flat = inner.replace("**/", "*")
        for file in system.get_file_info(fs.FileSelector(base, recursive=True, allow_not_found=True)):
            wanted = fnmatch.fnmatch(file.path, flat) if base != inner else ".jfr" in file.base_name
            if file.type == fs.FileType.File and wanted:
                found[prefix + file.path] = file.size
    return sorted(found.items())


def _read(path: str, begin: int = 0, end: Optional[int] = None) -> bytes:
    system, inner = _filesystem(path)
    with open(inner, "rb") if system is None else system.open_input_file(inner) as file:
        if begin:
            file.seek(begin)
        return file.read() if end is None else file.read(end - begin)


class _Named(io.BytesIO):
    """The bytes of a file, with its name for error messages."""

    name = ""


def _open(path: str, begin: int = 0, end: Optional[int] = None) -> jfrkit.Recording:
    data = _Named(_read(path, begin, end))
    data.name = path
    return jfrkit.open(data)


def _chunks(path: str, size: int, target: int) -> List[Tuple[int, Optional[int]]]:
    """Ranges of chunks, about `target` bytes each. A compressed, damaged or small file is a single range."""
    whole: List[Tuple[int, Optional[int]]] = [(0, None)]
    if size <= target:
        return whole
    system, inner = _filesystem(path)
    ends = [0]
    with open(inner, "rb") if system is None else system.open_input_file(inner) as file:
        while ends[-1] < size:
            file.seek(ends[-1])
            header = file.read(16)
            if len(header) < 16 or header[:4] != b"FLR\0":
                return whole
            length = struct.unpack(">q", header[8:16])[0]
            if length < 68 or ends[-1] + length > size:
                return whole
            ends.append(ends[-1] + length)
    ranges, begin = [], 0
    for end in ends[1:]:
        if end - begin >= target or end == size:
            ranges.append((begin, end))
            begin = end
    return ranges


def _id(path: str) -> int:
    """The id of the recording in an uncompressed file, as used in tables."""
    system, inner = _filesystem(path)
    with open(inner, "rb") if system is None else system.open_input_file(inner) as file:
        return jfrkit.recording_id(file)


def _arrow_schema(schema: StructType) -> pa.Schema:
    """The Arrow schema that Spark expects; the signature of the conversion differs between versions."""
    try:
        return to_arrow_schema(schema, timezone="UTC")
    except TypeError:
        return to_arrow_schema(schema)


def _renamed(name: str) -> str:
    return f"{name}_" if name in _OWN else name


def _plain(of: pa.DataType) -> pa.DataType:
    """The matching type that Spark supports."""
    if pa.types.is_dictionary(of):
        return _plain(of.value_type)
    if pa.types.is_timestamp(of):
        return pa.timestamp("us", "UTC")
    if pa.types.is_duration(of):
        return pa.int64()
    if pa.types.is_uint8(of):
        return pa.int16()
    if pa.types.is_uint16(of):
        return pa.int32()
    if pa.types.is_uint32(of):
        return pa.int64()
    if pa.types.is_uint64(of):
        return pa.decimal128(20, 0)
    if pa.types.is_struct(of):
        return pa.struct([pa.field(f.name, _plain(f.type)) for f in of])
    if pa.types.is_list(of):
        return pa.list_(_plain(of.value_type))
    return of


def _array(array: pa.Array, to: pa.DataType) -> pa.Array:
    """Converts an array to another type. Nested fields are matched by name; missing ones become null."""
    of = array.type
    if pa.types.is_dictionary(of):
        return _array(array.dictionary_decode(), to)
    if pa.types.is_struct(to):
        if not pa.types.is_struct(of):
            return pa.nulls(len(array), to)
        names = {field.name: i for i, field in enumerate(of)}
        children = [
            _array(array.field(names[f.name]), f.type) if f.name in names else pa.nulls(len(array), f.type) for f in to
        ]
        mask = array.is_null() if array.null_count else None
        return pa.StructArray.from_arrays(children, fields=list(to), mask=mask)
    if pa.types.is_list(to) and pa.types.is_list(of):
        mask = array.is_null() if array.null_count else None
        return pa.ListArray.from_arrays(array.offsets, _array(array.values, to.value_type), mask=mask)
    if pa.types.is_duration(of):
        return array.cast(pa.int64())
    if pa.types.is_timestamp(of):
        # Spark timestamps have microseconds.
        return array.cast(to, safe=False)
    return array.cast(to)


def _batch(batch: pa.RecordBatch, file: str, schema: pa.Schema, id: Optional[int] = None, own: bool = False) -> pa.RecordBatch:
    """Converts rows to the requested schema. `own`: rename event fields that clash with our own columns."""
    names = {_renamed(name) if own else name: at for at, name in enumerate(batch.schema.names)}
    columns = []
    for field in schema:
        if field.name == "file" and "file" not in names:
            columns.append(pa.array([file] * batch.num_rows, pa.string()))
        elif field.name == "recording" and id is not None:
            columns.append(pa.array([id] * batch.num_rows, pa.int64()))
        elif field.name in names:
            columns.append(_array(batch.column(names[field.name]), field.type))
        else:
            columns.append(pa.nulls(batch.num_rows, field.type))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


class _Part(InputPartition):
    """Files, each with the byte range to read and, for part of a file, the id of the recording."""

    def __init__(self, files: List[Tuple[str, int, Optional[int], Optional[int]]]):
        super().__init__(0)
        self.files = files


class JfrDataSource(DataSource):
    """The format ``jfr``. Options:

    ``table``: an event type such as ``jdk.FileRead``, or ``events`` (the default; ``event`` is the type), ``samples`` (``type`` is the
    profile type, ``cpu`` by default), ``stacks``, ``frames``, ``threads``, ``settings``, ``metrics``, ``findings``, ``recordings``,
    ``losses``; ``failOnError``: fail the job if a recording cannot be read; ``partitionBytes``: how many bytes of files, or of chunks of
    a large file, a task reads (16 MiB); ``columns``: the event columns to read, separated by commas; ``schemaFiles``: how many
    recordings to examine for the event columns (20).
    """

    @classmethod
    def name(cls) -> str:
        return "jfr"

    def _table(self) -> str:
        table = self.options.get("table", "events")
        if table in (*_TABLES, "losses"):
            return table
        if table != "events" and "." not in table:
            raise ValueError(f"no table {table!r}; there are event types, events, {', '.join(_TABLES)}, losses")
        if not self._event():
            raise ValueError('option("event", …) names the type of events')
        return "events"

    def _event(self) -> Optional[str]:
        table = self.options.get("table", "events")
        return table if "." in table else self.options.get("event")

    def _files(self) -> List[Tuple[str, int]]:
        path = self.options.get("path")
        if not path:
            raise ValueError("load(…) needs a path")
        files = _find([path])
        if not files:
            raise FileNotFoundError(f"no recordings match {path}")
        return files

    def schema(self) -> StructType:
        return from_arrow_schema(self._arrow())

    def _arrow(self) -> pa.Schema:
        table = self._table()
        if table == "losses":
            return _LOSSES
        if table != "events":
            of = pa.table(jfrkit.table_columns(table, type=self.options.get("type"))).schema
            fields = [pa.field(f.name, _plain(f.type)) for f in of]
            # The table `recordings` has this column already.
            own = [] if "file" in of.names else [pa.field("file", pa.string())]
            return pa.schema([*fields, *own])
        known: dict = {}
        for file, _ in self._files()[: int(self.options.get("schemaFiles", "20"))]:
            try:
                batches = _open(file).batches(self._event())
                of = pa.schema(batches)
                batches.close()
            except (jfrkit.JfrError, ValueError):
                continue
            for field in of:
                known.setdefault(_renamed(field.name), _plain(field.type))
        if not known:
            raise ValueError(f"no recording that was looked at knows {self._event()}; give a schema")
        if self.options.get("columns"):
            names = [name.strip() for name in self.options["columns"].split(",")]
            own = dict(recording=pa.int64(), file=pa.string())
            unknown = [name for name in names if name not in known and name not in own]
            if unknown:
                raise ValueError(f"{self._event()} has no column {unknown[0]!r}")
            return pa.schema([(name, own.get(name) or known[name]) for name in names])
        return pa.schema([("recording", pa.int64()), *known.items(), ("file", pa.string())])

    def reader(self, schema: StructType) -> DataSourceReader:
        target = int(self.options.get("partitionBytes", str(16 << 20)))
        fail = str(self.options.get("failOnError", "false")).lower() == "true"
        kind = self.options.get("type")
        return _Reader(self._table(), self._event(), kind, self._files(), schema, target, fail)


class _Reader(DataSourceReader):
    def __init__(self, table, event, kind, files, schema, target, fail):
        self.table, self.event, self.kind, self.files = table, event, kind, files
        self.spark_schema, self.target, self.fail = schema, target, fail

    def partitions(self) -> List[InputPartition]:
        parts, some, size = [], [], 0
        for file, bytes_ in self.files:
            whole = self.table in (*_WHOLE, "losses")
            ranges = [(0, None)] if whole else _chunks(file, bytes_, self.target)
            if len(ranges) > 1:
                # The id is a hash of the whole file, so a task that reads a part cannot compute it.
                id = _id(file) if "recording" in self.spark_schema.names else None
                parts.extend(_Part([(file, begin, end, id)]) for begin, end in ranges)
                continue
            some.append((file, 0, None, None))
            size += bytes_
            if size >= self.target:
                parts.append(_Part(some))
                some, size = [], 0
        if some:
            parts.append(_Part(some))
        for number, part in enumerate(parts):
            part.value = number
        return parts

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        schema = _arrow_schema(self.spark_schema)
        for file, begin, end, id in partition.files:
            try:
                yield from self._file(file, begin, end, id, schema)
            except (jfrkit.JfrError, OSError) as error:
                if self.fail:
                    raise
                if self.table == "losses":
                    losses = pa.RecordBatch.from_pylist([{"file": file, "loss": str(error)}], schema=_LOSSES)
                    yield _batch(losses, file, schema)

    def _file(
        self, file: str, begin: int, end: Optional[int], id: Optional[int], schema: pa.Schema
    ) -> Iterator[pa.RecordBatch]:
        recording = _open(file, begin, end)
        if self.table == "losses":
            known = recording.summary()["warnings"]
            rows = [{"file": file, "loss": loss} for loss in known]
            if rows:
                yield _batch(pa.RecordBatch.from_pylist(rows, schema=_LOSSES), file, schema)
            return
        if self.table == "events":
            try:
                known = recording.columns(self.event)
            except ValueError:
                # This JVM does not know the type.
                return
            columns = [name for name in known if _renamed(name) in schema.names]
            if id is None and "recording" in schema.names:
                id = _first_eight(recording.hash)
            for batch in recording.batches(self.event, columns=columns):
                yield _batch(pa.record_batch(batch), file, schema, id, own=True)
            return
        for batch in recording.batches(self.table, type=self.kind):
            yield _batch(pa.record_batch(batch), file, schema, id)


def _first_eight(hash: str) -> int:
    return int.from_bytes(bytes.fromhex(hash)[:8], "big", signed=True)


_PPROF = StructField("pprof", BinaryType())


def _merge_in_order(rows: Any) -> Optional[bytes]:
    """Merges the profiles of rows in the order of their places."""
    profiles = [bytes(pprof) for _, pprof in sorted(rows, key=lambda row: row[0])]
    return jfrkit.merge(profiles) if profiles else None


def merge(
    df: DataFrame, by: Sequence[str], type: str = "cpu", fan_in: int = 64, tasks: Optional[int] = None
) -> DataFrame:
    """Merges the profiles of a type into one pprof per group of recordings.

    ``df`` has one row per recording, with the column ``file`` and the columns to group ``by``, like the table ``recordings``.
    Profiles are merged in file name order, first within each task, then up to ``fan_in`` at a time until one is left. The result is
    the same, byte for byte, as merging in a single process. Recordings that cannot be read or have no samples are skipped.
    ``tasks`` is the number of tasks that read recordings, by default ``spark.sql.shuffle.partitions``.
    """
    by = list(by)
    fields = [df.schema[name] for name in by]
    schema = StructType([*fields, StructField("place", LongType()), StructField("parts", LongType()), _PPROF])

    def profiles(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        arrow = _arrow_schema(schema)
        rows: dict = {}
        for batch in batches:
            for row in batch.to_pylist():
                key = tuple(row[name] for name in by)
                try:
                    pprof = _open(row["file"]).profile(type).pprof()
                except (jfrkit.JfrError, OSError):
                    continue
                if pprof is not None:
                    rows.setdefault(key, []).append((row["place"], pprof))
                if len(rows.get(key, ())) >= fan_in:
                    rows[key] = [(rows[key][0][0], _merge_in_order(rows[key]))]
        for key, some in rows.items():
            first = min(place for place, _ in some)
            record = dict(zip(by, key), place=first, parts=1, pprof=_merge_in_order(some))
            yield pa.RecordBatch.from_pylist([record], schema=arrow)

    # Each task gets a contiguous range, so it only merges adjacent profiles.
    from pyspark.sql.window import Window

    order = Window.partitionBy(*by).orderBy("file") if by else Window.orderBy("file")
    placed = df.select(*by, "file").withColumn("place", F.row_number().over(order).cast("long"))
    # Set the number explicitly: Spark would put such small rows into a single task.
    tasks = tasks or int(df.sparkSession.conf.get("spark.sql.shuffle.partitions"))
    ranges = placed.repartitionByRange(tasks, *by, "place").sortWithinPartitions(*by, "place")
    partial = ranges.mapInArrow(profiles, schema)

    def join(table: pa.Table) -> pa.Table:
        rows = table.to_pylist()
        merged = _merge_in_order([(row["place"], row["pprof"]) for row in rows])
        first = min(rows, key=lambda row: row["place"])
        return pa.Table.from_pylist([dict(first, pprof=merged)], schema=_arrow_schema(schema))

    # Merge as a tree: first groups of neighbors, then the groups.
    number = Window.partitionBy(*by).orderBy("place") if by else Window.orderBy("place")
    near = partial.withColumn("parts", F.floor((F.row_number().over(number) - 1) / fan_in).cast("long"))
    near = near.groupBy(*by, "parts").applyInArrow(join, schema)
    return near.groupBy(*by).applyInArrow(join, schema).select(*by, "pprof")


def findings(spark: Any, path: str) -> DataFrame:
    """The findings of the rules in recordings: the table ``findings``."""
    return spark.read.format("jfr").option("table", "findings").load(path)


def metrics(spark: Any, path: str) -> DataFrame:
    """The metrics of recordings, as a whole and over time: the table ``metrics``."""
    return spark.read.format("jfr").option("table", "metrics").load(path)


def diff(a: DataFrame, b: DataFrame, on: Sequence[str] = ()) -> DataFrame:
    """Compares profiles merged by :func:`merge` group by group: one row per function, with totals, change and noise."""
    on = list(on)
    left, right = (df.select(*on, F.col("pprof").alias(name)) for df, name in ((a, "a"), (b, "b")))
    both = left.join(right, on=on) if on else left.crossJoin(right)
    row = (
        "struct<name: string, a: long, b: long, self_a: long, self_b: long, change: double, ratio: double,"
        " deviations: double, noise: boolean>"
    )

    @F.udf(f"array<{row}>")
    def compare(x, y):
        return jfrkit.diff(bytes(x), bytes(y))

    return both.select(*on, F.explode(compare("a", "b")).alias("row")).select(*on, "row.*")
