"""The page's connection script, in a real browser, against a peer that does as each test needs.

The peer is no stand-in for the gateway: it misbehaves (refuses, closes, says init twice) in ways that a
gateway does rarely, and at the moment that a test wants.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, expect

from scripts.tree import ROOT

pytestmark = pytest.mark.asyncio(loop_scope="module")

SCRIPT = ROOT / "gateway/demo/assets/push.js"

PAGE = """<!doctype html><ul id=log></ul><script src=/push.js></script><script>
  const note = (text) => {{
    const item = document.createElement("li");
    item.textContent = text;
    log.append(item);
  }};
  connectPush({{
    gateway: "{gateway}", {more}
    onMessage: (message) => note("message " + JSON.stringify(message)),
    onState: (state, reason, online) => {{
      note(reason ? state + ": " + reason : state);
      window.online = online;
    }},
  }});
</script>"""

REMEMBER_PAUSES = """
  window.pauses = [];
  const soon = window.setTimeout;
  window.setTimeout = (f, ms, ...rest) => { pauses.push(ms); return soon(f, 0, ...rest); };
"""

Connection = Callable[[web.WebSocketResponse], Awaitable[object]]


class Peer:
    """A web server whose websocket plays one scene after another, one per connection."""

    def __init__(self) -> None:
        self.scenes: list[Connection] = []
        self.connections = 0
        self.bound: list[str] = []
        self.was_bound = asyncio.Event()
        self.refusals = 0
        """How many of the next posts to /bind are answered with an error."""
        self.url = ""
        self.gateway = ""
        self.more = ""
        """Further options of `connectPush`."""

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Peer"]:
        """Listen on a port of the kernel's choice."""
        app = web.Application()
        app.router.add_get("/", self._page)
        app.router.add_get("/push.js", self._script)
        app.router.add_post("/bind", self._bind)
        app.router.add_get("/socket", self._socket)
        runner = web.AppRunner(app, shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.url = "http://{}:{}/".format(*runner.addresses[0])
        self.gateway = self.url.replace("http", "ws") + "socket"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _page(self, _request: web.Request) -> web.Response:
        return web.Response(
            text=PAGE.format(gateway=self.gateway, more=self.more), content_type="text/html"
        )

    async def _script(self, _request: web.Request) -> web.Response:
        return web.Response(text=SCRIPT.read_text(), content_type="text/javascript")

    async def _bind(self, request: web.Request) -> web.Response:
        self.bound.append((await request.json())["client_id"])
        self.was_bound.set()
        if self.refusals:
            self.refusals -= 1
            return web.json_response({"error": {"message": "not now"}}, status=503)
        return web.json_response({})

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        scene = self.scenes[min(self.connections, len(self.scenes) - 1)]
        self.connections += 1
        await scene(socket)
        return socket


def says(*messages: str) -> Connection:
    """Say these, then wait until the page leaves."""

    async def scene(socket: web.WebSocketResponse) -> None:
        for message in messages:
            await socket.send_str(message)
        await socket.receive()

    return scene


def closes(code: int, reason: str) -> Connection:
    """Close at once."""
    return lambda socket: socket.close(code=code, message=reason.encode())


def init(client_id: str) -> str:
    """Write the message that a gateway says first."""
    return f'{{"type":"init","client_id":"{client_id}"}}'


@pytest_asyncio.fixture(loop_scope="module")
async def peer() -> AsyncIterator[Peer]:
    """Give a listening peer."""
    async with Peer().serving() as serving:
        yield serving


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """Give an empty tab."""
    page = await browser.new_page()
    yield page
    await page.close()


async def lines(page: Page, *expected: str) -> None:
    """See that the page's log becomes exactly this."""
    await expect(page.locator("#log li")).to_have_text(list(expected))


async def test_it_posts_the_client_id_and_hands_messages_over(peer: Peer, page: Page) -> None:
    """The client_id of init goes to /bind; JSON arrives parsed, other text as it is."""
    said = asyncio.Event()

    async def scene(socket: web.WebSocketResponse) -> None:
        await socket.send_str(init("c1"))
        await said.wait()
        await socket.send_str('{"news":1}')
        await socket.send_str("plain")
        await socket.receive()

    peer.scenes = [scene]
    await page.goto(peer.url)
    await lines(page, "connecting", "online")
    said.set()
    await lines(page, "connecting", "online", 'message {"news":1}', 'message "plain"')
    assert peer.bound == ["c1"]


async def test_it_gives_the_page_the_socket_that_is_bound(peer: Peer, page: Page) -> None:
    """With the state online comes the socket, to send by; without it there is none."""

    async def echo_once(socket: web.WebSocketResponse) -> None:
        await socket.send_str(init("c1"))
        await socket.send_str(await socket.receive_str())
        await socket.close(code=3500)

    peer.scenes = [echo_once]
    await page.goto(peer.url)
    await page.wait_for_function("window.online")
    await page.evaluate("online.send('here I am')")
    await lines(page, "connecting", "online", 'message "here I am"', "refused: code 3500")
    assert await page.evaluate("window.online") is None


async def test_it_needs_no_application(peer: Peer, page: Page) -> None:
    """With `bind: null` a connection is online as soon as it has its client_id."""
    peer.scenes = [says(init("c1"))]
    peer.more = "bind: null,"
    await page.goto(peer.url)
    await lines(page, "connecting", "online")
    assert peer.bound == []


@pytest.mark.parametrize("gateway", [":{port}/socket", "/socket"])
async def test_it_finds_a_gateway_on_the_pages_own_host(
    peer: Peer, page: Page, gateway: str
) -> None:
    """`:port` is a port of the page's host, `/path` a path on its host and port."""
    peer.scenes = [says(init("c1"))]
    peer.gateway = gateway.format(port=peer.url.rpartition(":")[2].rstrip("/"))
    await page.goto(peer.url)
    await lines(page, "connecting", "online")


async def test_it_binds_again_after_every_reconnect(peer: Peer, page: Page) -> None:
    """A connection that ends is made anew, and its new client_id is bound."""

    async def leave_when_bound(socket: web.WebSocketResponse) -> None:
        await socket.send_str(init("c1"))
        await peer.was_bound.wait()
        await socket.close(code=1012, message=b"stopping")

    peer.scenes = [leave_when_bound, says(init("c2"))]
    await page.goto(peer.url)
    await expect(page.locator("#log")).to_contain_text("waiting: stopping")
    await expect(page.locator("#log li").last).to_have_text("online")
    assert peer.bound == ["c1", "c2"]


@pytest.mark.parametrize("code", [3500, 3999])
async def test_it_stays_away_when_told_to(peer: Peer, page: Page, code: int) -> None:
    """Close codes 3500 to 3999 mean: do not come back."""
    peer.scenes = [closes(code, "go")]
    await page.add_init_script(REMEMBER_PAUSES)
    await page.goto(peer.url)
    await lines(page, "connecting", "refused: go")
    assert await page.evaluate("pauses") == []
    assert peer.connections == 1


@pytest.mark.parametrize("code", [1012, 3499, 4000])
async def test_it_comes_back_after_any_other_code(peer: Peer, page: Page, code: int) -> None:
    """Every other code means: connect again."""
    peer.scenes = [closes(code, "later"), says(init("c2"))]
    await page.goto(peer.url)
    await lines(page, "connecting", "waiting: later", "connecting", "online")


async def test_it_waits_longer_each_time_up_to_a_limit(peer: Peer, page: Page) -> None:
    """Pauses are drawn from 0 to a ceiling that doubles from 0.5 s to 30 s."""
    peer.gateway = "ws://127.0.0.1:1"  # nobody listens there
    await page.add_init_script(REMEMBER_PAUSES + "Math.random = () => 0.5;")
    await page.goto(peer.url)
    await page.wait_for_function("pauses.length >= 9")
    expected = [250, 500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]
    assert await page.evaluate("pauses.slice(0, 9)") == expected


async def test_a_bind_that_fails_is_tried_again_on_a_new_connection(peer: Peer, page: Page) -> None:
    """An application that answers /bind with an error is asked again after a pause."""
    peer.scenes = [says(init("c1")), says(init("c2"))]
    peer.refusals = 1
    await page.goto(peer.url)
    await lines(page, "connecting", "waiting: not now", "connecting", "online")
    assert peer.bound == ["c1", "c2"]


async def test_a_refusal_that_is_no_json_is_told_by_its_status(peer: Peer, page: Page) -> None:
    """Any framework's error page will do: the reason is then the URL and the status."""
    peer.scenes = [says(init("c1"))]
    await page.route("**/bind", lambda route: route.fulfill(status=403, body="<h1>CSRF</h1>"))
    await page.goto(peer.url)
    await expect(page.locator("#log li").nth(1)).to_have_text("waiting: /bind answered 403")


async def test_a_later_init_is_a_message_like_any_other(peer: Peer, page: Page) -> None:
    """JSON of another person that looks like init cannot make a page bind it."""
    peer.scenes = [says(init("c1"), init("foreign"))]
    await page.goto(peer.url)
    await expect(page.locator("#log")).to_contain_text('"client_id":"foreign"')
    await expect(page.locator("#log")).to_contain_text("online")
    assert peer.bound == ["c1"]
