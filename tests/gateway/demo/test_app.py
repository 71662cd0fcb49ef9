"""The demo's HTTP side, without a cluster: pages, login, and what it refuses.

What happens with a cluster behind it is in `tests/demo/test_page.py`, through a browser.
"""

import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.demo.app import create_app
from gateway_client import AsyncGateway

Browser = TestClient[web.Request, web.Application]

CLIENT_ID = "0" * 32


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    """Give an HTTP client with a cookie jar, and a demo whose register does not answer."""
    with socket.create_server(("127.0.0.1", 0)) as unused:
        register = "{}:{}".format(*unused.getsockname())
    before = AsyncGateway.register_address
    app = create_app(register=register, gateway_url="ws://gateway.example:7272")
    async with TestClient(TestServer(app)) as client:
        yield client
    AsyncGateway.register_address = before  # it is the whole process's


async def post(browser: Browser, path: str, body: object) -> tuple[int, dict[str, Any]]:
    """Post JSON; give status and answer."""
    async with browser.post(path, json=body) as response:
        return response.status, await response.json()


async def page(browser: Browser, path: str = "/") -> str:
    """Get the page."""
    async with browser.get(path) as response:
        assert response.status == 200
        return await response.text()


async def test_the_page_is_told_where_the_gateway_is(browser: Browser) -> None:
    """The gateway's address stands in the page, for push.js to use."""
    assert 'data-gateway="ws://gateway.example:7272"' in await page(browser)


async def test_nothing_foreign_may_run_in_the_page(browser: Browser) -> None:
    """The page's policy allows its own files only."""
    async with browser.get("/") as response:
        policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", ["push.js", "page.js", "page.css"])
async def test_the_pages_own_files_are_served(browser: Browser, name: str) -> None:
    """Script and style come from the package."""
    async with browser.get(f"/assets/{name}") as response:
        assert response.status == 200
        assert await response.text()


@pytest.mark.parametrize("name", ["page.html", "..%2Fapp.py", "nothing"])
async def test_other_files_are_not(browser: Browser, name: str) -> None:
    """Nothing else of the package can be fetched."""
    async with browser.get(f"/assets/{name}") as response:
        assert response.status == 404


async def test_a_name_is_remembered_and_escaped(browser: Browser) -> None:
    """A chosen name comes back in the page, as text and not as markup."""
    name = '"><b>Zoë'
    assert await post(browser, "/login", {"name": name}) == (200, {"name": name})
    assert 'data-name="&quot;&gt;&lt;b&gt;Zoë"' in await page(browser)


async def test_each_seat_is_somebody_else(browser: Browser) -> None:
    """One browser can be two people in two tabs."""
    await post(browser, "/login", {"name": "Ann"})
    await post(browser, "/login?seat=2", {"name": "Bob"})
    assert 'data-name="Ann"' in await page(browser)
    assert 'data-name="Bob"' in await page(browser, "/?seat=2")


@pytest.mark.parametrize("name", ["", "  ", "x" * 25, 7, None])
async def test_a_name_is_a_short_text(browser: Browser, name: object) -> None:
    """An empty, long or other name is refused with the rule."""
    status, answer = await post(browser, "/login", {"name": name})
    assert status == 400
    assert answer["error"]["message"] == "`name` must be a text of 1 to 24 characters."


@pytest.mark.parametrize(
    ("path", "body"),
    [("/bind", {"client_id": CLIENT_ID}), ("/send", {"to": "group:lobby", "text": "Hello"})],
)
async def test_who_has_not_logged_in_is_refused(browser: Browser, path: str, body: object) -> None:
    """Without a name there is no uid to bind or to send from."""
    status, answer = await post(browser, path, body)
    assert (status, answer["error"]["code"]) == (401, "not_logged_in")


async def test_only_json_is_taken(browser: Browser) -> None:
    """A form, which a foreign page could send, is refused; so is broken JSON."""
    async with browser.post("/login", data={"name": "Ann"}) as response:
        assert response.status == 415
    headers = {"Content-Type": "application/json"}
    async with browser.post("/login", data="{", headers=headers) as response:
        assert response.status == 400


async def test_a_target_is_a_uid_or_a_group(browser: Browser) -> None:
    """Another kind of target is refused with the rule."""
    await post(browser, "/login", {"name": "Ann"})
    status, answer = await post(browser, "/send", {"to": "planet:mars", "text": "Hello"})
    assert status == 400
    assert answer["error"]["message"] == "`to` is `uid:<name>` or `group:<name>`."


@pytest.mark.parametrize(
    "body", [{"to": "uid:", "text": "Hi"}, {"to": "uid:Bob", "text": "\ud800"}]
)
async def test_what_no_gateway_could_carry_is_the_pages_fault(
    browser: Browser, body: object
) -> None:
    """An empty uid and text that is not Unicode are told as such."""
    await post(browser, "/login", {"name": "Ann"})
    status, answer = await post(browser, "/send", body)
    assert (status, answer["error"]["code"]) == (400, "invalid")


async def test_a_malformed_client_id_is_the_pages_fault(browser: Browser) -> None:
    """The library's error about the client_id becomes a 400."""
    await post(browser, "/login", {"name": "Ann"})
    status, answer = await post(browser, "/bind", {"client_id": "nonsense"})
    assert (status, answer["error"]["code"]) == (400, "invalid_client_id")


async def test_a_missing_register_is_said(browser: Browser) -> None:
    """Without a register the answer is 503 and names it."""
    await post(browser, "/login", {"name": "Ann"})
    status, answer = await post(browser, "/send", {"to": "group:lobby", "text": "Hello"})
    assert (status, answer["error"]["code"]) == (503, "register_unavailable")
