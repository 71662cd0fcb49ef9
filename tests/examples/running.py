"""An example as its readers start it, on ports of the kernel's choice, and people who use it."""

import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, NamedTuple

from playwright.async_api import Browser, Page, expect

from scripts.tree import ROOT
from tests.support.daemons import Daemon, Ready
from tests.support.waiting import eventually

ANY: Final = "127.0.0.1:0"

PORTS: Final = {
    "GATEWAYWORKER_GATEWAY__LISTEN": f"ws://{ANY}",
    "GATEWAYWORKER_GATEWAY__HTTP": ANY,
    "GATEWAYWORKER_GATEWAY__START_PORT": "0",
    "GATEWAYWORKER_REGISTER__LISTEN": ANY,
    "GATEWAYWORKER_REGISTER__HTTP": ANY,
    "PYTHONWARNINGS": "",  # a framework's own are not ours to answer for
}

SERVED: Final = re.compile(r"unning on (http://127\.0\.0\.1:\d+)")
"""How Flask's and Uvicorn's servers say on stderr where they listen."""

SERVED_ON_STDOUT: Final = {"django": "Starting development server", "chat": "Serving HTTP"}
"""How the others begin the line in which they say it."""


class Example(NamedTuple):
    """A running example."""

    url: str
    gateway: Ready


@contextmanager
def running(name: str, environment: Mapping[str, str] | None = None) -> Iterator[Example]:
    """Run an example by its one command until the block ends."""
    command = Daemon(
        *("examples/run.py", name, "--port", "0"),
        environment={**PORTS, **(environment or {})},
        folder=ROOT,
        launcher=[sys.executable],
    )
    with command:
        try:
            yield Example(_url(command, name), command.ready)
        finally:
            command.stop()


def _url(command: Daemon, name: str) -> str:
    """Wait until the web server says where it listens."""
    starting_with = SERVED_ON_STDOUT.get(name.partition("-")[0])
    if starting_with:
        line = command.line(starting_with=starting_with)
        return str(re.findall(r"http://[^/ ]+", line)[0])
    return served(command)


def served(command: Daemon) -> str:
    """Wait until Flask or Uvicorn says where it listens; give the URL."""
    return str(eventually(lambda: SERVED.findall(command.stderr))[0])


async def log_in(browser: Browser, example: Example, name: str) -> Page:
    """Open a page in a browser profile of its own, log in, and wait until it is bound."""
    page = await (await browser.new_context()).new_page()
    await page.goto(example.url)
    await page.fill('input[name="name"]', name)
    await page.click("text=Log in")
    await online(page)
    return page


async def another_tab(page: Page) -> Page:
    """Open the same page once more in the same browser profile, so with the same login."""
    tab = await page.context.new_page()
    await tab.goto(page.url)
    await online(tab)
    return tab


async def online(page: Page) -> None:
    """Wait until the page's connection is bound."""
    await expect(page.locator("#state")).to_have_text("online")


async def push(page: Page, to: str, text: str) -> None:
    """Push by the page's own form."""
    form = page.locator("#push")
    await form.locator("select").select_option(to)
    await form.locator("input").fill(text)
    await form.locator("input").press("Enter")


async def shows(page: Page, *messages: str) -> None:
    """See that the page's list becomes exactly this."""
    await expect(page.locator("#messages li")).to_have_text(list(messages))
