"""A role's HTTP port over real sockets."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientSession, web

from gateway_process.http_server import HttpServer
from gateway_process.secret import Secret
from tests.support.links import address_of, bound

LOGGER = logging.getLogger("test.http")
MAX_BODY = 100


async def healthy(_: web.Request) -> web.Response:
    """Answer."""
    return web.json_response({"status": "ok"})


async def echo(request: web.Request) -> web.Response:
    """Answer with the body."""
    return web.json_response({"echo": await request.json()})


async def broken(_: web.Request) -> web.Response:
    """Have a bug."""
    raise RuntimeError("secret detail")


async def unconnected(_: web.Request) -> web.Response:
    """Lose a connection to something else."""
    raise ConnectionResetError("to something else")


class Slow:
    """A route that answers when it is told to."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.go = asyncio.Event()
        self.left = asyncio.Event()

    async def read(self, request: web.Request) -> web.Response:
        """Read the body, and note when that ends."""
        self.asked.set()
        try:
            return web.json_response({"read": len(await request.read())})
        finally:
            self.left.set()

    async def answer(self, _: web.Request) -> web.Response:
        """Answer when told to."""
        self.asked.set()
        await self.go.wait()
        return web.json_response({"slow": True})


def routes(slow: Slow) -> list[web.RouteDef]:
    """Give the routes of a role."""
    return [
        web.get("/healthz", healthy),
        web.get("/broken", broken),
        web.get("/slow", slow.answer),
        web.get("/unconnected", unconnected),
        web.post("/echo", echo),
        web.post("/read", slow.read),
    ]


@asynccontextmanager
async def serving(
    api_key: str = "", slow: Slow | None = None
) -> AsyncIterator[tuple[ClientSession, HttpServer]]:
    """Serve the routes on a port that the kernel chose; give a client of it."""
    server = HttpServer(
        routes(slow or Slow()), Secret(api_key), max_body=MAX_BODY, grace=60.0, logger=LOGGER
    )
    sock = bound()
    base = f"http://{address_of(sock)}"
    await server.start(sock)
    try:
        async with ClientSession(base) as session:
            yield session, server
    finally:
        await server.stop()


def peer_of(session: ClientSession) -> tuple[str, int]:
    """Give where a client's port is."""
    base = session._base_url
    assert base is not None
    assert base.host is not None
    assert base.port is not None
    return base.host, base.port


async def error(
    session: ClientSession, method: str, path: str, **options: object
) -> tuple[int, str, str]:
    """Give status, code and message of an error."""
    async with session.request(method, path, **options) as answer:  # type: ignore[arg-type]
        body = await answer.json()
        return answer.status, body["error"]["code"], body["error"]["message"]


async def test_a_route_is_served() -> None:
    """A request of this machine gets its answer."""
    async with serving() as (session, _), session.post("/echo", json=[1]) as answer:
        assert (answer.status, await answer.json()) == (200, {"echo": [1]})


async def test_the_frameworks_errors_are_json() -> None:
    """What is not there, or not by this method, is told like every other error."""
    async with serving() as (session, _):
        assert await error(session, "GET", "/none") == (404, "not_found", "GET /none: not found")
        async with session.get("/echo") as answer:
            assert answer.status == 405
            assert answer.headers["Allow"] == "POST"
            assert (await answer.json())["error"]["code"] == "method_not_allowed"


async def test_a_bug_is_logged_and_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    """An exception of a route goes to the log; the answer says only where to look."""
    async with serving() as (session, _):
        status, code, message = await error(session, "GET", "/broken")
    assert (status, code) == (500, "internal")
    assert "secret detail" not in message
    assert "secret detail" in caplog.text


@pytest.mark.parametrize("request_", [b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"])
async def test_what_strangers_send_does_not_fill_the_log(
    request_: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Bytes that are no request are answered with 400 and logged at DEBUG only."""
    async with serving() as (session, _):
        reader, writer = await asyncio.open_connection(*peer_of(session))
        writer.write(request_)
        answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.0 400 ")
    assert not [record for record in caplog.records if record.levelno >= logging.INFO]


async def test_a_client_that_leaves_is_no_bug(caplog: pytest.LogCaptureFixture) -> None:
    """A connection that ends in the middle of a body is nobody's error."""
    slow = Slow()
    async with serving(slow=slow) as (session, _):
        _, writer = await asyncio.open_connection(*peer_of(session))
        head = "POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: 9\r\n\r\n".encode())
        await slow.asked.wait()
        writer.close()
        await slow.left.wait()
    assert not [record for record in caplog.records if record.levelno >= logging.INFO]


async def test_a_lost_connection_of_our_own_is_a_bug(caplog: pytest.LogCaptureFixture) -> None:
    """The client is there and waits: it gets an answer, and the log the error."""
    async with serving() as (session, _):
        status, code, _ = await error(session, "GET", "/unconnected")
    assert (status, code) == (500, "internal")
    assert "to something else" in caplog.text


async def test_a_body_has_a_limit() -> None:
    """More than the limit is not read."""
    async with serving() as (session, _):
        status, code, _ = await error(session, "POST", "/echo", json="x" * MAX_BODY)
    assert (status, code) == (413, "request_entity_too_large")


async def test_the_key_guards_everything_but_the_open_paths() -> None:
    """Without the key nothing is told but health, also not which paths exist."""
    async with serving("key") as (session, _):
        async with session.get("/healthz") as answer:
            assert answer.status == 200
        for path in ("/echo", "/none"):
            async with session.post(path, json=1) as answer:
                assert answer.status == 401
                assert answer.headers["WWW-Authenticate"] == "Bearer"
        headers = {"Authorization": "Bearer key"}
        async with session.post("/echo", json=1, headers=headers) as answer:
            assert answer.status == 200


async def test_without_a_key_a_foreign_page_is_refused() -> None:
    """The guard sees a request's headers and its peer."""
    async with serving() as (session, _):
        headers = {"Origin": "http://elsewhere.example"}
        status, code, _ = await error(session, "POST", "/echo", json=1, headers=headers)
    assert (status, code) == (403, "forbidden")


async def test_a_stop_lets_requests_end() -> None:
    """A request that is under way gets its answer before the port is closed."""
    slow = Slow()
    async with serving(slow=slow) as (session, server):
        request = asyncio.create_task(session.get("/slow"))
        await slow.asked.wait()
        stop = asyncio.create_task(server.stop())
        await asyncio.sleep(0)  # the stop has begun
        slow.go.set()
        async with await request as answer:
            assert await answer.json() == {"slow": True}
        await stop


async def test_a_server_that_never_started_stops() -> None:
    """Stopping is harmless at any time."""
    server = HttpServer([], Secret(), logger=LOGGER)
    await server.stop()
    assert repr(server) == "<HttpServer closed>"
