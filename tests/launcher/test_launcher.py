"""The two commands' launcher, on small trees and without a network: cold, warm, moved, broken, twice at once."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.launcher.small_tree import SmallTree, lock, plant

# The tree that is already set up is made once; its tests stay on one worker.
pytestmark = pytest.mark.xdist_group("launcher")

NEEDED_FOR_A_WARM_START = ("sh", "cat", "cksum")


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> SmallTree:
    """A tree that has been started once, in a folder with kanji and a space."""
    top = tmp_path_factory.mktemp("ready")
    tree = plant(top / "文箱 を 置く所", top / "wheels")
    first = tree.report("hello")
    assert first["found"] == ["smallrun"]
    return tree


@pytest.fixture
def fresh(tmp_path: Path) -> SmallTree:
    return plant(tmp_path / "tree", tmp_path / "wheels")


def only(folder: Path, *names: str) -> str:
    """A PATH with exactly these programs."""
    folder.mkdir(exist_ok=True)
    for name in names:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return str(folder)


def test_a_cold_start_works_with_kanji_and_a_space_in_the_path(ready: SmallTree) -> None:
    told = ready.report("send", "--subject", "二つ の語")
    assert told["words"] == ["send", "--subject", "二つ の語"]
    assert told["prefix"] == str(ready.root / ".venv")
    assert told["path"][0] == str(ready.root / "src")


def test_a_warm_start_needs_no_python_to_decide(ready: SmallTree, tmp_path: Path) -> None:
    told = ready.report("jobs", PATH=only(tmp_path / "bin", *NEEDED_FOR_A_WARM_START))
    assert told["words"] == ["jobs"]


def test_a_warm_start_says_nothing_of_its_own(ready: SmallTree) -> None:
    assert ready.start("jobs").stderr == ""


def test_the_exit_code_of_the_command_is_passed_on(ready: SmallTree) -> None:
    assert ready.start("jobs", LEAVE_WITH="2").returncode == 2


def test_a_link_from_elsewhere_starts_the_same_tree(ready: SmallTree, tmp_path: Path) -> None:
    link = tmp_path / "fumibako"
    link.symlink_to(ready.root / "fumibako")
    told = SmallTree(tmp_path, ready.wheels).report("jobs")
    assert told["prefix"] == str(ready.root / ".venv")


def test_the_test_tools_are_added_only_for_test(ready: SmallTree) -> None:
    before = ready.stamp.stat().st_mtime_ns
    assert ready.report("jobs")["found"] == ["smallrun"]
    assert ready.report("--data", "test", "jobs")["found"] == ["smallrun"]
    told = ready.report("--data", "somewhere", "test", "-q")
    assert told["found"] == ["smallrun", "smalltest"]
    assert told["words"] == ["--data", "somewhere", "test", "-q"]
    assert ready.stamp.stat().st_mtime_ns == before


def test_modules_in_the_present_folder_are_not_taken_for_ours(
    ready: SmallTree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('the wrong json')")
    monkeypatch.chdir(tmp_path)
    assert ready.report("jobs")["words"] == ["jobs"]


def test_two_cold_starts_at_once_both_work(fresh: SmallTree) -> None:
    both = [fresh.begin("one"), fresh.begin("two")]
    told = [process.communicate() for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert [json.loads(out)["words"] for out, _ in told] == [["one"], ["two"]]
    assert sum("準備しています" in err for _, err in told) == 1


def test_a_killed_set_up_is_made_again(fresh: SmallTree) -> None:
    process = fresh.begin("one")
    assert process.stderr is not None
    assert process.stdout is not None
    assert "準備しています" in process.stderr.readline()
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    process.stderr.close()
    process.stdout.close()
    assert not fresh.stamp.exists()
    assert fresh.report("two")["found"] == ["smallrun"]


def test_a_half_made_environment_and_a_moved_tree_are_made_again(fresh: SmallTree, tmp_path: Path) -> None:
    (fresh.root / ".venv" / "bin").mkdir(parents=True)
    (fresh.root / ".venv" / "bin" / "python").write_text("half")
    assert fresh.report("one")["found"] == ["smallrun"]
    moved = SmallTree(fresh.root.rename(tmp_path / "moved"), fresh.wheels)
    assert moved.report("two")["prefix"] == str(moved.root / ".venv")


def test_a_changed_lock_is_followed(fresh: SmallTree) -> None:
    assert fresh.report("one")["found"] == ["smallrun"]
    digest = (fresh.root / "requirements-dev.lock").read_text().split("sha256:")[1].strip()
    lock(fresh.root / "requirements.lock", "smalltest", digest)
    assert fresh.report("two")["found"] == ["smalltest"]


def test_a_wrong_hash_and_a_missing_network_end_with_a_sentence_and_leave_no_stamp(fresh: SmallTree) -> None:
    right = (fresh.root / "requirements.lock").read_text()
    lock(fresh.root / "requirements.lock", "smallrun", "0" * 64)
    refused = fresh.start("one")
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "HASH" in refused.stderr.upper()
    (fresh.root / "requirements.lock").write_text(right)
    offline = fresh.start("one", PIP_FIND_LINKS="")
    assert (offline.returncode, offline.stdout) == (3, "")
    assert "ネットワーク" in offline.stderr
    assert "could not be fetched" in offline.stderr
    assert not fresh.stamp.exists()


def test_without_python_the_launcher_says_what_to_install(fresh: SmallTree, tmp_path: Path) -> None:
    done = fresh.start("one", PATH=only(tmp_path / "bin", *NEEDED_FOR_A_WARM_START))
    assert (done.returncode, done.stdout) == (3, "")
    assert "Python 3.11 以上が見つかりません" in done.stderr
    assert "sudo apt install python3 python3-venv" in done.stderr


def test_without_the_venv_module_the_launcher_says_what_to_install(fresh: SmallTree, tmp_path: Path) -> None:
    folder = only(tmp_path / "bin", *NEEDED_FOR_A_WARM_START)
    python = Path(folder) / "python3"
    python.write_text("#!/bin/sh\ncase $* in *ensurepip*) exit 3 ;; *) echo 3.12 ;; esac\n")
    python.chmod(0o755)
    done = fresh.start("one", PATH=folder)
    assert (done.returncode, done.stdout) == (3, "")
    assert "sudo apt install python3.12-venv" in done.stderr


def test_a_colon_in_the_path_is_refused_with_a_sentence(tmp_path: Path) -> None:
    done = plant(tmp_path / "a:b", tmp_path / "wheels").start("one")
    assert done.returncode == 3
    assert "「:」" in done.stderr
