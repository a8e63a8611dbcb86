"""`restore FILE`: put a backup in place. Sending and fetching stay off until an administrator releases them."""

from __future__ import annotations

import argparse
from pathlib import Path

from django.utils import timezone

from fumibako.apps.office.restore import Restored, is_somebody_at_work, put_in_place, unpacked
from fumibako.cli import release
from fumibako.cli.printing import note, tell
from fumibako.cli.refused import CouldNotRun
from fumibako.cli.starting import data_root, folder_in_hand, open_database

AT_WORK = "送信の処理が動いています。止めてから、もう一度実行してください。"
ASIDE = "これまでのデータは {} に移しました。要らなくなったら、自分で消してください。"
KEY_MISSING = (
    "この控えのパスワードを開ける鍵がありません。控えておいた鍵ファイルを「--key 鍵ファイル」で指定して、"
    "もう一度復元するか、メールアカウントのパスワードを登録し直してください。"
)
HELD = (
    "送信と受信は止めてあります。控えを作ったあとに送られたメールがあるかもしれないため、管理者が"
    "「./fumibako release」か、画面の「動作状況」で解除するまで、何も送らず、何も受け取りません。"
)
FILES_MISSING = "{:,}個のファイルが控えにありません(添付ファイル、または受信メールの原文)。"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `restore` takes."""
    parser.add_argument("file", metavar="FILE", help="「backup」で作った控え")
    parser.add_argument("--key", metavar="KEYFILE", help="控えておいた鍵ファイル(いまある鍵ファイルが違うとき)")
    parser.add_argument("--release", action="store_true", help="復元したあと、すぐに送信と受信を解除します")


def run(args: argparse.Namespace) -> int:
    """Restore; 1 when something is worth a look: a key that does not fit, files that are missing."""
    root = data_root()
    key_file = Path(args.key).expanduser().absolute() if args.key else None
    with folder_in_hand():
        if is_somebody_at_work(root / "run"):
            raise CouldNotRun(AT_WORK)
        with unpacked(Path(args.file).expanduser().absolute(), root) as (place, manifest):
            restored = put_in_place(place, manifest, root, timezone.now(), key_file)
        open_database(is_serving=True)
        missing_count = _settle(restored)
        _tell(args, restored, missing_count)
        if args.release:
            release.release(args)
        else:
            note(HELD)
    return 1 if restored.is_key_missing or missing_count else 0


def _settle(restored: Restored) -> int:
    """Write the restore into the restored history; return how many files its rows miss."""
    from fumibako.apps.audit.actions import record
    from fumibako.apps.inbox.models import ReceivedMail
    from fumibako.apps.sending.models import JobAttachment

    record(None, "office.restored", "office", changes={"made_at": ["", restored.manifest.made_at]})
    root = data_root()
    names = [f"files/{sha256}" for sha256 in JobAttachment.objects.values_list("sha256", flat=True).distinct()]
    mails = ReceivedMail.objects.filter(deleted_at=None)
    names += [f"mail/{path}" for path in mails.values_list("raw_path", flat=True)]
    return sum(not (root / name).is_file() for name in names)


def _tell(args: argparse.Namespace, restored: Restored, missing_count: int) -> None:
    manifest = restored.manifest
    facts = {
        "made_at": manifest.made_at,
        "entries": len(manifest.entries),
        "aside": str(restored.aside) if restored.aside else None,
        "key_fits": not restored.is_key_missing,
        "files_missing": missing_count,
        "held": not args.release,
    }
    tell(args, facts, f"{manifest.made_at} の控えを復元しました({len(manifest.entries):,}ファイル)。")
    if restored.aside:
        note(ASIDE.format(restored.aside))
    if restored.is_key_missing:
        note(KEY_MISSING)
    if missing_count:
        note(FILES_MISSING.format(missing_count))
