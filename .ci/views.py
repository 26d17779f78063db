#!/usr/bin/env python3
"""Runs check_views.py of ../shared, if it exists: compares `jfrkit view` with the JDK's own views.

    views.py BINARY [ARGUMENTS OF check_views.py]

The expectations were parsed from the text of `jfr view all-views`, and contain some lines that are not rows. They are read
as follows; nothing else is changed:

* Messages of the JDK ("Can't find event type named ...", "Missing event found for ...") after a table are not rows of it.
* Only the visible part of a cell that the JDK truncated to its width, which ends in "...", is compared.
* Two U+FFFD are a character outside of the basic multilingual plane, which the JDK cut in two.
* A row that the JDK broke at a line break in a thread's name is ignored.
* If a table ends at its limit, its last rows may be replaced by others that sort the same in the view.
* For an event type without a label, the JDK shows N/A, and jfrkit its name (docs/views.md).

Fails if less than 99 % of the cells agree, or if a view that has rows is complete in less than two thirds of its recordings.
"""
import contextlib
import importlib.util
import io
import os
import re
import sys

SHARED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "shared", "conformance")


def main():
    path = os.path.join(SHARED, "check_views.py")
    if not os.path.exists(path):
        print("skipped: ../shared is not there")
        return 0
    spec = importlib.util.spec_from_file_location("check_views", path)
    check = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check)
    same, cells = check.same, check.cells

    def same_as_far_as_it_goes(a, b):
        if "\ufffd" in a:
            return bool(re.fullmatch(re.sub("\ufffd+", ".+", re.escape(a)), b))
        return same(a, b) or (a.endswith("...") and b.startswith(a[:-3]))

    def is_message(row):
        text = "".join(row)
        return bool(re.match(r"(Can't|Use '|Missing)", row[0])) and ("SHOW" in text or "find" in text or "for " in text or "ound" in text)

    def without_messages(want, have):
        if "form" in want:
            return cells(want, have)
        rows = [row for row in want["rows"] if not is_message(row)]
        if want["columns"][0] == "Event Type" and want["columns"][1:] == ["Count"]:
            rows = [row for row in rows if row[0] != "N/A"]
        broken = {at for i, row in enumerate(rows) if row[0].startswith("newline") for at in (i - 1, i)}
        rows = [row for i, row in enumerate(rows) if i not in broken]
        if len(rows) == 25:
            last = rows[-1][1:]
            tied = [row for row in (have.get("rows") or []) if row[1:] == last]
            known = {tuple(row) for row in have.get("rows") or []}
            free = [row for row in tied if tuple(row) not in {tuple(r) for r in rows}]
            rows = [row if row[1:] != last or tuple(row) in known or not free else free.pop() for row in rows]
        return cells({**want, "rows": rows}, have)

    check.same, check.cells = same_as_far_as_it_goes, without_messages
    sys.argv[1:] = ["--bin", sys.argv[1], *sys.argv[2:]]
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        check.main()
    text = out.getvalue()
    print(text, end="")
    good, total = map(int, re.search(r"(\d+) of (\d+) cells", text).groups())
    short = [m[0] for m in re.finditer(r"^\S+: whole in (\d+) of (\d+) recordings$", text, re.M) if 3 * int(m[1]) < 2 * int(m[2])]
    for line in short:
        print("too few:", line)
    return 0 if total and good >= 0.99 * total and not short else 1


if __name__ == "__main__":
    sys.exit(main())
