"""A login by `wait_context`, as a real browser, an entry module and a consumer play it together."""

import asyncio
import sys
from collections.abc import Iterator
from typing import Any, Final

import pytest
from playwright.async_api import Browser, Page

from gateway_client import AsyncGatewayClient
from scripts.tree import ROOT
from tests.support.daemons import DEV_ON_ANY_PORT, Daemon
from tests.support.waiting import PATIENCE

FOLDER: Final = ROOT / "tests/login"
MESSAGES: Final = 200
"""That a page sends behind its token: more than the 64 which the gateway keeps, so that it stops reading, too."""

SEND_ALL_AT_ONCE: Final = """([url, login, count]) => new Promise((resolve) => {
  const socket = new WebSocket(url);
  const heard = [];
  socket.onopen = () => {
    socket.send(JSON.stringify(login));
    for (let number = 0; number < count; number++) {
      socket.send(JSON.stringify({ text: `message ${number}` }));
    }
  };
  socket.onmessage = ({ data }) => {
    heard.push(JSON.parse(data));
    if (heard.length === count) socket.close(1000);
  };
  socket.onclose = ({ code, reason }) => resolve({ heard, code, reason });
})"""
"""The page's script: what it was answered, and how it ended."""


@pytest.fixture(scope="module")
def dev() -> Iterator[Daemon]:
    """Give a running register and a gateway with the entry module."""
    flags = ("--no-demo", "--no-init-message", "--entry", "gate")
    with Daemon("gateway", *DEV_ON_ANY_PORT, *flags, folder=FOLDER) as running:
        yield running


def checker(dev: Daemon) -> Daemon:
    """Give the consumer that checks tokens."""
    environment = {"GATEWAYWORKER_REGISTER": dev.ready.register}
    return Daemon("checker.py", environment=environment, folder=FOLDER, launcher=(sys.executable,))


async def converse(page: Page, dev: Daemon, token: str, patience: float) -> dict[str, Any]:
    """Let a page send its token and everything else at once; give what becomes of it.

    Args:
        page: In a browser.
        dev: The gateway.
        token: What a user would have from a login.
        patience: Seconds that the token may take to be checked.
    """
    login = {"token": token, "patience": patience}
    outcome: dict[str, Any] = await page.evaluate(SEND_ALL_AT_ONCE, [dev.ready.ws, login, MESSAGES])
    return outcome


def answers(user_id: int) -> list[dict[str, Any]]:
    """Give what a user is answered: everything, in order, by somebody who knows them."""
    return [{"text": f"message {number}", "user_id": user_id} for number in range(MESSAGES)]


@pytest.mark.asyncio(loop_scope="module")
async def test_what_is_sent_behind_the_token_comes_after_the_check(
    browser: Browser, dev: Daemon
) -> None:
    """In order, with the user known, for each page; one with a wrong token is closed with 3502, unheard."""
    pages = [await browser.new_page() for _ in range(3)]
    tokens = (("tulip", PATIENCE), ("rose", PATIENCE), ("a guess", 0.5))
    with checker(dev):
        ann, bob, guest = await asyncio.gather(
            *(converse(page, dev, *token) for page, token in zip(pages, tokens, strict=True))
        )
        async with AsyncGatewayClient(dev.ready.register) as client:
            state = (await client.get_all_queues())["chat"]
    assert (ann["code"], ann["heard"]) == (1000, answers(1000))
    assert (bob["code"], bob["heard"]) == (1000, answers(1001))
    assert (guest["code"], guest["reason"], guest["heard"]) == (3502, "never_bound", [])
    assert state["pushed"] == 2 * MESSAGES + len(tokens)
    for page in pages:
        await page.close()
