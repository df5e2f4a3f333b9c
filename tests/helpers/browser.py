"""A real Chromium for tests of pages: the distribution's, or the one that `VOLTRAIL_TEST_CHROMIUM` names."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, sync_playwright


def chromium() -> str:
    """Return the path of Chromium; skip the test where there is none."""
    path = os.environ.get("VOLTRAIL_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not path:
        pytest.skip("no Chromium: install the distribution's, or name one in VOLTRAIL_TEST_CHROMIUM")
    return path


@contextmanager
def running_browser() -> Iterator[Browser]:
    """Run Chromium while the block lasts."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """A page and all that must not happen on it: messages on the console, errors, requests to a network."""

    def __init__(self, page: Page, allowed: str) -> None:
        self.page, self._allowed = page, allowed
        self.troubles: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on("request", self._request)
        page.on("dialog", self._dialog)

    def _console(self, message: ConsoleMessage) -> None:
        self.troubles.append(message.text)

    def _dialog(self, dialog: Dialog) -> None:
        self.troubles.append(dialog.message)
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        known = ("file:", "data:", "about:", *filter(None, [self._allowed]))
        if not request.url.startswith(known):
            self.troubles.append(f"request to {request.url}")


@contextmanager
def opened(
    browser: Browser, url: str, width: int = 1280, *, dark: bool = False, script: bool = True, allowed: str = ""
) -> Iterator[Watched]:
    """Open this address in a window of this width; nothing but files and `allowed` may be asked for."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme="dark" if dark else "light", java_script_enabled=script
    )
    watched = Watched(context.new_page(), allowed)
    watched.page.goto(url)
    yield watched
    context.close()
