"""A long run of one target: `python -m tests.fuzz.long mail 200000 [seed]`."""

from __future__ import annotations

import sys

from tests.fuzz.guided import explore
from tests.fuzz.targets import TARGETS, seeds_of, words_of


def main(name: str, executions: str, seed: str = "1") -> int:
    found = explore(TARGETS[name], seeds_of(name), words_of(name), executions=int(executions), seed=int(seed))
    for raw, problem in found.failures[:20]:
        sys.stdout.write(f"{problem}\n    {raw!r}\n")
    sys.stdout.write(f"{found.executions} executions, {len(found.edges)} edges, {len(found.failures)} failures\n")
    return 1 if found.failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
