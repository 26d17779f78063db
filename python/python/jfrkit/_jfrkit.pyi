"""Reads JDK Flight Recorder recordings with jfrkit's Rust libraries."""

import os
from typing import Any, BinaryIO, Dict, Iterator, List, Optional, Tuple, Union

__version__: str

class JfrError(Exception):
    """A recording cannot be read. ``file`` is its name; ``offset`` is the position of the problem in bytes, if known."""

    file: str
    offset: Optional[int]

class Table:
    """A table in memory. Arrow libraries read it without copying, through the PyCapsule interface (as a stream)."""

    num_rows: int
    column_names: List[str]
    losses: List[str]
    """What was lost while reading, one line each."""
    def batches(self) -> List["Batch"]: ...
    def __len__(self) -> int: ...
    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...
    def __arrow_c_schema__(self) -> Any: ...

class Batch:
    """Some rows of a table, with the PyCapsule interface (as an array)."""

    def __len__(self) -> int: ...
    def __arrow_c_array__(self, requested_schema: Any = None) -> Tuple[Any, Any]: ...
    def __arrow_c_schema__(self) -> Any: ...

class Batches:
    """The batches of a table, read on demand; at most two are in memory."""

    def __iter__(self) -> Iterator[Batch]: ...
    def __next__(self) -> Batch: ...
    def __arrow_c_schema__(self) -> Any: ...
    def close(self) -> None:
        """Stops reading early."""

class Profile:
    """A profile of one type."""

    type: str
    totals: Dict[str, int]
    """The total of each value by name, in nanoseconds or bytes or as a count."""
    absent: Optional[str]
    """Why there are no samples, if there are none."""
    warnings: List[str]
    def pprof(self) -> Optional[bytes]:
        """The profile as gzipped pprof (``profile.proto``); None if there are no samples."""
    def table(self) -> Table:
        """The samples, one per event."""
    def tree(self, *, min: float = 0.0) -> Optional[Dict[str, Any]]:
        """The flame graph as a tree: ``names`` and, for each node in depth-first order, its depth, name and values. Nodes below the
        share ``min`` of the total are folded."""

class Recording:
    """A recording in memory. Methods release the GIL, and Ctrl-C interrupts them."""

    file: str
    hash: str
    """A hash of the decompressed bytes (XXH3), which identifies the recording in tables."""
    chunks: List[Tuple[int, int]]
    """Start and end of each chunk, in bytes."""
    def summary(self) -> Dict[str, Any]:
        """Start and duration (nanoseconds), chunks, and event types with their counts and bytes."""
    def info(self, *, show_secrets: bool = False) -> Dict[str, Any]:
        """Information about the JVM and the machine."""
    def metrics(self, *, step: Optional[float] = None) -> Dict[str, Any]:
        """Metrics of the whole recording and over time, ``step`` seconds apart."""
    def analyze(self, *, rules: Optional[List[str]] = None, skip: Optional[List[str]] = None) -> Any:
        """The findings, worst first."""
    def profile(self, type: str = "cpu", *, labels: Optional[List[str]] = None) -> Profile:
        """The profile of a type: cpu, alloc, lock, …"""
    def tables(self) -> Dict[str, Optional[int]]:
        """The names of all tables; for event tables with the number of rows."""
    def columns(self, name: str, *, type: Optional[str] = None) -> List[str]:
        """The column names of a table; ``type`` is the profile type of samples. Raises ValueError if there is no such table."""
    def table(
        self,
        name: str,
        *,
        columns: Optional[List[str]] = None,
        type: Optional[str] = None,
        start: Optional[int] = None,
        end: Optional[int] = None,
        show_secrets: bool = False,
        recording: bool = False,
    ) -> Table:
        """A table: the name of an event type, or samples (of the profile ``type``), stacks, frames, threads, settings, metrics,
        findings, recordings. ``start`` and ``end`` are nanoseconds since 1970. ``recording`` adds the recording's id to events."""
    def batches(
        self,
        name: str,
        *,
        columns: Optional[List[str]] = None,
        type: Optional[str] = None,
        start: Optional[int] = None,
        end: Optional[int] = None,
        show_secrets: bool = False,
        recording: bool = False,
    ) -> Batches:
        """Like :meth:`table`, but one batch at a time."""

def open(
    source: Union[str, "os.PathLike[str]", bytes, BinaryIO], *, limits: Union[str, Dict[str, int], None] = None
) -> Recording:
    """Opens a recording from a path, bytes or a file, plain or compressed with gzip, zip, LZ4 or zstd. ``limits`` is ``"tool"``,
    ``"intake"`` (strict, for files uploaded by others), or a dict of values such as ``{"stack_frames": 100}``.

    Raises JfrError if it is not a recording or exceeds a limit, OSError if the file cannot be read.
    """

def recording_id(file: BinaryIO) -> int:
    """The id of a recording in tables, for an uncompressed file. Reads a few megabytes at a time."""

def merge(profiles: List[bytes]) -> bytes:
    """Merges pprof profiles in the given order. ``merge([merge([a, b]), c])`` and ``merge([a, b, c])`` return the same bytes."""

def diff(a: bytes, b: bytes, *, value: Optional[str] = None) -> List[Dict[str, Any]]:
    """Compares two pprof profiles function by function, largest change per second first: ``name``, totals ``a`` and ``b``, ``self_a``
    and ``self_b``, ``change``, ``ratio`` (None if the function is not in a), ``deviations`` (of sampling), ``noise``."""

def table_columns(name: str, *, type: Optional[str] = None) -> Table:
    """An empty table with the columns of a table other than events; ``type`` is the profile type of samples."""

def main(args: List[str]) -> int:
    """Runs the command line; the first argument is the program name."""
