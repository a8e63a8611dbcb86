"""The command line: one table of commands, each in a module of its own that is imported only when it is called.

A command module has `add_arguments(parser)` and `run(args) -> int`; `args.json` is always there. Exit codes: 0 done, 1
done with failures worth a look, 2 refused (one sentence on stderr, nothing changed), 3 could not run.
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from fumibako import __version__
from fumibako.apps.office.problems import ChangedMeanwhile
from fumibako.apps.office.problems import Refused as RefusedByRules
from fumibako.cli.refused import CouldNotRun, Refused

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "見本のデータと練習用メールサーバーで動かします(--check は自動の一周試験)"),
    "test": ("test", "テストをすべて実行します(続けて書いたものは pytest に渡します)"),
    "serve": ("serve", "画面と送信の処理を動かします"),
    "worker": ("worker", "送信の処理だけを動かします"),
    "account": ("account", "メールアカウントの登録・一覧・接続テスト"),
    "people": ("people", "スタッフ・得意先・応募者の取り込みと一覧"),
    "send": ("send", "一括送信を作り、点検し、送信します"),
    "jobs": ("jobs", "送信管理の一覧(状態と合計)"),
    "job": ("job", "1件の送信管理の表示・一時停止・再開・中止"),
    "ledger": ("ledger", "1件の送信管理の送信台帳"),
    "settle": ("settle", "結果不明の送信を、理由を付けて確定します"),
    "fetch": ("fetch", "いま受信します(1アカウント、または対象のすべて)"),
    "mails": ("mails", "受信メールの一覧(条件は画面と同じ)"),
    "mail": ("mail", "1通の受信メール(--raw は受信したままのデータ)"),
    "contacts": ("contacts", "連絡記録の一覧"),
    "adapter": ("adapter", "メールの読み取りを、1行に 1つの JSON で問い合わせます(測定用)"),
    "backup": ("backup", "控えを作ります(動かしたまま。鍵は入りません)"),
    "restore": ("restore", "控えから戻します(送信と受信は、解除するまで止めておきます)"),
    "release": ("release", "復元・複製したデータで、送信と受信を始められるようにします"),
    "keys": ("keys", "パスワードの鍵を入れ替えます(rotate)"),
    "bench": ("bench", "速さを測ります(send・freeze・receive・search)"),
    "doctor": ("doctor", "動作状況を調べます(■停止 があれば終了コード 1)"),
}
"""Name → module in this package, and what the command is for."""

HIDDEN = {"_web": ("webserver", "the web child of `serve`")}
"""What `serve` starts for itself."""

WITHOUT_DJANGO = frozenset({"adapter", "bench", "demo", "keys", "test"})
"""These start it themselves, or never."""
WITHOUT_SCHEMA = frozenset({"doctor", "restore", "_web"})
"""These take the database as it is; all others bring it up to date first."""


class Parser(argparse.ArgumentParser):
    """An argument parser that refuses with one sentence instead of printing its usage and leaving."""

    def error(self, message: str) -> NoReturn:
        """Raises Refused."""
        raise Refused(f"指定が正しくありません: {message}(使い方は「{self.prog} --help」で見られます)。")


def main(words: Sequence[str]) -> int:
    """Runs one command and returns its exit code."""
    try:
        return _dispatch(list(words))
    except (Refused, RefusedByRules, ChangedMeanwhile) as refusal:
        print(" ".join(str(refusal).split("\n")), file=sys.stderr)
        return 2
    except CouldNotRun as trouble:
        print(trouble, file=sys.stderr)
        return 3
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output has gone (`… | head`). Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception:  # boundary: whatever a command did not expect ends as "could not run", with its trace
        traceback.print_exc()
        print("思いがけない問題で止まりました。上の記録を添えて知らせてください。", file=sys.stderr)
        return 3


def _dispatch(words: list[str]) -> int:
    top = _top_parser()
    chosen = top.parse_args(words)
    if chosen.data is not None:
        # Absolute, so that children started in another folder use the same one.
        os.environ["FUMIBAKO_DATA"] = str(Path(chosen.data).expanduser().absolute())
    if not chosen.command:
        top.print_help(sys.stderr)
        return 2
    if chosen.command not in COMMANDS | HIDDEN:
        raise Refused(f"「{chosen.command}」という命令はありません。使えるのは {'・'.join(COMMANDS)} です。")
    return _run(chosen.command, chosen.rest)


def _run(name: str, rest: list[str]) -> int:
    module_name, purpose = (COMMANDS | HIDDEN)[name]
    if name not in WITHOUT_DJANGO:
        from fumibako.cli.starting import start_django

        start_django()
    module: Any = import_module(f"fumibako.cli.{module_name}")
    if name == "test":
        return int(module.run(rest))
    parser = Parser(prog=f"./fumibako {name}", description=purpose)
    parser.add_argument("--json", action="store_true", help="標準出力に、1行に 1つの JSON だけを出します")
    module.add_arguments(parser)
    args = parser.parse_args(rest)
    if name not in WITHOUT_DJANGO | WITHOUT_SCHEMA:
        from fumibako.cli.starting import open_database

        open_database()
    return int(module.run(args))


def _top_parser() -> Parser:
    width = max(len(name) for name in COMMANDS)
    parser = Parser(
        prog="./fumibako",
        description="ふみばこ: 大勢に、一度だけ、確かに届けるメールの机",
        epilog="\n".join(["命令:"] + [f"  {name:<{width}}  {purpose}" for name, (_, purpose) in COMMANDS.items()]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", metavar="DIR", help="データの置き場所(初期値は ./data、または FUMIBAKO_DATA)")
    parser.add_argument("--version", action="version", version=f"fumibako {__version__}")
    parser.add_argument("command", nargs="?", metavar="COMMAND", help="下の命令のどれか")
    parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="…", help=argparse.SUPPRESS)
    return parser
