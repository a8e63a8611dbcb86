"""The one-builder rule of the bootstrap when its own process dies but the step it started lives on."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.launcher.small_tree import ROOT

PARENT = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import bootstrap
step = "import sys; open(sys.argv[1], 'w').write('x'); open(sys.argv[2]).read()"
lock = bootstrap.take_lock(Path(sys.argv[2]))
bootstrap.run([sys.executable, "-c", step, sys.argv[3], sys.argv[4]], lock, "")
"""


def test_a_step_that_outlives_its_killed_parent_still_holds_the_lock(tmp_path: Path) -> None:
    begun, finish = tmp_path / "begun", tmp_path / "finish"
    os.mkfifo(begun)
    os.mkfifo(finish)
    words = [sys.executable, "-c", PARENT, str(ROOT), str(tmp_path / "lock"), str(begun), str(finish)]
    parent = subprocess.Popen(words)
    assert begun.read_text() == "x"
    parent.kill()
    parent.wait()
    with (tmp_path / "lock").open("r+") as lock:
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finish.write_text("")
        # Comes back only when the step has ended; a lock that was never freed would hang here.
        fcntl.flock(lock, fcntl.LOCK_EX)
