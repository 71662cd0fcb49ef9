"""The demo as its visitors have it: `gateway dev`, and Chromium with several tabs.

What is read from the page has gone the whole way: page, application, client library, gateway, page.
"""

from collections.abc import Iterator
from typing import Final

import psutil
import pytest
from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.support.daemons import DEV_ON_ANY_PORT, Daemon

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHONE: Final = ViewportSize(width=360, height=640)


@pytest.fixture(scope="module")
def demo() -> Iterator[Daemon]:
    """Give a running `gateway dev` on ports of the kernel's choice."""
    with Daemon("gateway", *DEV_ON_ANY_PORT) as running:
        yield running


async def enter(browser: Browser, demo: Daemon, name: str) -> Page:
    """Open a tab of its own browser profile, choose a name, and wait until it is bound."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(demo.ready.demo)
    await page.fill("#name", name)
    await page.click("#login button")
    await online(page)
    return page


async def online(page: Page) -> None:
    """Wait until the page's connection is bound."""
    state = page.locator("#state")
    await expect(state).to_have_attribute("data-state", "online")


async def say(page: Page, text: str, *, to: str = "group:lobby") -> None:
    """Send a text by the page's own form."""
    await page.select_option("#to", to)
    await page.fill("#text", text)
    await page.press("#text", "Enter")


async def sees(page: Page, sender: str, text: str) -> None:
    """See that the page shows this message of this sender."""
    message = page.locator("#messages li", has_text=text)
    await expect(message.locator(".from")).to_have_text(sender)


async def test_two_tabs_see_what_is_said_to_everyone(browser: Browser, demo: Daemon) -> None:
    """A message to the group reaches its sender's tab and the other's."""
    ann = await enter(browser, demo, "Ann")
    bob = await enter(browser, demo, "Bob")
    await say(ann, "Hello from Ann")
    await say(bob, "Hello from Bob")
    for page in (ann, bob):
        await sees(page, "Ann", "Hello from Ann")
        await sees(page, "Bob", "Hello from Bob")


async def test_a_message_to_a_uid_reaches_that_person_alone(browser: Browser, demo: Daemon) -> None:
    """A push to a uid shows in that person's tab, and not in a third one."""
    cleo = await enter(browser, demo, "Cleo")
    dan = await enter(browser, demo, "Dan")
    eve = await enter(browser, demo, "Eve")
    await cleo.locator('.person[data-uid="Dan"]').click()
    await say(cleo, "For Dan only", to="uid:Dan")
    await sees(dan, "Cleo", "For Dan only")
    await expect(cleo.locator("#messages .note")).to_have_text("to Dan · reached 1")
    await say(cleo, "For all")  # comes after it, so what Eve has by then is all she gets
    await sees(eve, "Cleo", "For all")
    await expect(eve.locator("#messages")).not_to_contain_text("For Dan only")


async def test_two_tabs_of_one_person_both_get_what_is_sent_to_the_uid(
    browser: Browser, demo: Daemon
) -> None:
    """A uid has as many connections as it has tabs; each receives."""
    first = await enter(browser, demo, "Finn")
    second = await first.context.new_page()
    await second.goto(demo.ready.demo)
    await online(second)
    await say(first, "Note to myself", to="uid:Finn")
    for page in (first, second):
        await sees(page, "Finn", "Note to myself")


async def test_the_page_shows_who_is_there(browser: Browser, demo: Daemon) -> None:
    """Everybody who enters appears in the lists of those who are there."""
    gil = await enter(browser, demo, "Gil")
    await enter(browser, demo, "Hana")
    await expect(gil.locator('.person[data-uid="Hana"]')).to_be_visible()
    await expect(gil.locator('.person[data-uid="Gil"]')).to_have_text("Gil (you)")


async def test_what_people_write_is_text_and_never_markup(browser: Browser, demo: Daemon) -> None:
    """Names and messages with markup show as they were typed."""
    name, text = "<i>Ivo</i>", "<img src=x onerror='document.title=1'>"
    ivo = await enter(browser, demo, name)
    await say(ivo, text)
    await sees(ivo, name, text)
    assert await ivo.locator("#messages img, #people i").count() == 0
    assert await ivo.title() == "Push demo"


async def test_a_phone_needs_no_sideways_scrolling(browser: Browser, demo: Daemon) -> None:
    """On a small screen everything fits the width, with people, long words and the form."""
    jo = await enter(browser, demo, "J" * 24)
    await jo.set_viewport_size(PHONE)
    await say(jo, "w" * 300)
    await sees(jo, "J" * 24, "w" * 300)
    widths = await jo.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths == [PHONE["width"], PHONE["width"]]
    await expect(jo.locator("#compose button")).to_be_in_viewport(ratio=1)


async def test_a_page_binds_again_after_its_gateway_was_killed(
    browser: Browser, demo: Daemon
) -> None:
    """The gateway is killed and restarted; pages return by themselves and get pushes."""
    kim = await enter(browser, demo, "Kim")
    lou = await enter(browser, demo, "Lou")
    gateway_process(demo).kill()
    await expect(kim.locator("#state")).not_to_have_attribute("data-state", "online")
    for page in (kim, lou):
        await online(page)
    await say(kim, "Back again", to="uid:Lou")
    await sees(lou, "Kim", "Back again")


def gateway_process(demo: Daemon) -> psutil.Process:
    """Find the gateway among the processes that `gateway dev` started."""
    children = psutil.Process(demo.pid).children(recursive=True)
    return next(child for child in children if "gateway" in child.cmdline())
