"""A real Chromium in front of a real server process, shared by the tests of all screens.

Fixtures: `site` (the server, and an empty database that test and server share), `administrator` (who is logged in),
`open_page` (a page of the wanted size and scheme). `assert_accessible(page)` runs axe; `LOOKS` are the four looks that
every screen is tested in. With FUMIBAKO_SHOTS=folder, `shoot(page, name)` keeps a picture.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from playwright.sync_api import Browser, Page, sync_playwright

from fumibako.apps.office.models import Operator
from tests.support.tools import require_tool

LOOKS = (
    pytest.param((1440, 900), "light", id="1440-light"),
    pytest.param((1440, 900), "dark", id="1440-dark"),
    pytest.param((390, 844), "light", id="390-light"),
    pytest.param((390, 844), "dark", id="390-dark"),
)
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
ROOT = Path(__file__).parent.parent.parent

SERVER = """
import sys
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
from fumibako.web.wsgi import application
import waitress
server = waitress.create_server(application, host="127.0.0.1", port=0, threads=4, connection_limit=1000)
print(server.effective_port, flush=True)
server.run()
"""


@dataclass(frozen=True, slots=True)
class Site:
    """A running server; `url` has no slash at its end."""

    url: str


OpenPage = Callable[..., Page]


@pytest.fixture(scope="session")
def first_rows(django_db_setup: None) -> str:
    """The rows of a new installation, as Django puts them back before a test."""
    return str(getattr(connection, "_test_serialized_contents", "[]"))


@pytest.fixture(scope="session")
def chromium(first_rows: str) -> Iterator[Browser]:
    """One browser for the whole run."""
    program = require_tool("chromium", "apt-get install -y chromium fonts-noto-cjk")
    # The browser driver keeps an event loop in this thread; Django would refuse the database beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as driver:
        # Beside that loop Django has another connection, which does not know what to put back.
        setattr(connection, "_test_serialized_contents", first_rows)  # noqa: B010 (no attribute that types know)
        browser = driver.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server_process(django_db_setup: None) -> Iterator[Site]:
    """The web server on a free port, in a process of its own, on the database of the tests."""
    name = str(connection.settings_dict["NAME"])
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "DJANGO_SETTINGS_MODULE": "fumibako.web.settings"}
    process = subprocess.Popen([sys.executable, "-c", SERVER, name], stdout=subprocess.PIPE, env=environment, text=True)
    assert process.stdout is not None
    port = process.stdout.readline().strip()
    assert port, "the server did not start"
    yield Site(f"http://127.0.0.1:{port}")
    process.terminate()
    process.wait(timeout=10)


@pytest.fixture
def site(transactional_db: None, django_db_serialized_rollback: None, server_process: Site) -> Site:
    """The server, with a database that holds only what a new installation has."""
    return server_process


@pytest.fixture
def administrator(site: Site) -> Operator:
    """The administrator who is logged in on every page that `open_page` opens."""
    return Operator.objects.create(username="sato", display_name="佐藤 美咲", is_administrator=True)


@pytest.fixture
def open_page(site: Site, chromium: Browser, administrator: Operator) -> Iterator[OpenPage]:
    """Return `open_page(path, size=(1440, 900), scheme="light", scripts=True, operator=None) -> Page`.

    A script error or a refusal of the content security policy on any page fails the test.
    """
    contexts: list[Any] = []
    troubles: list[str] = []

    def open_one(
        path: str,
        *,
        size: tuple[int, int] = (1440, 900),
        scheme: Any = "light",
        scripts: bool = True,
        operator: Operator | None = None,
    ) -> Page:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            java_script_enabled=scripts,
            reduced_motion="reduce",
            locale="ja-JP",
        )
        contexts.append(context)
        context.set_default_timeout(5000)
        context.add_cookies([session_cookie(site, operator or administrator)])
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda message: _note(troubles, message))
        page.goto(site.url + path)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not troubles, troubles


def _note(troubles: list[str], message: Any) -> None:
    if message.type == "error" and "Failed to load resource" not in message.text:
        troubles.append(message.text)


def session_cookie(site: Site, operator: Operator) -> Any:
    """Log `operator` in without the login page and return the cookie."""
    session = SessionStore()
    session[SESSION_KEY] = str(operator.pk)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = operator.get_session_auth_hash()
    session.create()
    return {"name": settings.SESSION_COOKIE_NAME, "value": str(session.session_key), "url": site.url}


def assert_accessible(page: Page) -> None:
    """Run axe with the rules of WCAG 2.2 AA and best practice; nothing may be wrong."""
    found = Axe().run(page, options={"runOnly": AXE_TAGS})
    assert found.violations_count == 0, f"{urlsplit(page.url).path}\n{found.generate_report()}"


def press(page: Page, key: str) -> None:
    """Press a key once the page listens to keys: its scripts run before it has loaded."""
    page.wait_for_load_state()
    page.keyboard.press(key)


def shoot(page: Page, name: str) -> None:
    """Keep a picture of what is on the screen, when FUMIBAKO_SHOTS names a folder for it."""
    folder = os.environ.get("FUMIBAKO_SHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png")


def assert_no_sideways_scroll(page: Page) -> None:
    """Nothing sticks out to the side (reflow)."""
    extra = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert extra <= 0, f"{page.url} is {extra} px too wide"


SMALL_TARGETS = """(least) => [...document.querySelectorAll("a[href],button,input,select,textarea,summary")]
  .filter((each) => each.type !== "hidden")
  .filter((each) => each.checkVisibility() && !each.closest("dialog:not([open])"))
  .map((each) => {
    const place = each.matches("[type=checkbox],[type=radio]") ? each.closest("label") ?? each : each;
    const box = place.getBoundingClientRect();
    return { width: box.width, height: box.height, words: (each.id || each.textContent).trim().slice(0, 40) };
  })
  .filter(({ width, height }) => width > 1 && height > 0 && Math.min(width, height) < least - 0.5)"""


def assert_big_enough(page: Page) -> None:
    """Everything that can be pressed is at least 24 px wide and high, 44 px on a phone (WCAG 2.5.8, UX A19)."""
    viewport = page.viewport_size
    least = 44 if viewport and viewport["width"] <= 760 else 24
    assert page.evaluate(SMALL_TARGETS, least) == [], page.url
