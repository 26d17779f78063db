#!/usr/bin/env python3
"""Measures whole processes and prints ratios, for the table in docs/performance.md.

    cargo build --release --workspace
    benches/measure.py [--runs N] HEAVY.jfr [SINGLE-CHUNK.jfr [SMALL.jfr ...]]

HEAVY is a large recording of several chunks, SINGLE-CHUNK one with all its events in one chunk. The commands
of each pair alternate, N times after a warm-up, and the median of the ratios is shown, so it does not matter if the
machine gets slower in between. Times are wall-clock times; output goes to a directory in memory if there is one.

If valgrind is installed, the instructions of one thread are counted first: the counts are exact even on a busy machine.
Ratios over two threads are only meaningful on two idle cores, so the script first checks whether there are two, and
reports it. Other tools are measured if they are installed: async-profiler's `jfrconv` (one kind of stacks as collapsed
text) and the JDK's `jfr summary` (counts by event type).
"""
import argparse
import os
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

BIN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "target", "release")


def run(words, threads=None):
    """(seconds, peak resident megabytes)"""
    env = dict(os.environ, **({"RAYON_NUM_THREADS": str(threads)} if threads else {}))
    begin = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - begin
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{' '.join(words)}: exit {os.waitstatus_to_exitcode(status)}")
    return seconds, usage.ru_maxrss / 1024


def pairs(a, b, runs, threads=(None, None)):
    """Median seconds of both, and the median of b / a."""
    run(a, threads[0]), run(b, threads[1])
    seen = [(run(a, threads[0])[0], run(b, threads[1])[0]) for _ in range(runs)]
    return (statistics.median(x for x, _ in seen), statistics.median(y for _, y in seen),
            statistics.median(y / x for x, y in seen))


def instructions(words):
    """Millions of instructions of a command on one thread, or None without valgrind."""
    if not shutil.which("valgrind"):
        return None
    env = dict(os.environ, RAYON_NUM_THREADS="1")
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *words]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: exit {done.returncode} under valgrind")
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1)) / 1e6


SPIN = "import time\nn = 0\nbegin = time.perf_counter()\nwhile n < 20_000_000: n += 1\nprint(time.perf_counter() - begin)"


def idle_cores():
    """How much work two spinning processes do in the time of one: 2.0 on two idle cores."""
    spin = lambda: subprocess.Popen([sys.executable, "-c", SPIN], stdout=subprocess.PIPE, text=True)
    alone = float(spin().communicate()[0])
    both = [spin(), spin()]
    return 2 * alone / max(float(process.communicate()[0]) for process in both)


def peers(path):
    """Name, command and output of the other tools that are installed."""
    for name, words, product in [
        ("jfrconv", ["jfrconv", "--cpu", path, os.devnull], "CPU stacks as collapsed text"),
        ("jfr", ["jfr", "summary", path], "counts by event type"),
    ]:
        if shutil.which(name):
            yield name, words, product


def later(recording, hours):
    """The recording, shifted by some hours, because identical chunks would count once. A chunk's size is at offset 8, its start at 32."""
    moved, at = bytearray(recording), 0
    while at < len(moved):
        (start,) = struct.unpack_from(">q", moved, at + 32)
        struct.pack_into(">q", moved, at + 32, start + hours * 3_600_000_000_000)
        (size,) = struct.unpack_from(">q", moved, at + 8)
        at += size
    return moved


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--runs", type=int, default=9)
    args.add_argument("heavy")
    args.add_argument("single", nargs="?")
    args.add_argument("small", nargs="*")
    args = args.parse_args()
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    out = tempfile.mkdtemp(prefix="jfrkit-measure-", dir=memory)
    kit, walk, jfrs = (os.path.join(BIN, name) for name in ("jfrkit", "header-walk", "jfrs-iterate"))
    convert = lambda path, *more: [kit, "convert", path, "-o", out, *more]
    show = lambda what, value, bar: print(f"| {what} | {value} | {bar} |", flush=True)
    cores = idle_cores()
    if cores < 1.9:
        print(f"Two processes do {cores:.2f} × the work of one here: two cores are not idle, so take only the instructions.\n")
    print("| what | measured | bar |\n|---|---|---|")
    try:
        counted = [("convert", convert(args.heavy), "1,850"), ("convert --types cpu", convert(args.heavy, "--types", "cpu"), "520")]
        counted += [(f"convert {os.path.basename(small)}", convert(small), "270") for small in args.small]
        counted += [("analyze", [kit, "analyze", args.heavy], "4,200")]
        for what, words, bar in counted:
            millions = instructions(words)
            if millions is not None:
                show(f"{what}, instructions", f"{millions:,.0f} M", f"≤ {bar} M")
        a, b, ratio = pairs(convert(args.heavy), [jfrs, args.heavy], args.runs)
        show("jfrs iterates events ÷ convert, all types", f"{ratio:.1f} × ({b * 1e3:.0f} ms ÷ {a * 1e3:.0f} ms)", "≥ 10 ×")
        a, b, ratio = pairs([walk, args.heavy], convert(args.heavy), args.runs)
        show("convert, all types ÷ walk of event headers", f"{ratio:.1f} × ({b * 1e3:.0f} ms ÷ {a * 1e3:.1f} ms)", "≤ 12 ×")
        _, _, ratio = pairs(convert(args.heavy), convert(args.heavy, "--types", "cpu"), args.runs)
        show("convert --types cpu ÷ all types", f"{ratio * 100:.0f} %", "≤ 45 %")
        _, _, ratio = pairs(convert(args.heavy), convert(args.heavy), args.runs, (2, 1))
        show("1 thread ÷ 2 threads", f"{ratio:.2f} ×", "≥ 1.75 ×")
        if args.single:
            _, _, ratio = pairs(convert(args.single), convert(args.single), args.runs, (2, 1))
            show("the same, one chunk", f"{ratio:.2f} ×", "≥ 1.7 ×")
        _, _, ratio = pairs([walk, args.heavy], [kit, "summary", args.heavy], args.runs)
        show("summary ÷ walk of event headers", f"{ratio:.2f} ×", "≤ 2.5 ×")
        size = os.path.getsize(args.heavy) / 1e6
        once = run(convert(args.heavy))[1]
        show("peak resident, all types, less the mapped file", f"{once * 1.048576 - size:.0f} MB", "≤ 50 MB")
        findings = run([kit, "analyze", args.heavy])[1]
        show("the same, analyze", f"{findings * 1.048576 - size:.0f} MB", "≤ 110 MB")
        for name, words, product in peers(args.heavy):
            _, seconds, ratio = pairs(convert(args.heavy), words, max(3, args.runs // 3))
            show(f"{name} ({product}) ÷ convert, all types", f"{ratio:.1f} × ({seconds * 1e3:.0f} ms)", "")
        many = os.path.join(out, "many.jfr")
        with open(many, "wb") as target:
            with open(args.heavy, "rb") as source:
                recording = source.read()
            for hours in range(11):
                target.write(later(recording, hours))
        _, _, ratio = pairs(convert(args.heavy), convert(many), max(3, args.runs // 3))
        peak = run(convert(many))[1] * 1.048576 - 11 * size
        show("eleven times in one file ÷ once, time", f"{ratio:.1f} ×", "≤ 11.5 ×")
        show("the same, memory less the mapped file", f"{peak / max(once * 1.048576 - size, 1):.2f} ×", "≤ 1.5 ×")
        os.remove(many)
        for small in args.small:
            seconds = statistics.median(run(convert(small))[0] for _ in range(args.runs * 2))
            show(f"{os.path.basename(small)} ({os.path.getsize(small) / 1e6:.1f} MB)", f"{seconds * 1e3:.1f} ms", "")
        if args.small:
            small = args.small[-1]
            folder = os.path.join(out, "small")
            os.mkdir(folder)
            for i in range(2000):
                os.link(small, os.path.join(folder, f"{i}.jfr")) if os.stat(small).st_dev == os.stat(folder).st_dev \
                    else shutil.copy(small, os.path.join(folder, f"{i}.jfr"))
            seconds, peak = run(convert(folder))
            rate = 2000 * os.path.getsize(small) / seconds
            whole = os.path.getsize(args.heavy) / run(convert(args.heavy))[0]
            show("bytes a second: one large file ÷ 2,000 small ones", f"{whole / rate:.1f} × ({peak:.0f} MB peak)", "≤ 2 ×")
    finally:
        shutil.rmtree(out, ignore_errors=True)


if __name__ == "__main__":
    main()
