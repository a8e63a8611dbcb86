"""`release`: let a restored or copied data folder send and fetch again."""

from __future__ import annotations

import argparse

from fumibako.apps.sending.releasing import release_copy
from fumibako.cli.printing import tell

DONE = "送信と受信を始められるようにしました。"
DOUBTED = "送られたかどうか分からないメール {:,}通を「結果不明」にしました。送信履歴で確かめて、1通ずつ決めてください。"
PAUSED = "開始前の送信 {:,}件を一時停止しました。よければ再開してください。"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `release` takes."""
    parser.add_argument(
        "--nothing-sent-since",
        action="store_true",
        help="元のふみばこは、写したあと一度も動かしていません(引っ越し)。送信待ちをそのまま続けます",
    )


def run(args: argparse.Namespace) -> int:
    """Release, and say what became of waiting mail."""
    return release(args, is_nothing_sent_since=args.nothing_sent_since)


def release(args: argparse.Namespace, *, is_nothing_sent_since: bool = False) -> int:
    """Release and tell."""
    doubted = release_copy(None, is_nothing_sent_since=is_nothing_sent_since)
    words = [DONE]
    if doubted.unknown_count:
        words.append(DOUBTED.format(doubted.unknown_count))
    if doubted.paused_count:
        words.append(PAUSED.format(doubted.paused_count))
    facts = {"released": True, "unknown": doubted.unknown_count, "paused": doubted.paused_count}
    tell(args, facts, "\n".join(words))
    return 0
