"""A small project around the real launcher: two tiny wheels on disk instead of our many, and no network at all."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

ENTRY = """
import importlib.util, json, os, sys
found = [name for name in ("smallrun", "smalltest") if importlib.util.find_spec(name)]
print(json.dumps({"words": sys.argv[1:], "prefix": sys.prefix, "found": found, "path": sys.path[:2]}))
sys.exit(int(os.environ.get("LEAVE_WITH", "0")))
"""


@dataclass
class SmallTree:
    """One copy of the launcher in `root`; `wheels` is where its parts come from."""

    root: Path
    wheels: Path
    surroundings: dict[str, str] = field(default_factory=dict)

    @property
    def stamp(self) -> Path:
        return self.root / ".venv" / "fumibako-run.stamp"

    def command(self, *words: str) -> list[str]:
        return [str(self.root / "fumibako"), *words]

    def environment(self, **changes: str) -> dict[str, str]:
        """No home, no pip settings of the machine, no index: only the wheels on disk."""
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
        offline = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": self.wheels.as_uri()}
        return {**kept, **offline, **self.surroundings, **changes}

    def start(self, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words), env=self.environment(**changes), capture_output=True, text=True, check=False
        )

    def report(self, *words: str, **changes: str) -> dict[str, Any]:
        """What the started command says about itself."""
        done = self.start(*words, **changes)
        assert done.returncode == 0, done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Starts without waiting, in a process group of its own."""
        return subprocess.Popen(
            self.command(*words),
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


def plant(root: Path, wheels: Path) -> SmallTree:
    """Makes the small project; `root` may have any name."""
    (root / "src" / "fumibako").mkdir(parents=True)
    wheels.mkdir(exist_ok=True)
    for name in ("fumibako", "bootstrap.py"):
        shutil.copy2(ROOT / name, root / name)
    (root / "src" / "fumibako" / "__init__.py").touch()
    (root / "src" / "fumibako" / "__main__.py").write_text(ENTRY)
    lock(root / "requirements.lock", "smallrun", make_wheel(wheels, "smallrun"))
    lock(root / "requirements-dev.lock", "smalltest", make_wheel(wheels, "smalltest"))
    return SmallTree(root, wheels)


def lock(path: Path, name: str, digest: str) -> None:
    """Writes a lock file that names one wheel."""
    path.write_text(f"{name}==1.0 \\\n    --hash=sha256:{digest}\n")


def make_wheel(folder: Path, name: str) -> str:
    """Writes the smallest wheel there is and returns its SHA-256."""
    info = f"{name}-1.0.dist-info"
    content = {
        f"{name}.py": b"",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [f"{path},sha256={_urlsafe(raw)},{len(raw)}" for path, raw in content.items()]
    content[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for inside, raw in content.items():
            wheel.writestr(zipfile.ZipInfo(inside), raw)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _urlsafe(raw: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).rstrip(b"=").decode()
