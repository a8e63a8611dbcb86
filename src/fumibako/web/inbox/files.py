"""Attached files as a person reads them: kind in words, size, whether opening is dangerous, a name to save under."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from fumibako.apps.inbox.models import MailAttachment

NAME_OCTETS: Final = 200
"""Together with a folder this fits everywhere (Windows allows 255 characters, ext4 255 octets)."""
OCTETS: Final = "application/octet-stream"
DANGER: Final = "開くと危険なことがあります。差出人に確かめてから開いてください。"

WORDS: Final[Mapping[str, str]] = {
    "xlsx": "Excel",
    "xls": "Excel",
    "docx": "Word",
    "doc": "Word",
    "pptx": "PowerPoint",
    "ppt": "PowerPoint",
    "pdf": "PDF",
    "csv": "CSV",
    "tsv": "CSV",
    "txt": "テキスト",
    "log": "テキスト",
    "jpg": "画像",
    "jpeg": "画像",
    "png": "画像",
    "gif": "画像",
    "webp": "画像",
    "heic": "画像",
    "bmp": "画像",
    "tif": "画像",
    "tiff": "画像",
    "zip": "圧縮ファイル",
    "lzh": "圧縮ファイル",
    "7z": "圧縮ファイル",
    "rar": "圧縮ファイル",
    "eml": "メール",
    "msg": "メール",
    "ics": "予定表",
    "vcf": "連絡先",
    "mp3": "音声",
    "m4a": "音声",
    "wav": "音声",
    "mp4": "動画",
    "mov": "動画",
    "jtd": "一太郎",
    "rtf": "文書",
    "dat": "データ",
}
_RISKS: Final = (
    ("マクロ付き文書", "xlsm xlsb xltm xlam docm dotm pptm ppam sldm iqy slk"),
    ("Webページ", "htm html xhtml shtml mht mhtml svg svgz xml xsl xslt hta"),
    ("プログラム", "exe com scr pif cpl msi msp msix appx dll jar apk dmg"),
    ("スクリプト", "bat cmd ps1 vbs vbe js jse mjs wsf wsh sh py reg"),
    ("ショートカット", "lnk url scf library-ms search-ms desktop inf website"),
    ("実行できる形式", "iso img vhd vhdx chm one onepkg application gadget"),
)
RISKY: Final[Mapping[str, str]] = {ending: words for words, endings in _RISKS for ending in endings.split()}
HARMLESS: Final = frozenset(
    [
        "application/pdf",
        "application/zip",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/webp",
        "text/csv",
        "text/plain",
    ]
)
"""What may keep its content type while it is saved; everything else is a row of octets."""

_FORBIDDEN: Final = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"/\\|?*\u2044\u2215\u29f5\uff0f\uff3c]')
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb]"
)
_DEVICE: Final = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\Z", re.I)
_SPECIAL: Final = frozenset(("desktop.ini", "autorun.inf", "thumbs.db", ".htaccess"))


@dataclass(frozen=True, slots=True)
class ShownFile:
    """One line below the mail; without `url` the file was not kept."""

    name: str
    words: str
    icon: str
    css: str
    danger: str
    url: str


def shown_file(file: MailAttachment, url: str) -> ShownFile:
    """An attachment as the reading pane shows it."""
    ending = ending_of(file.name)
    danger = danger_of(file.name, file.content_type)
    kind = RISKY.get(ending) or WORDS.get(ending) or _by_type(file.content_type)
    how = "保存してから開きます" if file.is_saved else "保存していません(アカウントの設定)"
    words = [f"{kind} {size_words(file.size)}", *(["本文中の画像"] if file.content_id and file.is_inline else []), how]
    return ShownFile(
        name=file.name or f"名前のない添付{file.position + 1}",
        words=" ・ ".join(words),
        icon="shield-alert" if danger else "paperclip",
        css="risk" if danger else "" if file.is_saved else "gone",
        danger=danger,
        url=url if file.is_saved else "",
    )


def ending_of(name: str) -> str:
    """The last ending in small letters, as Windows would see it: trailing dots and blanks do not count."""
    plain = _INVISIBLE.sub("", unicodedata.normalize("NFKC", name)).rstrip(". \t\u3000")
    return plain.rpartition(".")[2].lower() if "." in plain else ""


def danger_of(name: str, content_type: str) -> str:
    """A warning for what may act when it is opened; "" for everything else."""
    if ending_of(name) in RISKY:
        return DANGER
    kind = content_type.lower()
    acts = ("html", "svg", "xml", "javascript", "ecmascript", "x-msdownload", "x-sh", "macroenabled")
    is_office = "openxmlformats" in kind
    return DANGER if any(word in kind for word in acts) and not is_office else ""


def size_words(size: int) -> str:
    """18KB, 1.2MB."""
    if size < 1024:
        return f"{size}バイト"
    if size < 1024 * 1024:
        return f"{size / 1024:,.0f}KB"
    return f"{size / 1024 / 1024:,.1f}MB"


def safe_type(content_type: str, name: str) -> str:
    """The content type to answer with: the claimed one only where it is harmless."""
    kind = content_type.lower()
    return kind if kind in HARMLESS and not danger_of(name, content_type) else OCTETS


def download_name(name: str, fallback: str) -> str:
    """A name that every system can save as a file in the folder a person chose: one piece, visible, not a device."""
    last = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    plain = unicodedata.normalize("NFC", _FORBIDDEN.sub("_", _INVISIBLE.sub("", last)))
    plain = plain.replace("%2F", "_").replace("%2f", "_").replace("%5C", "_").replace("%5c", "_")
    plain = plain.strip().rstrip(". ").lstrip(". ")
    if not plain.strip("_"):
        return fallback
    if _DEVICE.match(plain.split(".")[0].strip()) or plain.lower() in _SPECIAL:
        plain = f"_{plain}"
    if plain.startswith(("-", "~")):
        plain = f"_{plain}"
    return _shortened(plain)


def disposition(name: str) -> str:
    """Content-Disposition that saves and never shows (RFC 6266): a plain name for old clients beside the real one."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name) or "file"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _shortened(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    if not dot or len(ending) > 12:
        stem, ending = name, ""
    tail = f".{ending}" if ending else ""
    room = NAME_OCTETS - len(tail.encode())
    return stem.encode()[:room].decode("utf-8", "ignore") + tail


def _by_type(content_type: str) -> str:
    kind = content_type.lower()
    if kind.startswith("image/"):
        return "画像"
    if kind == "application/pdf":
        return "PDF"
    return "メール" if kind == "message/rfc822" else "ファイル"
