"""Reads JDK Flight Recorder recordings with jfrkit's Rust libraries. In the examples, ``FIXTURE`` is ``fixtures/jdk17-full.jfr``."""

import os
from typing import Any, BinaryIO, Dict, List, Optional, Sequence, Tuple, Union, final

from . import Analysis

__all__ = [
    "Batch",
    "Batches",
    "JfrError",
    "Profile",
    "Recording",
    "Table",
    "__version__",
    "diff",
    "main",
    "merge",
    "open",
    "recording_id",
    "table_columns",
]

__version__: str

class JfrError(Exception):
    """A recording cannot be read. ``file`` is its name; ``offset`` is the position of the problem in bytes, if known."""

    file: str
    offset: Optional[int]

@final
class Table:
    """A table in memory.

    It implements the Arrow PyCapsule interface (as a stream), so ``pyarrow.table(t)``, ``polars.DataFrame(t)``, ``duckdb.sql("FROM t")``
    and ``pandas.DataFrame.from_arrow(t)`` read it without copying.

    >>> import jfrkit
    >>> t = jfrkit.open(FIXTURE).table("jdk.GarbageCollection", columns=["startTime", "sumOfPauses"])
    >>> t
    <jfrkit.Table of 9 rows, 2 columns>
    >>> len(t) == t.num_rows == 9
    True
    """

    @property
    def num_rows(self) -> int:
        """The number of rows."""
    @property
    def column_names(self) -> List[str]:
        """The names of the columns, in their order."""
    @property
    def losses(self) -> List[str]:
        """What was lost while reading, one line each."""
    def batches(self) -> List["Batch"]:
        """The parts of the table, each with a bounded number of rows.

        >>> import jfrkit
        >>> jfrkit.open(FIXTURE).table("jdk.FileRead").batches()
        [<jfrkit.Batch of 401 rows>]
        """
    def __len__(self) -> int: ...
    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...
    def __arrow_c_schema__(self) -> Any: ...

@final
class Batch:
    """Some rows of a table, with the Arrow PyCapsule interface (as an array): ``pyarrow.record_batch(b)`` reads them without copying."""

    def __len__(self) -> int: ...
    def __arrow_c_array__(self, requested_schema: Any = None) -> Tuple[Any, Any]: ...
    def __arrow_c_schema__(self) -> Any: ...

@final
class Batches:
    """The batches of a table, read on demand; at most two are in memory."""

    def __iter__(self) -> "Batches": ...
    def __next__(self) -> Batch: ...
    def __arrow_c_schema__(self) -> Any: ...
    def close(self) -> None:
        """Stops reading early.

        >>> import jfrkit
        >>> batches = jfrkit.open(FIXTURE).batches("jdk.FileRead")
        >>> batches.close()
        >>> list(batches)
        []
        """

@final
class Profile:
    """A profile of one type."""

    @property
    def type(self) -> str:
        """The name of the type, such as ``cpu``."""
    @property
    def totals(self) -> Dict[str, int]:
        """The total of each value by name: a count, nanoseconds (``…-time``) or bytes (``…-space``, ``…-size``)."""
    @property
    def absent(self) -> Optional[str]:
        """Why there are no samples; None if there are."""
    @property
    def warnings(self) -> List[str]:
        """Reasons why the profile may be wrong, one line each."""
    def pprof(self) -> Optional[bytes]:
        """The profile as gzipped pprof (``profile.proto``); None if there are no samples.

        >>> import jfrkit
        >>> jfrkit.open(FIXTURE).profile("cpu").pprof()[:2]
        b'\\x1f\\x8b'
        """
    def table(self) -> Table:
        """The samples, one row per event: the table ``samples`` of this type.

        >>> import jfrkit
        >>> jfrkit.open(FIXTURE).profile("cpu").table()
        <jfrkit.Table of 2099 rows, 17 columns>
        """
    def tree(self, *, min: float = 0.0) -> Optional[Dict[str, Any]]:
        """The flame graph as a tree; None if there are no samples.

        ``names`` lists each name once. ``depth``, ``name`` (an index into ``names``) and ``self`` have one entry per node, in depth-first
        order. ``self`` and ``total`` are in the unit of the profile's last value. Nodes below the share ``min`` of the total (0 to 1)
        are folded into ``[N more]`` nodes; ``folded`` has their number and value.

        >>> import jfrkit
        >>> profile = jfrkit.open(FIXTURE).profile("cpu")
        >>> tree = profile.tree(min=0.1)
        >>> len(tree["depth"]) == len(tree["name"]) == len(tree["self"])
        True
        >>> tree["total"] == profile.totals["cpu-time"]
        True
        """

@final
class Recording:
    """A recording in memory. Methods release the GIL, and Ctrl-C interrupts them."""

    @property
    def file(self) -> str:
        """The path, or the name of the file object, or ``<bytes>``."""
    @property
    def hash(self) -> str:
        """A hash of the decompressed bytes (XXH3, 32 hexadecimal digits). Its first half identifies the recording in tables."""
    @property
    def chunks(self) -> List[Tuple[int, int]]:
        """Start and end of each chunk, in bytes."""
    def summary(self) -> Dict[str, Any]:
        """The contents of the recording.

        ``start_nanos`` is the start in nanoseconds since 1970, ``duration_nanos`` the duration in nanoseconds, ``chunks`` a list with
        one entry per chunk, ``events`` a list with ``name``, ``count`` and ``bytes`` of each event type, ``warnings`` a list of lines.

        >>> import jfrkit
        >>> summary = jfrkit.open(FIXTURE).summary()
        >>> round(summary["duration_nanos"] / 1e9, 1)
        10.4
        >>> summary["events"][0]
        {'bytes': 23086, 'count': 2099, 'name': 'jdk.ExecutionSample'}
        """
    def info(self, *, show_secrets: bool = False) -> Dict[str, Any]:
        """Information about the JVM and the machine.

        ``overview`` is a list of pairs ``name`` and ``value``, both strings; ``sections`` has everything by section. Values that look like
        passwords, keys or tokens are masked unless ``show_secrets`` is given.

        >>> import jfrkit
        >>> jfrkit.open(FIXTURE).info()["overview"][0]
        {'name': 'Main class', 'value': 'fx.Workload'}
        """
    def metrics(self, *, step: Optional[float] = None) -> Dict[str, Any]:
        """Metrics of the whole recording and over time.

        ``step`` is the time between points in seconds; the default depends on the duration. ``metrics`` has the ``name``, ``unit``,
        ``value`` and ``points`` of each metric; a point is a list of the time in milliseconds since 1970, minimum, mean and maximum.

        >>> import jfrkit
        >>> metrics = jfrkit.open(FIXTURE).metrics(step=5.0)
        >>> metrics["step_nanos"]
        5000000000
        >>> metrics["metrics"][0]["name"], metrics["metrics"][0]["unit"], len(metrics["metrics"][0]["points"])
        ('cpu.cores', 'cores', 2)
        """
    def analyze(self, *, rules: Optional[Sequence[str]] = None, skip: Optional[Sequence[str]] = None) -> "Analysis":
        """The findings, worst first: :func:`jfrkit.analyze`.

        >>> import jfrkit
        >>> [finding.id for finding in jfrkit.open(FIXTURE).analyze(rules=["HotSpots", "FileRead"])]
        ['HotSpots']
        """
    def _findings(
        self, *, rules: Optional[Sequence[str]] = None, skip: Optional[Sequence[str]] = None
    ) -> List[Dict[str, Any]]: ...
    def profile(self, type: str = ..., *, labels: Optional[Sequence[str]] = None) -> Profile:
        """The profile of a type: ``cpu`` (the default), ``alloc``, ``lock``, ``wall``, … ``labels`` are the labels
        that samples get in pprof, such as ``thread``.

        >>> import jfrkit
        >>> jfrkit.open(FIXTURE).profile("cpu").totals
        {'cpu-samples': 2099, 'cpu-time': 8396000000}
        """
    def tables(self) -> Dict[str, Optional[int]]:
        """The names of all tables, with the number of rows for event tables and None for others.

        >>> import jfrkit
        >>> tables = jfrkit.open(FIXTURE).tables()
        >>> tables["jdk.FileRead"], tables["samples"]
        (401, None)
        """
    def columns(self, name: str, *, type: Optional[str] = ...) -> List[str]:
        """The column names of a table; ``type`` is the profile type of samples. Raises ValueError if there is no such table.

        >>> import jfrkit
        >>> jfrkit.open(FIXTURE).columns("jdk.GarbageCollection")
        ['startTime', 'duration', 'gcId', 'name', 'cause', 'sumOfPauses', 'longestPause']
        """
    def table(
        self,
        name: str,
        *,
        columns: Optional[Sequence[str]] = None,
        type: Optional[str] = ...,
        start: Optional[int] = None,
        end: Optional[int] = None,
        show_secrets: bool = False,
        recording: bool = False,
    ) -> Table:
        """A table: the name of an event type, or ``samples``, ``stacks``, ``frames``, ``threads``, ``settings``, ``metrics``,
        ``findings`` or ``recordings``.

        Rows are in the order of the file. ``columns`` are the event columns to decode, in this order. ``type`` is the profile type of
        samples, ``cpu`` by default. Rows start at or after ``start`` and before ``end``, in nanoseconds since 1970. ``recording`` adds
        the recording's id to events. Points in time are ``Timestamp(ns, UTC)``, durations ``Duration(ns)``; the unit of a number is in
        the metadata of its column.

        >>> import jfrkit
        >>> jfrkit.open(FIXTURE).table("jdk.FileRead", columns=["startTime", "path", "bytesRead"])
        <jfrkit.Table of 401 rows, 3 columns>
        """
    def batches(
        self,
        name: str,
        *,
        columns: Optional[Sequence[str]] = None,
        type: Optional[str] = ...,
        start: Optional[int] = None,
        end: Optional[int] = None,
        show_secrets: bool = False,
        recording: bool = False,
    ) -> Batches:
        """Like :meth:`table`, but one batch at a time, for tables larger than memory.

        >>> import jfrkit
        >>> sum(len(batch) for batch in jfrkit.open(FIXTURE).batches("jdk.FileRead"))
        401
        """

def open(
    source: Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, BinaryIO],
    *,
    limits: Union[str, Dict[str, int], None] = None,
) -> Recording:
    """Opens a recording from a path, bytes or a binary file, plain or compressed with gzip, zip, LZ4 or zstd.

    ``limits`` is ``"tool"`` (the default), ``"intake"`` (strict, for files uploaded by others), or a dict of values such as
    ``{"stack_frames": 100}``. Raises JfrError if it is not a recording or exceeds a limit, OSError if the file cannot be read.

    >>> import jfrkit
    >>> jfrkit.open(FIXTURE).chunks
    [(0, 550317)]
    """

def recording_id(file: BinaryIO) -> int:
    """The id of a recording in tables, a signed 64-bit number, for an uncompressed file. Reads 4 MiB at a time.

    >>> import jfrkit
    >>> with open(FIXTURE, "rb") as file:
    ...     jfrkit.recording_id(file)
    2315161358018254819
    """

def merge(profiles: Sequence[bytes]) -> bytes:
    """Merges pprof profiles of the same type in the given order.

    Neighbors may be merged first: ``merge([merge([a, b]), c])`` and ``merge([a, b, c])`` return the same bytes. Raises JfrError if the
    profiles have different sample types.

    >>> import jfrkit
    >>> cpu = jfrkit.open(FIXTURE).profile("cpu").pprof()
    >>> jfrkit.merge([jfrkit.merge([cpu, cpu]), cpu]) == jfrkit.merge([cpu, cpu, cpu])
    True
    """

def diff(a: bytes, b: bytes, *, value: Optional[str] = None) -> List[Dict[str, Any]]:
    """Compares two pprof profiles function by function, largest change per second first.

    Each row has the ``name`` of a function, its totals ``a`` and ``b`` and its self values ``self_a`` and ``self_b``, in the unit of
    ``value`` (by default the profile's last), ``change`` per second of the profiles, ``ratio`` (None if the function is not in a),
    ``deviations`` (the change in standard deviations of sampling) and ``noise`` (true if it may be chance).

    >>> import jfrkit
    >>> cpu = jfrkit.open(FIXTURE).profile("cpu").pprof()
    >>> all(row["noise"] and row["change"] == 0 for row in jfrkit.diff(cpu, cpu))
    True
    """

def table_columns(name: str, *, type: Optional[str] = ...) -> Table:
    """An empty table with the columns of a table other than events; ``type`` is the profile type of samples.

    >>> import jfrkit
    >>> jfrkit.table_columns("frames").column_names
    ['id', 'class', 'method', 'descriptor', 'line', 'kind']
    """

def main(args: Sequence[str]) -> int:
    """Runs the command line and returns its exit status; the first argument is the program name."""
