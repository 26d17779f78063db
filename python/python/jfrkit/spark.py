"""Recordings in Apache Spark 4: a data source, and profiles merged across a cluster.

    spark.dataSource.register(jfrkit.spark.JfrDataSource)
    df = spark.read.format("jfr").option("table", "samples").option("type", "cpu").load("/logs/**/*.jfr.gz")

The driver and the executors need ``pyspark`` ≥ 4 and ``pyarrow``. See docs/spark.md.
"""

import functools
import glob
import io
import os
import re
import struct
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, cast

import pyarrow as pa
from pyspark import TaskContext
from pyspark.sql import DataFrame, SparkSession
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
#: How many bytes a task reads by default; the option `partitionBytes` overrides it.
_TARGET = 16 << 20
#: The size of a chunk header in bytes.
_HEADER = 68
#: Columns added to those of an event; an event field of the same name gets an underscore.
_OWN = ("recording", "file")
_LOSSES = pa.schema([("file", pa.string()), ("recording", pa.int64()), ("loss", pa.string())])


def _local(path: str) -> Optional[str]:
    """The path if it is local, None if it is in another file system."""
    if path.startswith("file://"):
        return path[len("file://") :]
    return None if "://" in path else path


@functools.lru_cache(maxsize=64)
def _connect(uri: str) -> Tuple[Any, str]:
    from pyarrow import fs

    system, root = fs.FileSystem.from_uri(uri)
    return system, root.rstrip("/")


def _remote(path: str) -> Tuple[Any, str, str, str, str]:
    """Splits a path such as ``s3://bucket/logs/*.jfr?region=eu-west-1`` into the file system, the root within it (``bucket``), the
    root as a URI (``s3://bucket``), the path below the root, and the query including its question mark."""
    scheme, _, rest = path.partition("://")
    host, _, inner = rest.partition("/")
    at = inner.rfind("?")
    # Without an equals sign, the question mark is a wildcard.
    query = inner[at:] if at >= 0 and "=" in inner[at:] else ""
    inner = inner[: len(inner) - len(query)]
    system, root = _connect(f"{scheme}://{host}/{query}")
    return system, root, f"{scheme}://{host}", inner, query


def _pattern(glob: str) -> "re.Pattern[str]":
    """A regular expression for a glob. ``**/`` matches any number of folders, ``*`` and ``?`` do not match a slash."""
    out, at = [], 0
    while at < len(glob):
        end = glob.find("]", at + 2)
        if glob.startswith("**/", at):
            out.append("(?:[^/]+/)*")
            at += 3
        elif glob.startswith("**", at):
            out.append(".*")
            at += 2
        elif glob[at] == "[" and end > 0:
            chosen = glob[at + 1 : end].replace("\\", "\\\\")
            out.append(f"[^{chosen[1:]}]" if chosen[0] == "!" else f"[{chosen}]")
            at = end + 1
        else:
            out.append({"*": "[^/]*", "?": "[^/]"}.get(glob[at]) or re.escape(glob[at]))
            at += 1
    return re.compile("".join(out) + r"\Z")


def _find(paths: Sequence[str]) -> List[Tuple[str, int]]:
    """The files that match the patterns, sorted by name, each with its size."""
    found = {}
    for pattern in paths:
        local = _local(pattern)
        if local is not None:
            if os.path.isdir(local):
                local = os.path.join(local, "**", "*.jfr*")
            for file in glob.glob(local, recursive=True):
                if os.path.isfile(file):
                    found[file] = os.path.getsize(file)
            continue
        from pyarrow import fs

        system, root, prefix, inner, query = _remote(pattern)
        base = inner.rstrip("/")
        while any(c in base for c in "*?["):
            base = base.rpartition("/")[0]
        if inner and base == inner:
            of = system.get_file_info(f"{root}/{inner}")
            if of.type == fs.FileType.File:
                found[pattern] = of.size
                continue
        wanted = _pattern("**/*.jfr*" if base == inner.rstrip("/") else inner[len(base) :].lstrip("/"))
        folder = f"{root}/{base}".rstrip("/") or "/"
        for of in system.get_file_info(fs.FileSelector(folder, recursive=True, allow_not_found=True)):
            below = of.path[len(folder) :].lstrip("/")
            if of.type == fs.FileType.File and wanted.match(below):
                found["/".join(part for part in (prefix, base, below) if part) + query] = of.size
    return sorted(found.items())


def _stream(path: str) -> Any:
    """Opens a file for reading bytes."""
    local = _local(path)
    if local is not None:
        return open(local, "rb")
    system, root, _, inner, _ = _remote(path)
    return system.open_input_file(f"{root}/{inner}")


def _read(path: str, begin: int = 0, end: Optional[int] = None) -> bytes:
    with _stream(path) as file:
        if begin:
            file.seek(begin)
        data: bytes = file.read() if end is None else file.read(end - begin)
        return data


class _Named(io.BytesIO):
    """The bytes of a file, with its name for error messages."""

    name = ""


def _open(path: str, begin: int = 0, end: Optional[int] = None) -> jfrkit.Recording:
    local = _local(path)
    if local is not None and not begin and end is None:
        return jfrkit.open(local)
    if end is not None:
        return jfrkit.open(_read(path, begin, end))
    data = _Named(_read(path))
    data.name = path
    return jfrkit.open(data)


def _chunks(path: str, size: int, target: int) -> List[Tuple[int, Optional[int]]]:
    """Ranges of chunks, about `target` bytes each. A compressed, damaged or small file is a single range. Repeated chunks are left out,
    because jfrkit counts them only once."""
    whole: List[Tuple[int, Optional[int]]] = [(0, None)]
    if size <= target:
        return whole
    chunks: List[Tuple[int, int]] = []
    known: Dict[bytes, Tuple[int, int]] = {}
    at = 0
    with _stream(path) as file:
        while at < size:
            file.seek(at)
            header = file.read(_HEADER)
            length = struct.unpack(">q", header[8:16])[0] if len(header) == _HEADER and header[:4] == b"FLR\0" else 0
            if length < _HEADER or at + length > size:
                return whole
            chunk = (at, at + length)
            earlier = known.setdefault(header, chunk)
            if earlier == chunk or _read(path, *earlier) != _read(path, *chunk):
                chunks.append(chunk)
            at += length
    ranges: List[Tuple[int, Optional[int]]] = []
    begin, before = chunks[0]
    for chunk in chunks[1:]:
        if chunk[0] > before or before - begin >= target:
            ranges.append((begin, before))
            begin = chunk[0]
        before = chunk[1]
    return [*ranges, (begin, before)]


def _id(path: str) -> int:
    """The id of the recording in an uncompressed file, as used in tables."""
    with _stream(path) as file:
        return jfrkit.recording_id(file)


def _use_own_cores() -> None:
    """Limits jfrkit to as many threads as the task has cores: one, unless ``spark.task.cpus`` is set. Other cores belong to other
    tasks."""
    task = TaskContext.get()
    if task is not None:
        os.environ.setdefault("RAYON_NUM_THREADS", str(task.cpus()))


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


#: Number types; each can hold the values of those before it.
_NUMBERS = ([pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.decimal128(20, 0)], [pa.float32(), pa.float64()])


def _wider(a: pa.DataType, b: pa.DataType) -> pa.DataType:
    """A type that can hold the values of both; the first if there is none."""
    if pa.types.is_struct(a) and pa.types.is_struct(b):
        fields = {field.name: field.type for field in a}
        for field in b:
            fields[field.name] = _wider(fields.get(field.name, field.type), field.type)
        return pa.struct(list(fields.items()))
    if pa.types.is_list(a) and pa.types.is_list(b):
        return pa.list_(_wider(a.value_type, b.value_type))
    for numbers in _NUMBERS:
        if a in numbers and b in numbers:
            return max(a, b, key=numbers.index)
    return a


def _array(array: pa.Array, to: pa.DataType) -> pa.Array:
    """Converts an array to another type. Nested fields are matched by name; missing ones become null. If a value does not fit, as in a
    recording of another JVM, the whole array becomes null."""
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
    try:
        return array.cast(to)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.nulls(len(array), to)


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


#: A file, the byte range to read and, for part of a file, the id of the recording.
_File = Tuple[str, int, Optional[int], Optional[int]]


class _Part(InputPartition):
    """The files that a task reads."""

    def __init__(self, files: List[_File]):
        super().__init__(0)
        self.files = files


class JfrDataSource(DataSource):
    """The format ``jfr``. Options:

    - ``table``: an event type such as ``jdk.FileRead``, or ``events`` (the default; ``event`` is the type), ``samples`` (``type`` is the
      profile type, ``cpu`` by default), ``stacks``, ``frames``, ``threads``, ``settings``, ``metrics``, ``findings``, ``recordings``,
      ``losses``
    - ``columns``: the event columns to read, separated by commas; all by default
    - ``failOnError``: ``true`` fails the job if a recording cannot be read
    - ``partitionBytes``: how many bytes of files, or of chunks of a large file, a task reads; 16 MiB by default
    - ``schemaFiles``: how many recordings to examine for the event columns; 20 by default, and more while none has the type

    Points in time are timestamps with microseconds; durations are integers in nanoseconds.

    >>> spark.dataSource.register(jfrkit.spark.JfrDataSource)
    >>> reads = spark.read.format("jfr").option("table", "jdk.FileRead").option("columns", "path,bytesRead").load(FIXTURE)
    >>> reads.columns, reads.count()
    (['path', 'bytesRead'], 401)
    """

    @classmethod
    def name(cls) -> str:
        return "jfr"

    def _table(self) -> str:
        table = self.options.get("table", "events")
        if table in (*_TABLES, "losses"):
            return table
        if table != "events" and "." not in table:
            raise ValueError(f"no table {table!r}; expected an event type, events, {', '.join(_TABLES)} or losses")
        if not self._event():
            raise ValueError('missing option("event", …), the event type')
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
        known: Dict[str, pa.DataType] = {}
        enough = int(self.options.get("schemaFiles", "20"))
        for number, (file, size) in enumerate(self._files()):
            # A type that few recordings have is worth looking for.
            if number >= enough and known:
                break
            for field in self._columns_of(file, size) or ():
                name, of_field = _renamed(field.name), _plain(field.type)
                known[name] = _wider(known.get(name, of_field), of_field)
        if not known:
            raise ValueError(f"no recording has {self._event()}; specify a schema if later ones may have it")
        if self.options.get("columns"):
            names = [name.strip() for name in self.options["columns"].split(",")]
            types = {**known, "recording": pa.int64(), "file": pa.string()}
            unknown = [name for name in names if name not in types]
            if unknown:
                raise ValueError(f"{self._event()} has no column {unknown[0]!r}")
            return pa.schema([(name, types[name]) for name in names])
        return pa.schema([("recording", pa.int64()), *known.items(), ("file", pa.string())])

    def _columns_of(self, file: str, size: int) -> Optional[pa.Schema]:
        """The event columns of a recording. If it is large, only its first chunks are read, unless they do not define the type."""
        try:
            ranges = _chunks(file, size, _TARGET)
        except OSError:
            return None
        for begin, end in (ranges[0], (0, None)):
            try:
                batches = _open(file, begin, end).batches(self._event() or "")
                of = pa.schema(batches)
                batches.close()
                return of
            except (jfrkit.JfrError, OSError, ValueError):
                if len(ranges) == 1:
                    break
        return None

    def reader(self, schema: StructType) -> DataSourceReader:
        target = int(self.options.get("partitionBytes", str(_TARGET)))
        fail = str(self.options.get("failOnError", "false")).lower() == "true"
        kind = self.options.get("type")
        return _Reader(self._table(), self._event() or "", kind, self._files(), schema, target, fail)


class _Reader(DataSourceReader):
    def __init__(
        self,
        table: str,
        event: str,
        kind: Optional[str],
        files: List[Tuple[str, int]],
        schema: StructType,
        target: int,
        fail: bool,
    ):
        self.table, self.event, self.kind, self.files = table, event, kind, files
        self.spark_schema, self.target, self.fail = schema, target, fail

    def partitions(self) -> List[InputPartition]:
        parts: List[_Part] = []
        some: List[_File] = []
        size = 0
        for file, bytes_ in self.files:
            whole = self.table in (*_WHOLE, "losses")
            ranges = [(0, None)] if whole else _chunks(file, bytes_, self.target)
            if len(ranges) > 1:
                # The id is a hash of the whole file, so a task that reads a part cannot compute it.
                id = _id(file) if "recording" in self.spark_schema.names else None
                parts.extend(_Part([(file, begin, end, id)]) for begin, end in ranges)
                continue
            if bytes_ >= self.target:
                parts.append(_Part([(file, 0, None, None)]))
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
        return list(parts)

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        _use_own_cores()
        schema = _arrow_schema(self.spark_schema)
        for file, begin, end, id in cast(_Part, partition).files:
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


def _merge_in_order(rows: List[Tuple[int, bytes]]) -> bytes:
    """Merges the profiles of rows in the order of their places."""
    return jfrkit.merge([bytes(pprof) for _, pprof in sorted(rows, key=lambda row: row[0])])


def merge(
    df: DataFrame, by: Sequence[str], type: str = "cpu", fan_in: int = 64, tasks: Optional[int] = None
) -> DataFrame:
    """Merges the profiles of a type into one pprof per group of recordings.

    ``df`` has one row per recording, with the column ``file`` and the columns to group ``by``, like the table ``recordings``.
    Profiles are merged in file name order, first within each task, then up to ``fan_in`` at a time until one is left. The result is
    the same, byte for byte, as merging in a single process. Recordings that cannot be read or have no samples are skipped.
    ``tasks`` is the number of tasks that read recordings, by default ``spark.sql.shuffle.partitions``.

    The result has one row per group, with the columns ``by`` and ``pprof`` (gzipped bytes).

    >>> recordings = spark.read.format("jfr").option("table", "recordings").load(FIXTURE)
    >>> merged = jfrkit.spark.merge(recordings, by=["jvmName"], type="cpu", tasks=2)
    >>> [(row.jvmName, row.pprof[:2] == b"\\x1f\\x8b") for row in merged.collect()]
    [('OpenJDK 64-Bit Server VM', True)]
    """
    if fan_in < 2:
        raise ValueError(f"invalid fan_in {fan_in}: expected 2 or more")
    by = list(by)
    fields = [df.schema[name] for name in by]
    schema = StructType([*fields, StructField("place", LongType()), StructField("parts", LongType()), _PPROF])

    def profiles(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        _use_own_cores()
        arrow = _arrow_schema(schema)

        def batch(key: Tuple[Any, ...], some: List[Tuple[int, bytes]]) -> pa.RecordBatch:
            record = dict(zip(by, key), place=some[0][0], parts=1, pprof=_merge_in_order(some))
            return pa.RecordBatch.from_pylist([record], schema=arrow)

        # Rows are sorted by group, so a group is complete when the next one begins.
        group: Tuple[Any, ...] = ()
        some: List[Tuple[int, bytes]] = []
        for row in (row for rows in batches for row in rows.to_pylist()):
            key = tuple(row[name] for name in by)
            if key != group and some:
                yield batch(group, some)
                some = []
            group = key
            try:
                pprof = _open(row["file"]).profile(type).pprof()
            except (jfrkit.JfrError, OSError):
                continue
            if pprof is not None:
                some.append((row["place"], pprof))
            if len(some) >= fan_in:
                some = [(some[0][0], _merge_in_order(some))]
        if some:
            yield batch(group, some)

    # Each task gets a contiguous range, so it only merges adjacent profiles.
    from pyspark.sql.window import Window

    order = Window.partitionBy(*by).orderBy("file") if by else Window.orderBy("file")
    placed = df.select(*by, "file").withColumn("place", F.row_number().over(order).cast("long"))
    # Set the number explicitly: Spark would put such small rows into a single task.
    tasks = tasks or int(df.sparkSession.conf.get("spark.sql.shuffle.partitions") or 1)
    ranges = placed.repartitionByRange(tasks, *by, "place").sortWithinPartitions(*by, "place")
    merged = ranges.mapInArrow(profiles, schema)

    def join(table: pa.Table) -> pa.Table:
        rows = table.to_pylist()
        pprof = _merge_in_order([(row["place"], row["pprof"]) for row in rows])
        first = min(rows, key=lambda row: row["place"])
        return pa.Table.from_pylist([dict(first, pprof=pprof)], schema=_arrow_schema(schema))

    # Merge as a tree: at first a group has at most one profile per task; merge neighbors until it has at most `fan_in`.
    number = Window.partitionBy(*by).orderBy("place") if by else Window.orderBy("place")
    most = tasks
    while most > fan_in:
        near = merged.withColumn("parts", F.floor((F.row_number().over(number) - 1) / fan_in).cast("long"))
        merged = near.groupBy(*by, "parts").applyInArrow(join, schema)
        most = -(-most // fan_in)
    return merged.groupBy(*by).applyInArrow(join, schema).select(*by, "pprof")


def _rows(spark: SparkSession, table: str, path: str) -> DataFrame:
    return spark.read.format("jfr").option("table", table).load(path)


def findings(spark: SparkSession, path: str) -> DataFrame:
    """The findings of the rules in recordings: the table ``findings``, with one row per finding and recording.

    ``score`` is between 0 and 100, ``costShare`` between 0 and 1; ``evidence`` is JSON.

    >>> [row.id for row in jfrkit.spark.findings(spark, FIXTURE).orderBy("id").limit(2).collect()]
    ['Errors', 'ExplicitGc']
    """
    return _rows(spark, "findings", path)


def metrics(spark: SparkSession, path: str) -> DataFrame:
    """The metrics of recordings: the table ``metrics``, with one row per metric of a whole recording (``time`` is null) and one per point
    in time. ``unit`` is the unit of ``value``, ``min`` and ``max``.

    >>> row = jfrkit.spark.metrics(spark, FIXTURE).where("name = 'gc.count' AND time IS NULL").first()
    >>> row.unit, round(row.value, 1)
    ('per_minute', 51.9)
    """
    return _rows(spark, "metrics", path)


def diff(a: DataFrame, b: DataFrame, on: Sequence[str] = ()) -> DataFrame:
    """Compares profiles merged by :func:`merge` group by group: one row per function.

    ``a`` and ``b`` are the totals of the function in the unit of the profile's last value, ``self_a`` and ``self_b`` its self values.
    ``change`` is per second of the profiles, ``ratio`` is null if the function is not in a, ``deviations`` is the change in standard
    deviations of sampling, and ``noise`` is true if it may be chance. ``on`` are the group columns of both.

    >>> merged = jfrkit.spark.merge(spark.createDataFrame([(FIXTURE,)], "file string"), by=[], tasks=1)
    >>> jfrkit.spark.diff(merged, merged).where("NOT noise").count()
    0
    """
    on = list(on)
    left, right = (df.select(*on, F.col("pprof").alias(name)) for df, name in ((a, "a"), (b, "b")))
    both = left.join(right, on=on) if on else left.crossJoin(right)
    row = (
        "struct<name: string, a: long, b: long, self_a: long, self_b: long, change: double, ratio: double,"
        " deviations: double, noise: boolean>"
    )

    @F.udf(f"array<{row}>")
    def compare(x: bytes, y: bytes) -> List[Dict[str, Any]]:
        return jfrkit.diff(bytes(x), bytes(y))

    return both.select(*on, F.explode(compare("a", "b")).alias("row")).select(*on, "row.*")
