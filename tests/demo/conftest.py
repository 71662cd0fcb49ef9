"""One browser for the tests of a module; each test opens its own tabs in it."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser

from tests.support.browser import chromium


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """Give a running browser."""
    async with chromium() as running:
        yield running
