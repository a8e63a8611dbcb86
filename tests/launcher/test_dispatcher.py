"""The command line's front: which command, which folder, and how a refusal ends."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import fumibako
from fumibako.cli import COMMANDS, main
from fumibako.cli.test import parallel


def test_an_unknown_command_is_refused_with_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fly"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "「fly」という命令はありません" in err


def test_an_unknown_option_is_refused_with_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--fly"]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)


def test_no_command_shows_what_there_is_and_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    err = capsys.readouterr().err
    assert [name for name in COMMANDS if name not in err] == []


def test_the_data_folder_becomes_absolute_before_anything_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FUMIBAKO_DATA", "elsewhere")
    monkeypatch.chdir(tmp_path)
    assert main(["--data", "own", "fly"]) == 2
    assert os.environ["FUMIBAKO_DATA"] == str(tmp_path / "own")


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(["--version"])
    assert leaving.value.code == 0
    assert capsys.readouterr().out == f"fumibako {fumibako.__version__}\n"


@pytest.mark.parametrize(
    "words", [["-n", "0"], ["-n4"], ["--numprocesses=2"], ["-k", "x", "--pdb"], ["--collect-only"]]
)
def test_a_caller_who_speaks_of_workers_decides_alone(words: list[str]) -> None:
    assert parallel(words) == []


def test_otherwise_there_is_one_worker_for_each_processor() -> None:
    assert parallel(["tests/launcher", "-q"]) == ["-n", str(os.cpu_count()), "--dist", "loadgroup"]
