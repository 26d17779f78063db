"""Checks the wheel against itself, against the libraries that read its tables, and with hostile files."""

import ast
import doctest
import functools
import gzip
import inspect
import io
import json
import os
import pathlib
import pickle
import random
import signal
import subprocess
import sys
import threading
import time

import pytest

import jfrkit


def test_paths_bytes_and_files_are_the_same(fixtures):
    path = fixtures / "jdk11-profile.jfr.gz"
    packed = path.read_bytes()
    plain = gzip.decompress(packed)
    hashes = {
        jfrkit.open(source).hash
        for source in (path, str(path), packed, plain, bytearray(plain), io.BytesIO(packed))
    }
    assert len(hashes) == 1


def test_errors_name_the_file_and_the_place(tmp_path, fixtures):
    with pytest.raises(FileNotFoundError) as none:
        jfrkit.open(tmp_path / "none.jfr")
    assert none.value.filename.endswith("none.jfr")
    wrong = tmp_path / "wrong.jfr"
    wrong.write_bytes(b"not a recording")
    with pytest.raises(jfrkit.JfrError) as error:
        jfrkit.open(wrong)
    assert error.value.file == str(wrong) and error.value.offset is None
    with pytest.raises(jfrkit.JfrError) as error:
        jfrkit.open(fixtures / "jdk17-full.jfr", limits={"recording_bytes": 1000})
    assert "recording" in str(error.value)
    with pytest.raises(ValueError, match="no limit"):
        jfrkit.open(fixtures / "jdk17-full.jfr", limits={"nothing": 1})
    with pytest.raises(TypeError):
        jfrkit.open(17)


def test_rows_are_those_of_the_summary(recording):
    counts = {event["name"]: event["count"] for event in recording.summary()["events"]}
    tables = recording.tables()
    assert {name: n for name, n in tables.items() if n is not None} == counts
    for name, count in counts.items():
        assert len(recording.table(name)) == count, name
        assert sum(len(batch) for batch in recording.batches(name)) == count, name
    with pytest.raises(ValueError, match="jdk.Nothing"):
        recording.table("jdk.Nothing")


def test_columns_come_in_the_order_asked_for(recording):
    assert recording.columns("jdk.FileRead")[:2] == ["startTime", "duration"]
    assert recording.table("jdk.FileRead", columns=["path", "startTime"]).column_names == ["path", "startTime"]
    with pytest.raises(ValueError, match='jdk.FileRead has no column "nothing"'):
        recording.table("jdk.FileRead", columns=["path", "nothing"])


def test_samples_are_those_of_the_profile(recording):
    pyarrow = pytest.importorskip("pyarrow")
    compute = pytest.importorskip("pyarrow.compute")
    for kind in ("cpu", "alloc", "lock", "file-io"):
        profile = recording.profile(kind)
        table = pyarrow.table(profile.table())
        for value, total in profile.totals.items():
            assert compute.sum(table[value.replace("-", "_")]).as_py() == total, (kind, value)
    assert gzip.decompress(recording.profile("cpu").pprof())
    tree = recording.profile("cpu").tree()
    assert tree["total"] == recording.profile("cpu").totals["cpu-time"]
    nothing = recording.profile("native-lock")
    assert nothing.pprof() is None and nothing.absent


def test_findings_are_objects_and_a_table(recording):
    findings = recording.analyze()
    assert findings and all(isinstance(finding, jfrkit.Finding) for finding in findings)
    assert len(findings.table()) == len(findings)
    assert [f.id for f in recording.analyze(skip=[findings[0].id])] != [f.id for f in findings]
    with pytest.raises(ValueError):
        recording.analyze(rules=["Nothing"])


def test_info_and_metrics(recording):
    assert any(entry["value"] for entry in recording.info()["overview"])
    metrics = recording.metrics(step=1.0)
    assert metrics["step_nanos"] == 1_000_000_000 and len(metrics["metrics"]) >= 20
    with pytest.raises(ValueError):
        recording.metrics(step=0)


def test_pyarrow_takes_tables(recording):
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table(recording.table("jdk.FileRead", columns=["startTime", "duration", "path", "bytesRead"]))
    assert table.column_names == ["startTime", "duration", "path", "bytesRead"]
    assert table.schema.field("startTime").type == pyarrow.timestamp("ns", "UTC")
    assert table.schema.field("duration").type == pyarrow.duration("ns")
    assert table.schema.field("bytesRead").metadata[b"unit"] == b"bytes"
    assert table.num_rows == 401
    table.validate(full=True)
    batches = [pyarrow.record_batch(batch) for batch in recording.batches("jdk.FileRead")]
    columns = ["startTime", "path"]
    assert pyarrow.Table.from_batches(batches).select(columns).to_pylist() == table.select(columns).to_pylist()


def test_polars_takes_tables(recording):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(recording.table("jdk.GarbageCollection"))
    assert frame.height == len(recording.table("jdk.GarbageCollection"))
    assert frame["sumOfPauses"].sum().total_seconds() > 0
    taken = polars.from_arrow(recording.table("jdk.GarbageCollection"))
    # Polars 2 turns a stream into a series of structs.
    taken = taken.struct.unnest() if isinstance(taken, polars.Series) else taken
    assert taken.equals(frame)


def test_duckdb_takes_tables(recording):
    duckdb = pytest.importorskip("duckdb")
    pyarrow = pytest.importorskip("pyarrow")
    t = recording.table("jdk.FileRead")
    found = duckdb.sql("SELECT count(*), sum(bytesRead) FROM t").fetchall()[0]
    assert found == (401, sum(pyarrow.table(t)["bytesRead"].to_pylist()))
    assert len(duckdb.sql("FROM t").fetchall()) == 401


def test_pandas_takes_tables(recording):
    pandas = pytest.importorskip("pandas")
    pyarrow = pytest.importorskip("pyarrow")
    t = recording.table("jdk.GarbageCollection", columns=["startTime", "name"])
    frame = pyarrow.table(t).to_pandas()
    assert len(frame) == len(t) and str(frame["startTime"].dtype) == "datetime64[ns, UTC]"
    if hasattr(pandas.DataFrame, "from_arrow"):
        pandas.testing.assert_frame_equal(pandas.DataFrame.from_arrow(t), frame)


def test_cells_are_those_of_print(recording, fixtures, capfd):
    pyarrow = pytest.importorskip("pyarrow")
    printed = subprocess.run(
        [sys.executable, "-m", "jfrkit", "print", "--format", "json", "--events", "jdk.GCHeapSummary", recording.file],
        capture_output=True,
        check=True,
    )
    expected = [json.loads(line)["values"] for line in printed.stdout.splitlines()]
    rows = pyarrow.table(recording.table("jdk.GCHeapSummary", columns=["gcId", "when", "heapSpace", "heapUsed"])).to_pylist()
    assert rows == [{key: value for key, value in row.items() if key != "startTime"} for row in expected]


def test_profiles_merge(recording, fixtures):
    cpu = recording.profile("cpu").pprof()
    two = jfrkit.merge([cpu, cpu])
    assert jfrkit.merge([jfrkit.merge([cpu]), jfrkit.merge([cpu])]) == two
    names = ["jdk17-multichunk.jfr", "jdk11-profile.jfr.gz", "jdk17-profile.jfr.gz", "jdk21-full.jfr.gz"]
    a, b, c, d = [jfrkit.open(fixtures / name).profile("cpu").pprof() for name in names]
    whole = jfrkit.merge([a, b, c, d])
    assert jfrkit.merge([jfrkit.merge([a, b]), jfrkit.merge([c, d])]) == whole
    assert jfrkit.merge([jfrkit.merge([jfrkit.merge([a]), b, c]), d]) == whole
    with pytest.raises(jfrkit.JfrError, match="sample types"):
        jfrkit.merge([cpu, recording.profile("alloc").pprof()])


@pytest.mark.parametrize("kind", ["cpu", "alloc", "lock", "park", "file-io"])
def test_merging_neighbors_first_changes_no_byte(fixtures, kind):
    """Which is what lets a cluster merge in any partitioning."""
    folders = (fixtures, fixtures / "metrics", fixtures / "scenarios")
    paths = [path for folder in folders for path in sorted(folder.glob("*.jfr*"))[:12]]
    random.Random(16).shuffle(paths)
    profiles = [pprof for pprof in (jfrkit.open(path).profile(kind).pprof() for path in paths) if pprof]
    assert len(profiles) >= 4
    whole = jfrkit.merge(profiles)
    for seed in range(10):
        rng, left = random.Random(seed), list(profiles)
        while len(left) > 1:
            begin = rng.randrange(len(left) - 1)
            end = rng.randrange(begin + 1, len(left)) + 1
            left[begin:end] = [jfrkit.merge(left[begin:end])]
        assert left == [whole], seed


def test_other_threads_run_meanwhile(recording):
    done = threading.Event()
    turns = 0

    def work():
        for _ in range(3):
            recording.analyze()
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not done.is_set():
        turns += 1
        time.sleep(0)
    thread.join()
    assert turns > 10


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_reads_too(recording):
    """Without its own threads it would wait forever."""
    rows = len(recording.table("jdk.FileRead"))
    child = os.fork()
    if child == 0:
        os._exit(0 if len(recording.table("jdk.FileRead")) == rows else 1)
    for _ in range(1200):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        time.sleep(0.1)
    else:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        pytest.fail("the child waits")
    assert os.waitstatus_to_exitcode(status) == 0


def test_batches_that_nobody_takes_stop_nothing(recording):
    idle = [recording.batches("jdk.ExecutionSample") for _ in range(20)]
    assert [len(recording.table("jdk.FileRead")) for _ in range(3)] == [401] * 3
    for batches in idle:
        batches.close()
        assert list(batches) == []


def test_ids_of_files(fixtures):
    path = fixtures / "jdk17-full.jfr"
    with open(path, "rb") as file:
        assert jfrkit.recording_id(file) == int.from_bytes(bytes.fromhex(jfrkit.open(path).hash)[:8], "big", signed=True)


def test_errors_can_be_pickled(tmp_path):
    wrong = tmp_path / "wrong.jfr"
    wrong.write_bytes(b"not a recording")
    with pytest.raises(jfrkit.JfrError) as error:
        jfrkit.open(wrong)
    again = pickle.loads(pickle.dumps(error.value))
    assert (type(again), str(again), again.file) == (jfrkit.JfrError, str(error.value), str(wrong))


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_stops(fixtures):
    """A large recording with many chunks: the same one repeated."""
    program = f"""
import sys, jfrkit
data = open({str(fixtures / "jdk17-multichunk.jfr")!r}, "rb").read()
recording = jfrkit.open(data * (256 * 1024 * 1024 // len(data)))
print("ready", flush=True)
try:
    for _ in range(1000):
        recording.profile("cpu")
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60)[0] == "interrupted\n"
    assert process.returncode == 0


def test_damaged_recordings_do_not_end_the_process(fixtures):
    """Reads damaged copies of a small recording in another process, which must not crash."""
    program = f"""
import random, jfrkit
data = open({str(fixtures / "jdk17-multichunk.jfr")!r}, "rb").read()
rng = random.Random(17)
read = 0
for n in range(200):
    damaged = bytearray(data)
    for _ in range(1 << rng.randrange(8)):
        at = rng.randrange(len(damaged)) if n % 2 else rng.randrange(4096)
        damaged[at] = rng.randrange(256)
    if n % 5 == 0:
        del damaged[rng.randrange(len(damaged)):]
    try:
        recording = jfrkit.open(bytes(damaged), limits="intake")
        for name in ("jdk.ExecutionSample", "jdk.ActiveSetting", "samples", "stacks", "threads", "settings"):
            try:
                read += len(recording.table(name))
            except ValueError:
                pass
        recording.profile("cpu").pprof()
    except jfrkit.JfrError:
        pass
print("read", read > 0)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (0, "read True\n"), done.stderr[-2000:]


def test_the_command_line(fixtures):
    run = [sys.executable, "-m", "jfrkit"]
    done = subprocess.run([*run, "summary", fixtures / "jdk17-full.jfr"], capture_output=True, text=True)
    assert done.returncode == 0 and "fx.Workload" in done.stdout, done
    assert subprocess.run([*run, "nothing"], capture_output=True).returncode == 2


def docs_of_stubs():
    """The docstrings in the stubs, by the path of what they are of."""
    path = pathlib.Path(jfrkit.__file__).with_name("_jfrkit.pyi")
    docs = {}
    for node in ast.parse(path.read_text()).body:
        for of in [node, *(node.body if isinstance(node, ast.ClassDef) else [])]:
            if isinstance(of, (ast.ClassDef, ast.FunctionDef)):
                docs[of.name if of is node else f"{node.name}.{of.name}"] = ast.get_docstring(of)
    return docs


def test_examples_in_docs(fixtures):
    names = {"FIXTURE": str(fixtures / "jdk17-full.jfr")}
    done = doctest.testmod(jfrkit, extraglobs=names)
    assert done.attempted >= 5 and done.failed == 0
    docs = docs_of_stubs()
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner()
    for name, doc in docs.items():
        runner.run(parser.get_doctest(doc or "", dict(names), name, "_jfrkit.pyi", 0))
    assert runner.failures == 0
    # Every function and method has an example.
    lacking = set()
    for name, doc in docs.items():
        of = functools.reduce(getattr, name.split("."), jfrkit._jfrkit)
        if inspect.isroutine(of) and not inspect.isdatadescriptor(of) and not name.rpartition(".")[2].startswith("_"):
            lacking |= {name} if ">>>" not in (doc or "") else set()
    assert lacking == {"main"}


def test_buffers_are_recordings_too(fixtures):
    """A gigabyte is not taken number by number."""
    data = (fixtures / "jdk17-multichunk.jfr").read_bytes()
    assert jfrkit.open(memoryview(data)).hash == jfrkit.open(io.BytesIO(data)).hash == jfrkit.open(data).hash
    with pytest.raises(TypeError, match="a path, bytes or a file"):
        jfrkit.open(["no", "recording"])
