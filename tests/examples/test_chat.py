"""The chat example by its one command, in a real browser: all logic in a worker's events."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, Page, expect

from gateway_client import AsyncGatewayClient
from tests.examples.running import Example, online, running, shows

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def example() -> Iterator[Example]:
    """Give the running example."""
    with running("chat") as started:
        yield started


async def visit(browser: Browser, example: Example) -> Page:
    """Open the page and wait until it is connected."""
    page = await browser.new_page()
    port = example.gateway.ws.rpartition(":")[2]
    await page.goto(f"{example.url}/?port={port}")
    await online(page)
    return page


async def enter(page: Page, name: str, room: str) -> None:
    """Enter a room, and wait until the page has heard of it."""
    await page.fill('input[name="name"]', name)
    await page.fill('input[name="room"]', room)
    await page.click("#enter button")
    await expect(page.locator("#messages li").last).to_have_text(f"{name} came in")


async def say(page: Page, text: str) -> None:
    """Say something in the room."""
    await page.fill("#say input", text)
    await page.press("#say input", "Enter")


async def test_what_is_said_stays_in_its_room(browser: Browser, example: Example) -> None:
    """Two in one room hear each other; one elsewhere hears none of it."""
    ann, bob, cleo = [await visit(browser, example) for _ in range(3)]
    await enter(ann, "Ann", "garden")
    await enter(bob, "Bob", "garden")
    await enter(cleo, "Cleo", "cellar")
    await say(ann, "hello <i>all</i>")
    await say(bob, "hello Ann")
    await shows(ann, "Ann came in", "Bob came in", "Ann: hello <i>all</i>", "Bob: hello Ann")
    await shows(bob, "Bob came in", "Ann: hello <i>all</i>", "Bob: hello Ann")
    await say(cleo, "alone")
    await shows(cleo, "Cleo came in", "Cleo: alone")


async def test_a_room_tells_who_is_in_it(browser: Browser, example: Example) -> None:
    """Names come from the sessions of the room's group; moving and leaving is told."""
    dan, eve = [await visit(browser, example) for _ in range(2)]
    await enter(dan, "Dan", "attic")
    await enter(eve, "Eve", "attic")
    await dan.click("#who")
    await shows(dan, "Dan came in", "Eve came in", "Here: Dan, Eve")
    await enter(eve, "Eve", "roof")
    await expect(dan.locator("#messages li").last).to_have_text("Eve left")
    await enter(eve, "Eve", "attic")
    await eve.close()
    await expect(dan.locator("#messages li").last).to_have_text("Eve left")
    await dan.click("#who")
    await expect(dan.locator("#messages li").last).to_have_text("Here: Dan")


async def test_nobody_speaks_before_entering(browser: Browser, example: Example) -> None:
    """Without a room in the session there is nowhere to say it; the page is told."""
    page = await visit(browser, example)
    await say(page, "anybody?")
    await shows(page, "Enter a room first.")


async def test_a_page_returns_to_its_room_after_a_lost_connection(
    browser: Browser, example: Example
) -> None:
    """A new connection is a new session, so each page enters again by itself."""
    finn = await visit(browser, example)
    gil = await visit(browser, example)
    await enter(finn, "Finn", "hall")
    await enter(gil, "Gil", "hall")
    async with AsyncGatewayClient(example.gateway.register) as client:
        assert await client.close_group("room:hall", code=4000) == 2
    for page, entered in ((finn, "Finn came in"), (gil, "Gil came in")):
        await expect(page.locator("#messages li", has_text=entered)).to_have_count(2)
    await say(gil, "still there?")
    await expect(finn.locator("#messages")).to_contain_text("Gil: still there?")
