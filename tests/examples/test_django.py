"""The Django example by its commands, in a real browser: views, a worker or a consumer, and one database."""

from collections.abc import Iterator
from typing import Final

import aiohttp
import pytest
from playwright.async_api import Browser, Page, expect

from tests.examples.running import Example, another_tab, log_in, push, running

pytestmark = pytest.mark.asyncio(loop_scope="module")

BIND: Final = """async (client_id) => {
  const body = JSON.stringify({ client_id });
  return (await fetch("/bind", { method: "POST", headers, body })).status;
}"""
"""Posts another connection's client_id with the login and the token of a page."""


@pytest.fixture(scope="module", params=["django", "django-consumer"])
def example(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Example]:
    """Give the running example, with an empty database."""
    database = tmp_path_factory.mktemp("django") / "db.sqlite3"
    with running(request.param, {"DATABASE": str(database)}) as started:
        yield started


async def write(page: Page, text: str) -> None:
    """Write on the board, by websocket."""
    await page.fill("#write input", text)
    await page.press("#write input", "Enter")


async def sees(page: Page, message: str) -> None:
    """See a message on the board, once."""
    await expect(page.locator("#messages li", has_text=message)).to_have_count(1)


async def test_what_is_written_is_stored(browser: Browser, example: Example) -> None:
    """What is sent by websocket shows on every page, and is there after a reload."""
    ann = await log_in(browser, example, "Ann")
    bob = await log_in(browser, example, "Bob")
    await write(ann, "for the <b>record</b>")
    for page in (ann, bob):
        await sees(page, "Ann: for the <b>record</b>")
    await bob.reload()
    await sees(bob, "Ann: for the <b>record</b>")


async def test_pushes_of_views_reach_their_targets(browser: Browser, example: Example) -> None:
    """A note to me reaches me alone; to the board and to all, the other too. None is stored."""
    cleo = await log_in(browser, example, "Cleo")
    dan = await log_in(browser, example, "Dan")
    for to, text in (("me", "mine"), ("board", "ours"), ("all", "everybody's")):
        await push(cleo, to, text)
        await sees(cleo, f"Cleo: {text}")
    await sees(dan, "Cleo: everybody's")
    await expect(dan.locator(".note")).to_have_text(["Cleo: ours", "Cleo: everybody's"])
    await dan.reload()
    await expect(dan.locator(".note")).to_have_count(0)


async def test_a_logout_unbinds_the_connections_of_its_login(
    browser: Browser, example: Example
) -> None:
    """Both tabs of the login are out; the same user elsewhere goes on."""
    first = await log_in(browser, example, "Eve")
    second = await another_tab(first)
    elsewhere = await log_in(browser, example, "Eve")
    await first.click("text=Log out")
    for tab in (first, second):
        await expect(tab.locator("text=Log in")).to_be_visible()
    await push(elsewhere, "me", "still here")
    await sees(elsewhere, "Eve: still here")


async def test_a_logout_holds_for_a_connection_that_stays(
    browser: Browser, example: Example
) -> None:
    """One that does not leave when it is told to gets no pushes and writes nothing on the board."""
    finn = await log_in(browser, example, "Finn")
    gil = await log_in(browser, example, "Gil")
    async with aiohttp.ClientSession() as http, http.ws_connect(example.gateway.ws) as stubborn:
        client_id = (await stubborn.receive_json())["client_id"]
        assert await finn.evaluate(BIND, client_id) == 200
        await finn.click("text=Log out")
        assert await stubborn.receive_json() == {"type": "logged_out"}
        await stubborn.send_str("not mine to write")
        await write(gil, "written")
        await sees(gil, "Gil: written")
        await push(gil, "all", "the last")
        assert (await stubborn.receive_json())["text"] == "the last"
    await gil.reload()
    await sees(gil, "Gil: written")
    await expect(gil.locator("#messages")).not_to_contain_text("not mine to write")


async def test_a_post_without_the_token_is_refused(browser: Browser, example: Example) -> None:
    """Django's protection is on: with the session's cookie alone nothing is bound or pushed."""
    hana = await log_in(browser, example, "Hana")
    for path in ("/bind", "/push", "/logout"):
        answer = await hana.context.request.post(example.url + path, data={"client_id": "0" * 32})
        assert answer.status == 403
    await push(hana, "me", "still in")
    await sees(hana, "Hana: still in")
