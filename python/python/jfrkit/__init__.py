"""Read JDK Flight Recorder recordings: summaries, findings, metrics, profiles, and tables for Arrow libraries.

>>> import jfrkit
>>> recording = jfrkit.open(FIXTURE)
>>> recording.summary()["events"][0].keys() >= {"name", "count", "bytes"}
True
>>> table = recording.table("jdk.GarbageCollection", columns=["startTime", "name", "sumOfPauses"])
>>> table.column_names
['startTime', 'name', 'sumOfPauses']
>>> len(table) == recording.tables()["jdk.GarbageCollection"]
True

Tables implement the Arrow PyCapsule interface, so ``pyarrow.table(t)``, ``polars.DataFrame(t)``, ``duckdb.sql("FROM t")`` and
``pandas.DataFrame.from_arrow(t)`` read them without copying. jfrkit itself needs none of these libraries.
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
    """What a rule found. ``cost`` is the share of the resource that the problem takes, 0 to 1, if known; ``evidence`` depends on the rule."""

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
    """The findings of a recording, worst first; :meth:`table` returns them as a table."""

    def __init__(self, recording: Recording, findings: List[Finding]):
        super().__init__(findings)
        self._recording = recording

    def table(self) -> Table:
        """The findings of all rules as a table."""
        return self._recording.table("findings")


def analyze(
    recording: Recording, *, rules: Optional[List[str]] = None, skip: Optional[List[str]] = None
) -> Analysis:
    """Analyzes a recording with all rules or some of them.

    >>> [finding.id for finding in analyze(open(FIXTURE), rules=["FileRead"])] in ([], ["FileRead"])
    True
    """
    found = recording._findings(rules=rules, skip=skip)
    return Analysis(recording, [Finding(**finding) for finding in found])


