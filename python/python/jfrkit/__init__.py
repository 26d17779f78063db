"""Recordings of JDK Flight Recorder: summaries, findings, metrics, profiles, and tables that Arrow's libraries take.

>>> import jfrkit
>>> recording = jfrkit.open(FIXTURE)
>>> recording.summary()["events"][0].keys() >= {"name", "count", "bytes"}
True
>>> table = recording.table("jdk.GarbageCollection", columns=["startTime", "name", "sumOfPauses"])
>>> table.column_names
['startTime', 'name', 'sumOfPauses']
>>> len(table) == recording.tables()["jdk.GarbageCollection"]
True

A table has Arrow's PyCapsule interface: ``pyarrow.table(t)``, ``polars.DataFrame(t)``, ``duckdb.sql("FROM t")`` and
``pandas.DataFrame.from_arrow(t)`` read it without copies. jfrkit itself needs none of them.
"""

from dataclasses import dataclass
from typing import Any, Dict, List, Optional

from ._jfrkit import Batch, Batches, JfrError, Profile, Recording, Table, __version__, diff, merge, open, recording_id, table_columns

__all__ = [
    "Analysis",
    "Batch",
    "Batches",
    "Finding",
    "JfrError",
    "Profile",
    "Recording",
    "Table",
    "__version__",
    "analyze",
    "diff",
    "merge",
    "open",
    "recording_id",
    "table_columns",
]


@dataclass(frozen=True)
class Finding:
    """What a rule found. ``cost`` is the share of what it takes away, 0 to 1, if that is known; ``evidence`` depends on the rule."""

    id: str
    title: str
    category: str
    severity: str
    score: Optional[float]
    section: str
    cost: Optional[float]
    summary: str
    explanation: str
    remedy: str
    because_of: Optional[str]
    evidence: Dict[str, Any]


class Analysis(List[Finding]):
    """The findings of a recording, worst first; :meth:`table` has them as a table."""

    def __init__(self, recording: Recording, findings: List[Finding]):
        super().__init__(findings)
        self._recording = recording

    def table(self) -> Table:
        """The findings of all rules as a table."""
        return self._recording.table("findings")


def analyze(
    recording: Recording, *, rules: Optional[List[str]] = None, skip: Optional[List[str]] = None
) -> Analysis:
    """The findings of a recording, of all rules or of some.

    >>> [finding.id for finding in analyze(open(FIXTURE), rules=["FileRead"])] in ([], ["FileRead"])
    True
    """
    found = recording._findings(rules=rules, skip=skip)
    return Analysis(recording, [Finding(**finding) for finding in found])


