"""A real browser for tests: the system's Chromium, driven over its DevTools by Playwright."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.support.waiting import PATIENCE

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")

FLAGS: Final = (
    "--no-sandbox",  # tests may run as root, where the sandbox refuses to start
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # A test's traffic is the test's own: no updates, no synchronisation.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium_path() -> str:
    """Give the browser to use: `CHROMIUM` from the environment, else the first one on the path."""
    named = os.environ.get("CHROMIUM")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    assert found, "no Chromium: `make test` installs it where it can, or set CHROMIUM=/path/to/it"
    return found


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run a headless browser with a new, empty profile, and be patient with what it shows."""
    expect.set_options(timeout=PATIENCE * 1000)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=[*FLAGS])
        try:
            yield browser
        finally:
            await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Give a running browser to the tests of a module; each opens its own tabs in it."""
    async with chromium() as running:
        yield running
