"""What the tree as a whole promises: locks without addresses, front pages that tell the truth, scripts that run."""

from __future__ import annotations

import os
import re
import subprocess
from hashlib import sha256
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

import fumibako
from tests.house.tree import ROOT, name_of, texts

LOCKS = [ROOT / "requirements.lock", ROOT / "requirements-dev.lock", ROOT / "requirements-postgres.lock"]
PIN = re.compile(r"^([a-z0-9.-]+)==(\S+)", re.M)
FRONT_PAGES = [
    "README.md",
    "README.ja.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/decisions/README.md",
]
# In two pieces, so that this file does not find itself.
FOREIGN_NAMES = ["pypi" + ".org", "python" + "hosted", "index" + "-url", "registry.npm" + "js", "/wo" + "rk/"]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_names_versions_and_hashes_and_no_addresses(lock: Path) -> None:
    text = lock.read_text("utf-8")
    assert "://" not in text
    entries = re.split(r"\n(?=\S)", text.strip())
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry or not PIN.match(entry)] == []


def test_the_locks_agree_on_what_they_share() -> None:
    versions: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, version in PIN.findall(lock.read_text("utf-8")):
            versions.setdefault(name, set()).add(version)
    assert {name: found for name, found in versions.items() if len(found) > 1} == {}


def test_there_is_no_second_kind_of_lock() -> None:
    assert [name for name in ("uv.lock", "poetry.lock", "package-lock.json") if (ROOT / name).exists()] == []


def test_no_file_names_a_package_index_or_a_builders_folder() -> None:
    found = [
        f"{name_of(path)}: {word}"
        for path in texts()
        for text in [path.read_text("utf-8", errors="replace")]
        for word in FOREIGN_NAMES
        if word in text
    ]
    assert found == []


@pytest.mark.parametrize("page", FRONT_PAGES)
def test_every_link_of_a_front_page_leads_somewhere(page: str) -> None:
    path = ROOT / page
    links = re.findall(r"\]\(([^)#\s]+)", path.read_text("utf-8"))
    inside = [link for link in links if "://" not in link]
    assert [link for link in inside if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("page", ["README.md", "README.ja.md"])
def test_the_readme_shows_exactly_the_two_commands(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    shown = {
        line.split("#")[0].strip()
        for block in re.findall(r"```sh\n(.*?)```", text, re.S)
        for line in block.splitlines()
    }
    assert {line for line in shown if line.startswith("./")} == {"./fumibako demo", "./fumibako test"}


def test_the_changelog_speaks_of_this_version() -> None:
    assert f"## {fumibako.__version__} " in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_the_licence_and_every_borrowed_work_are_named() -> None:
    assert "MIT License" in (ROOT / "LICENSE").read_text("utf-8")
    notice = (ROOT / "NOTICE").read_text("utf-8")
    assert [name for name in ("Digital Agency", "Lucide", "htmx", "idiomorph") if name not in notice] == []


@pytest.mark.parametrize("script", ["fumibako", ".ci/run"])
def test_a_script_may_be_run_and_reads_well(script: str) -> None:
    path = ROOT / script
    assert os.access(path, os.X_OK)
    shell = path.read_text("utf-8").splitlines()[0].removeprefix("#!").split()
    assert subprocess.run([*shell, "-n", str(path)], check=False, capture_output=True).stderr == b""


@pytest.mark.django_db
def test_the_migrations_say_what_the_models_say() -> None:
    said = StringIO()
    call_command("makemigrations", dry_run=True, stdout=said)
    assert said.getvalue().strip() == "No changes detected"


def test_vendored_files_are_the_ones_that_were_checked() -> None:
    folder = ROOT / "src" / "fumibako" / "web" / "static" / "vendor"
    sums = {line.split()[1]: line.split()[0] for line in (folder / "SHA256SUMS").read_text("ascii").splitlines()}
    present = {path.name: sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.suffix == ".js"}
    assert present == sums
