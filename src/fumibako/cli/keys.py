"""`keys rotate`: a new key for stored passwords. `keys new`: a fresh key where the old one is lost for good."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from fumibako import data_folder
from fumibako.cli.printing import note, tell
from fumibako.cli.refused import Refused

KEEP = "新しい鍵ファイル {} を控えておいてください。これまでの控えを読むには、これまでの鍵が要ります。"
THERE = "鍵ファイル {} はあります。新しい鍵にするときは「./fumibako keys rotate」を使ってください。"
MADE = "新しい鍵を作りました。メールアカウントのパスワードを、すべて登録し直してください。"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `keys` takes."""
    words = "rotate = 新しい鍵に入れ替える(途中で止まったら、もう一度実行) / new = 失われた鍵の代わりを作る"
    parser.add_argument("what", choices=["rotate", "new"], help=words)


def run(args: argparse.Namespace) -> int:
    """Do it."""
    return rotate(args) if args.what == "rotate" else make_new(args)


def rotate(args: argparse.Namespace) -> int:
    """Seal everything anew; 1 when a password cannot be read by any key."""
    from fumibako.cli.starting import data_root, open_database, start_django

    start_django()
    open_database()
    from fumibako.apps.accounts.keys import rotate_keys

    done = rotate_keys()
    words = f"鍵を入れ替えました(パスワード {done.sealed_count:,}件)。"
    if done.unreadable_count:
        words += f"どの鍵でも読めないパスワードが {done.unreadable_count:,}件あります。登録し直してください。"
    facts = {"sealed": done.sealed_count, "unreadable": done.unreadable_count, "resumed": done.was_resumed}
    tell(args, facts, words)
    note(KEEP.format(data_root() / "fumibako.key"))
    return 1 if done.unreadable_count else 0


def make_new(args: argparse.Namespace) -> int:
    """Make a key where there is none. Raises Refused where there is one."""
    folder = data_folder.DataFolder(Path(os.environ.get("FUMIBAKO_DATA") or "data").expanduser().absolute())
    if folder.key_file.exists():
        raise Refused(THERE.format(folder.key_file))
    folder.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    data_folder.write_keys(folder, (data_folder.new_key(),))
    tell(args, {"made": str(folder.key_file)}, MADE)
    return 0
