"""Recordings of JDK Flight Recorder, by jfrkit's Rust libraries."""

import os
from typing import Any, BinaryIO, Dict, Iterator, List, Optional, Tuple, Union

__version__: str

class JfrError(Exception):
    """A recording cannot be read. ``file`` is what it is called, ``offset`` where in it, in bytes, if that is known."""

    file: str
    offset: Optional[int]

class Table:
    """A table in memory, which Arrow's libraries take without copies: it has the PyCapsule interface (a stream)."""

    num_rows: int
    column_names: List[str]
    losses: List[str]
    """What was lost while it was read, a line each."""
    def batches(self) -> List["Batch"]: ...
    def __len__(self) -> int: ...
    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any: ...
    def __arrow_c_schema__(self) -> Any: ...

class Batch:
    """Some rows of a table, with the PyCapsule interface (an array)."""

    def __len__(self) -> int: ...
    def __arrow_c_array__(self, requested_schema: Any = None) -> Tuple[Any, Any]: ...
    def __arrow_c_schema__(self) -> Any: ...

class Batches:
    """The batches of a table, read while they are asked for: two at most are in memory."""

    def __iter__(self) -> Iterator[Batch]: ...
    def __next__(self) -> Batch: ...
    def __arrow_c_schema__(self) -> Any: ...
    def close(self) -> None:
        """Ends the reading early."""

class Profile:
    """The profile of one type."""

    type: str
    totals: Dict[str, int]
    """The sum of each value by its name; nanoseconds, bytes or a count."""
    absent: Optional[str]
    """Why there are no samples, if there are none."""
    warnings: List[str]
    def pprof(self) -> Optional[bytes]:
        """pprof's ``profile.proto`` with gzip; None where there are no samples."""
    def table(self) -> Table:
        """The samples, one for each event."""
    def tree(self, *, min: float = 0.0) -> Optional[Dict[str, Any]]:
        """The flame tree: ``names`` and, for each node in depth-first order, its depth, name and values. Nodes of less than the
        share ``min`` of the total are folded."""

class Recording:
    """A recording in memory. Methods release the interpreter's lock, and end with Ctrl-C."""

    file: str
    hash: str
    """A hash of its unpacked bytes (XXH3), by which tables know it."""
    chunks: List[Tuple[int, int]]
    """Begin and end of each chunk, in bytes."""
    def summary(self) -> Dict[str, Any]:
        """Begin and duration (nanoseconds), chunks, and event types with their counts and bytes."""
    def info(self, *, show_secrets: bool = False) -> Dict[str, Any]:
        """What the recording knows of the JVM and the machine."""
    def metrics(self, *, step: Optional[float] = None) -> Dict[str, Any]:
        """Measures of the whole and over time, ``step`` seconds apart."""
    def analyze(self, *, rules: Optional[List[str]] = None, skip: Optional[List[str]] = None) -> Any:
        """The findings, worst first."""
    def profile(self, type: str = "cpu", *, labels: Optional[List[str]] = None) -> Profile:
        """The profile of a type: cpu, alloc, lock, …"""
    def tables(self) -> Dict[str, Optional[int]]:
        """The names of all tables; of those of events the number of rows."""
    def columns(self, name: str, *, type: Optional[str] = None) -> List[str]:
        """The names of the columns of a table; ``type`` is that of samples. Raises ValueError if there is no such table."""
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
        """A table: of an event type, by its name, or samples (of the profile ``type``), stacks, frames, threads, settings, metrics,
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
        """As :meth:`table`, a batch at a time."""

def open(
    source: Union[str, "os.PathLike[str]", bytes, BinaryIO], *, limits: Union[str, Dict[str, int], None] = None
) -> Recording:
    """Opens a recording, plain or packed with gzip, zip, LZ4 or zstd: a path, bytes, or a file. ``limits`` are ``"tool"``,
    ``"intake"`` (strict, for what others upload), or values by name, such as ``{"stack_frames": 100}``.

    Raises JfrError where it is no recording or beyond a limit, OSError where it cannot be read.
    """

def recording_id(file: BinaryIO) -> int:
    """The id that tables know a recording by, for a file that is not packed. It is read a few megabytes at a time."""

def merge(profiles: List[bytes]) -> bytes:
    """One profile out of several, pprof each, in this order. ``merge([merge([a, b]), c])`` and ``merge([a, b, c])`` are the same bytes."""

def diff(a: bytes, b: bytes, *, value: Optional[str] = None) -> List[Dict[str, Any]]:
    """Compares two profiles, pprof each, function by function, the greatest change by second first: ``name``, totals ``a`` and ``b``,
    ``self_a`` and ``self_b``, ``change``, ``ratio`` (None if it is not in a), ``deviations`` (of sampling), ``noise``."""

def table_columns(name: str, *, type: Optional[str] = None) -> Table:
    """An empty table with the columns of one that is not of events; ``type`` is that of samples."""

def main(args: List[str]) -> int:
    """The command line; the first argument is the name of the program."""
