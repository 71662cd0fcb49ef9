"""The example with a login barrier, as its README says, in a real browser."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest
from playwright.async_api import Browser, Page, expect

from gateway_client import GatewayClient
from scripts.tree import ROOT
from tests.support.daemons import DEV_ON_ANY_PORT, Daemon
from tests.support.waiting import eventually

FOLDER: Final = ROOT / "examples/entry_module"


def is_at_work(dev: Daemon) -> bool:
    """Tell whether somebody checks logins."""
    with GatewayClient(dev.ready.register) as client:
        return client.get_all_queues().get("logins", {}).get("consumers") == 1


@asynccontextmanager
async def logins(dev: Daemon) -> AsyncIterator[Daemon]:
    """Run what checks logins; it is there when the block begins, since a login waits for seconds only."""
    environment = {"GATEWAYWORKER_REGISTER": dev.ready.register}
    checks = Daemon("logins.py", environment=environment, folder=FOLDER, launcher=(sys.executable,))
    checks.launch()
    try:
        await asyncio.to_thread(eventually, lambda: is_at_work(dev))
        yield checks
    finally:
        checks.kill()


async def log_in(page: Page, name: str, password: str) -> None:
    """Fill in the form and send it."""
    await page.fill("[name=name]", name)
    await page.fill("[name=password]", password)
    await page.click("#login button")


@pytest.mark.asyncio(loop_scope="module")
async def test_nobody_is_heard_before_the_login(browser: Browser) -> None:
    """What was sent behind a login is heard when that has passed, and never if it has not."""
    flags = (*DEV_ON_ANY_PORT, "--no-demo", "--entry", "chat_entry")
    with Daemon("gateway", *flags, folder=FOLDER) as dev:
        address = f"{(FOLDER / 'page.html').as_uri()}?gateway={dev.ready.ws}"
        ann, bob = await browser.new_page(), await browser.new_page()
        await ann.goto(address)
        await bob.goto(address)
        await expect(ann.locator("#state")).to_have_text("connected")
        async with logins(dev) as checks:
            checks.freeze()
            await log_in(ann, "ann", "tulip")  # nobody checks it yet
            checks.thaw()
            await expect(ann.locator("#messages li")).to_have_text(["ann came in", "ann: hello"])
            await log_in(bob, "bob", "tulip")
            await expect(bob.locator("#state")).to_have_text("closed: 4003 wrong password")
            await expect(bob.locator("#messages li")).to_have_text(["bob may not come in"])
            await bob.evaluate("connect({ name: 'nobody', password: null })")
            await expect(bob.locator("#messages li").last).to_have_text("nobody may not come in")
            await bob.evaluate("connect({ name: ['no', 'text'] })")
            await expect(bob.locator("#state")).to_have_text("closed: 4001 log in first")
            await log_in(bob, "bob", "rose")
            await expect(ann.locator("#messages li")).to_have_text(
                ["ann came in", "ann: hello", "bob came in", "bob: hello"]
            )
            await bob.close()
            await expect(ann.locator("#messages li").last).to_have_text("bob left")
        await ann.close()


@pytest.mark.asyncio(loop_scope="module")
async def test_who_does_not_log_in_is_sent_away(browser: Browser) -> None:
    """At once for another message, and after 5 seconds where nobody checks the login."""
    flags = (*DEV_ON_ANY_PORT, "--no-demo", "--entry", "chat_entry")
    with Daemon("gateway", *flags, folder=FOLDER) as dev:
        page = await browser.new_page()
        await page.goto(f"{(FOLDER / 'page.html').as_uri()}?gateway={dev.ready.ws}")
        await expect(page.locator("#state")).to_have_text("connected")
        await page.fill("[name=text]", "listen to me")
        await page.click("#say button")
        await expect(page.locator("#state")).to_have_text("closed: 4001 log in first")
        await log_in(page, "ann", "tulip")
        await expect(page.locator("#state")).to_have_text("closed: 3502 never_bound")
        await expect(page.locator("#messages li")).to_have_count(0)
        await page.close()
