#!/usr/bin/env python3
"""Measures whole processes and prints ratios, for the table in the README.

    cargo build --release --workspace
    benches/measure.py [--runs N] HEAVY.jfr [SINGLE-CHUNK.jfr [SMALL.jfr ...]]

HEAVY is a large recording of several chunks, SINGLE-CHUNK one with all its events in one chunk. Each pair of commands
is run in turn, N times after a warm-up, and the median of the ratios pair by pair is shown, so that a machine that
gets slower in between does not matter. Wall-clock time, output into a directory in memory where there is one.
"""
import argparse
import os
import resource
import shutil
import statistics
import subprocess
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
    print("| what | measured | bar |\n|---|---|---|")
    try:
        a, b, ratio = pairs(convert(args.heavy), [jfrs, args.heavy], args.runs)
        show("jfrs iterates events ÷ convert, all types", f"{ratio:.1f} × ({b * 1e3:.0f} ms ÷ {a * 1e3:.0f} ms)", "≥ 18 ×")
        a, b, ratio = pairs([walk, args.heavy], convert(args.heavy), args.runs)
        show("convert, all types ÷ walk of event headers", f"{ratio:.1f} × ({b * 1e3:.0f} ms ÷ {a * 1e3:.1f} ms)", "≤ 6 ×")
        _, _, ratio = pairs(convert(args.heavy), convert(args.heavy, "--types", "cpu"), args.runs)
        show("convert --types cpu ÷ all types", f"{ratio * 100:.0f} %", "≤ 45 %")
        _, _, ratio = pairs(convert(args.heavy), convert(args.heavy), args.runs, (2, 1))
        show("1 thread ÷ 2 threads", f"{ratio:.2f} ×", "≥ 1.8 ×")
        if args.single:
            _, _, ratio = pairs(convert(args.single), convert(args.single), args.runs, (2, 1))
            show("the same, one chunk", f"{ratio:.2f} ×", "≥ 1.7 ×")
        _, _, ratio = pairs([walk, args.heavy], [kit, "summary", args.heavy], args.runs)
        show("summary ÷ walk of event headers", f"{ratio:.2f} ×", "≤ 2 ×")
        size = os.path.getsize(args.heavy) / 1e6
        once = run(convert(args.heavy))[1]
        show("peak resident, all types, less the mapped file", f"{once * 1.048576 - size:.0f} MB", "≤ 60 MB")
        many = os.path.join(out, "many.jfr")
        with open(many, "wb") as target:
            for _ in range(11):
                with open(args.heavy, "rb") as source:
                    shutil.copyfileobj(source, target, 1 << 20)
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
