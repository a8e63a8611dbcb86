"""Rules are written for the world: no rule knows a test mail, an invented address or a host of nobody's."""

from __future__ import annotations

import re
from pathlib import Path

from fumibako.mime import bounce
from fumibako.mime.bounce.dialects import DIALECTS
from fumibako.mime.bounce.reasons import REASONS

FOLDER = Path(bounce.__file__).parent
SOURCES = sorted(FOLDER.rglob("*.py"))
# Names of test collections and the invented people and hosts in them, in pieces so that a search finds nobody.
STRANGERS = re.compile(
    "|".join(
        (
            *("sisi" + "mai", "flu" + "fl", "en" + "mime", "mime" + "kit", "ruby" + "mail", "jp" + "mobile"),
            *("kiji" + "tora", "siro" + "neko", "shiro" + "neko", "nya" + "an", r"user[xy]@", r"[\w.-]+\.eml\b"),
        )
    ),
    re.I,
)
INVENTED_HOST = re.compile(r"@(?!example\.)[\w-]+\.example\b|\b(?:192\.0\.2|198\.51\.100|203\.0\.113)\.\d")


def test_no_rule_mentions_a_test_mail_or_the_people_in_it() -> None:
    found = {path.name: STRANGERS.findall(path.read_text("utf-8")) for path in SOURCES}
    assert {name: words for name, words in found.items() if words} == {}


def test_no_rule_mentions_an_address_or_host_that_is_invented() -> None:
    found = {path.name: INVENTED_HOST.findall(path.read_text("utf-8")) for path in SOURCES}
    assert {name: words for name, words in found.items() if words} == {}


def test_every_dialect_has_a_module_and_a_mark() -> None:
    modules = {path.stem for path in (FOLDER / "dialects").glob("*.py")} - {"__init__", "dialect"}
    assert {dialect.name for dialect in DIALECTS} == modules
    assert [dialect.name for dialect in DIALECTS if not dialect.marks and not dialect.headers] == []


def test_the_documentation_explains_every_reason() -> None:
    page = (Path(__file__).parents[3] / "docs" / "bounces.md").read_text("utf-8")
    assert [reason for reason in REASONS if f"| `{reason}` |" not in page] == []
