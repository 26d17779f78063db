#!/usr/bin/env python3
"""Reads the files of `jfrkit export` with pyarrow, Polars and DuckDB: all must see the same, the README's questions must have
answers, and sums must match `jfrkit convert`. Usage: .ci/tables.py JFRKIT"""

import pathlib
import re
import subprocess
import sys
import tempfile

import duckdb
import polars
import pyarrow
import pyarrow.ipc
import pyarrow.parquet

ROOT = pathlib.Path(__file__).resolve().parents[1]


def run(*args, cwd):
    return subprocess.run([str(a) for a in args], cwd=cwd, check=True, capture_output=True, text=True).stdout


def readers(folder):
    """Every file has the same rows and the same first time with every reader."""
    files = sorted(folder.rglob("*.parquet"))
    assert len(files) > 80, len(files)
    for file in files:
        table = pyarrow.parquet.ParquetFile(file).read()
        table.validate(full=True)
        assert polars.read_parquet(file, hive_partitioning=False).height == table.num_rows, file
        assert duckdb.sql(f"SELECT count(*) FROM '{file}'").fetchall()[0] == (table.num_rows,), file
        if "startTime" in table.column_names:
            first = duckdb.sql(f"SELECT epoch_ns(min(startTime)) FROM '{file}'").fetchall()[0][0]
            values = [value for value in table["startTime"].cast("int64").to_pylist() if value is not None]
            assert first == min(values, default=None), file
    return len(files)


def questions(work):
    """The answers to the questions in the README, in the same order."""
    text = (ROOT / "README.md").read_text()
    section = text[text.index("## Many recordings") :]
    sql = re.search(r"```sql\n(.*?)```", section, re.S).group(1).replace("'target/", f"'{work}/target/")
    answers = [duckdb.sql(question).fetchall() for question in sql.split(";") if question.strip()]
    assert len(answers) == 5 and all(answers), answers
    methods, locks, pauses, problems, allocations = answers
    assert methods[0][:2] == ("fx.Workload", "fx.Workload.burnUnit"), methods
    assert any(lock == "fx.Workload$Guard" for _, lock, _, _ in locks), locks
    assert {cause for cause, _, _ in pauses} >= {"System.gc()", "G1 Evacuation Pause"}, pauses
    assert all(0 < share <= 1 for _, _, share in problems), problems
    assert allocations[0][1] > 0, allocations


def sums(jfrkit, work):
    """The numbers of samples that `convert` prints match the table."""
    recording = ROOT / "fixtures/jdk17-full.jfr"
    printed = run(jfrkit, "convert", "-o", "profiles", recording, cwd=work)
    tables = work / "target/tables"
    where = f"recording = (SELECT id FROM '{tables}/recordings/*.parquet' WHERE file LIKE '%jdk17-full.jfr')"
    compared = 0
    for kind, samples in re.findall(r"^(\S+) +([\d,]+) samples", printed, re.M):
        names = duckdb.sql(f"DESCRIBE SELECT * FROM '{tables}/samples/type={kind}/*.parquet'").fetchall()
        columns = [name for name, *_ in names]
        count = columns[columns.index("traceEndpoint") + 1]
        found = duckdb.sql(f"SELECT sum({count}) FROM '{tables}/samples/type={kind}/*.parquet' WHERE {where}").fetchall()[0]
        assert found == (int(samples.replace(",", "")),), (kind, samples, found)
        compared += 1
    assert compared >= 10, printed


def formats(jfrkit, work):
    """Arrow and CSV have the same rows as Parquet."""
    recording = ROOT / "fixtures/jdk17-full.jfr"
    heap = {}
    for form, ending in (("parquet", "parquet"), ("arrow", "arrow"), ("csv", "csv")):
        args = ("export", "-o", form, "--format", form, "--tables", "events", "--events", "GCHeapSummary", recording)
        run(jfrkit, *args, cwd=work)
        (heap[form],) = (work / form).rglob(f"*.{ending}")
    table = pyarrow.parquet.ParquetFile(heap["parquet"]).read()
    with pyarrow.ipc.open_file(heap["arrow"]) as reader:
        arrow = reader.read_all()
    assert arrow.column_names == table.column_names
    for name, column in zip(table.column_names, table.columns):
        assert arrow[name].combine_chunks().equals(column.cast(arrow[name].type).combine_chunks()), name
    assert arrow.schema.field("heapUsed").metadata == table.schema.field("heapUsed").metadata
    used = duckdb.sql(f"SELECT heapUsed FROM read_csv('{heap['csv']}')").fetchall()
    assert [value for value, in used] == table["heapUsed"].to_pylist()


def main():
    jfrkit = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        inputs = sorted([*ROOT.glob("fixtures/*.jfr"), *ROOT.glob("fixtures/*.jfr.gz")])
        run(jfrkit, "export", "-o", "target/tables", *inputs, cwd=work)
        files = readers(work / "target/tables")
        questions(work)
        sums(jfrkit, work)
        formats(jfrkit, work)
    print(f"{files} files are the same to pyarrow, Polars and DuckDB; 5 questions answered; sums are those of convert")


if __name__ == "__main__":
    main()
