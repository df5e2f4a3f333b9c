"""`python -m tests.cases.reports [NAME…]`: which checks of which situations fail, and what was got instead."""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.cases.reports.every import SITUATIONS
from tests.cases.reports.fleet import analysed


def main(names: Sequence[str]) -> int:
    """Print a line for each situation whose name begins so, and below it what fails; return how many fail."""
    wanted = [each for name, each in SITUATIONS.items() if not names or name.startswith(tuple(names))]
    with tempfile.TemporaryDirectory() as folder:
        told = analysed(Path(folder), wanted)
    failed = 0
    for each in wanted:
        wrong = list(each.failures(told[each.name]))
        failed += bool(wrong)
        print(f"{'FAIL' if wrong else 'ok  '} {each.name}: {each.says}")
        print("".join(f"       {line}\n" for line in wrong), end="")
    print(f"{len(wanted) - failed} of {len(wanted)} situations come out right")
    return failed


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1:]) else 0)
