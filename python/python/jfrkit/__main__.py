"""``python -m jfrkit``: the command line."""

import sys

from ._jfrkit import main as _main


def main() -> int:
    """Runs the command line and returns its exit status."""
    return _main(["jfrkit", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
