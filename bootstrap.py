"""Makes `.venv` from the lock files, with the standard library only; the `fumibako` launcher starts it.

Rules: one builder at a time (a kernel lock that a killed run cannot keep); the stamp is written last; an environment
without its stamp, or with the mark of an unfinished run, is made again from nothing.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path

UNFINISHED = "fumibako-unfinished"
DROPPED_PIP_SETTINGS = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV", "PIP_NO_BINARY")


class CannotPrepare(Exception):
    """The environment could not be made; the text says why and what to do, in Japanese and English."""


def say(text: str) -> None:
    """Tells the person at the terminal; stdout stays free for the command's own output."""
    sys.stderr.buffer.write((text + "\n").encode())
    sys.stderr.flush()


def take_lock(path: Path) -> int:
    """Returns the descriptor that holds the lock; waits, with a word, while another start is at work."""
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as trouble:
        raise CannotPrepare(
            f"フォルダに書き込めません。書き込みのできる場所に置いてください: {path.parent}\n"
            f"This folder cannot be written to ({trouble.strerror}). Put Fumibako where you may write."
        ) from trouble
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("ほかの起動が準備中です。終わるのを待っています… / Another start is setting up; waiting for it…")
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def run(words: list[str], lock: int, advice: str) -> None:
    """Runs one step. The child keeps the lock, so that a step that outlives a killed parent is waited for."""
    surroundings = {name: value for name, value in os.environ.items() if name not in DROPPED_PIP_SETTINGS}
    done = subprocess.run(
        words,
        env=surroundings,
        pass_fds=(lock,),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode != 0:
        tail = done.stdout.decode(errors="replace").strip().splitlines()[-12:]
        raise CannotPrepare("\n".join([advice, "--", *tail]))


def install(venv: Path, lock_file: Path, lock: int) -> None:
    """Installs exactly what the lock file names, checked by hash, wheels only."""
    pip = [str(venv / "bin" / "python"), "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    exact = ["--no-input", "--retries", "2", "--require-hashes", "--only-binary", ":all:", "-r", str(lock_file)]
    run(
        pip + exact,
        lock,
        "部品を取り寄せられませんでした。ネットワーク、またはプロキシの設定を確認して、もう一度お試しください。\n"
        "The parts could not be fetched. Check the network or the proxy settings, then try again.",
    )


def write_last(path: Path, text: str) -> None:
    """Makes the file appear whole or not at all."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with fresh.open("wb") as file:
        file.write(os.fsencode(text) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def has_stamp(path: Path, text: str) -> bool:
    """Tells whether the stamp is there and says exactly this."""
    try:
        return path.read_bytes() == os.fsencode(text) + b"\n"
    except FileNotFoundError:
        return False


def prepare(kind: str, root: Path, want_run: str, want_test: str) -> None:
    """Brings `.venv` to what the stamps ask for.

    A finished environment for running is kept when only the test tools are missing: a running server may be using it,
    and both locks name the same versions of what they share.
    """
    venv, lock = root / ".venv", take_lock(root / ".venv.lock")
    run_stamp, test_stamp = venv / "fumibako-run.stamp", venv / "fumibako-test.stamp"
    is_whole = os.access(venv / "bin" / "python", os.X_OK) and not (venv / UNFINISHED).exists()
    if not (is_whole and has_stamp(run_stamp, want_run)):
        say("準備しています(最初だけ、1〜2分)… / Setting up (first time only, a minute or two)…")
        # The resolved name carries the version: an upgrade of the system's python3 cannot slip under the environment.
        run(
            [os.path.realpath(sys.executable), "-I", "-m", "venv", "--clear", str(venv)],
            lock,
            "Python の環境を作れませんでした。空き容量と、フォルダに書き込めることを確認してください。\n"
            "The Python environment could not be made. Check free space and that this folder can be written to.",
        )
        install(venv, root / "requirements.lock", lock)
        write_last(run_stamp, want_run)
    if kind == "test" and not has_stamp(test_stamp, want_test):
        say("テストの道具を入れています… / Adding the test tools…")
        (venv / UNFINISHED).touch()
        install(venv, root / "requirements-dev.lock", lock)
        write_last(test_stamp, want_test)
        (venv / UNFINISHED).unlink()
    os.close(lock)


def main(words: list[str]) -> int:
    """`bootstrap.py run|test ROOT RUN_STAMP TEST_STAMP`; exit 3 means: could not."""
    kind, root, want_run, want_test = words
    try:
        prepare(kind, Path(root), want_run, want_test)
    except CannotPrepare as trouble:
        say(str(trouble))
        return 3
    except KeyboardInterrupt:
        say("中断しました。次の起動で、はじめから準備します。/ Stopped; the next start sets up afresh.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
