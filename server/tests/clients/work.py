"""Busy for as many seconds as asked: CPU, memory, a lock that two threads want. Prints its CPU time as it runs."""
import os
import sys
import threading
import time

if os.environ.get("WORK_CLIENT") == "pyroscope-io":
    import pyroscope

    pyroscope.configure(
        application_name=os.environ["WORK_SERVICE"], server_address=os.environ["WORK_URL"], tags={"env": "ci", "version": "1.0"}
    )

lock = threading.Lock()
kept = []


def hot_loop(until):
    x = 1.0
    while time.monotonic() < until:
        for i in range(1, 20_000):
            x = x * 1.000001 + i
            if x > 1e12:
                x -= 1e12
    return x


def allocate(until):
    while time.monotonic() < until:
        kept[:] = [bytearray(64 << 10) for _ in range(50)]
        time.sleep(0.01)


def contend(until):
    while time.monotonic() < until:
        with lock:
            time.sleep(0.02)


def fail(until):
    while time.monotonic() < until:
        try:
            raise ValueError("one of many")
        except ValueError:
            time.sleep(0.002)


def clock(until):
    """The time, the CPU time used so far, and that with what the busy thread waited for a CPU; four times a second."""
    while time.monotonic() < until:
        used = time.process_time()
        try:
            waited = int(open("/proc/self/schedstat").read().split()[1]) / 1e9
        except (OSError, IndexError):
            waited = 0.0
        print(f"clock={time.time():.3f},{used:.3f},{used + waited:.3f}", flush=True)
        time.sleep(0.25)


def main():
    until = time.monotonic() + float(sys.argv[1])
    threads = [threading.Thread(target=f, args=(until,), name=f.__name__) for f in (clock, allocate, contend, contend, fail)]
    for thread in threads:
        thread.start()
    hot_loop(until)
    for thread in threads:
        thread.join()


main()
