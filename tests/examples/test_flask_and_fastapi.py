"""The Flask and FastAPI examples, one application written twice, in a real browser.

FastAPI's has one thing more, which a file of its own tests: test_lifespan_task.py.
"""

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, expect

from tests.examples.running import Example, another_tab, log_in, push, running, shows

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module", params=["flask", "fastapi"])
def example(request: pytest.FixtureRequest) -> Iterator[Example]:
    """Give the running example."""
    with running(request.param) as started:
        yield started


async def test_pushes_reach_their_targets(browser: Browser, example: Example) -> None:
    """A push to me reaches me alone; one to the group and one to all reach the other as well."""
    ann = await log_in(browser, example, "Ann")
    bob = await log_in(browser, example, "Bob")
    await push(ann, "me", "mine")
    await shows(ann, "Ann: mine")
    await push(ann, "news", "ours")
    await shows(bob, "Ann: ours")
    await push(bob, "all", "everybody's")
    await shows(ann, "Ann: mine", "Ann: ours", "Bob: everybody's")


async def test_a_logout_ends_the_connections_of_its_login(
    browser: Browser, example: Example
) -> None:
    """Both tabs of the login get the login form again; the same user elsewhere goes on."""
    first = await log_in(browser, example, "Cleo")
    second = await another_tab(first)
    elsewhere = await log_in(browser, example, "Cleo")
    await first.click("text=Log out")
    for tab in (first, second):
        await expect(tab.locator("text=Log in")).to_be_visible()
    await push(elsewhere, "me", "still here")
    await shows(elsewhere, "Cleo: still here")


async def test_only_who_is_logged_in_may_bind_and_push(browser: Browser, example: Example) -> None:
    """Without a login /bind and /push answer 401."""
    context = await browser.new_context()
    for path in ("/bind", "/push"):
        answer = await context.request.post(example.url + path, data={"client_id": "0" * 32})
        assert answer.status == 401
