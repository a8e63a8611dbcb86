"""Loaded by pytest before everything else (see pyproject.toml): each test process has a data folder of its own.

Django's settings open the data folder when they are imported, which is before any conftest; hence a plugin.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

folder = tempfile.mkdtemp(prefix="fumibako-test-")
atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.environ["FUMIBAKO_DATA"] = folder
