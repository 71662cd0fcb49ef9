"""CONNMIX's API over plain HTTP, and where it is not served."""

from typing import Any

import pytest

from gateway.admin.connmix import ConnmixApi
from tests.gateway.admin.core import gateway
from tests.gateway.admin.ports import administered, served
from tests.gateway.admin.talking import Speaking, speaking

PATHS = ("/v1/mesh/send", "/v1/mesh/publish")


async def posted(gateway: Speaking, path: str, body: object) -> Any:
    """Post a request; give the answer, which has status 200 in any case."""
    async with gateway.session.post(path, json=body) as answer:
        assert answer.status == 200
        assert answer.content_type == "application/json"
        return await answer.json()


async def test_it_sends_to_a_client() -> None:
    """Text and binary; the id as digits or as a number, and errors by number."""
    async with speaking() as gateway:
        browser = await gateway.core.browser()
        target = {"c": browser.client_id}

        text = await posted(gateway, "/v1/mesh/send", target | {"d": "hi"})
        await posted(gateway, "/v1/mesh/send", target | {"d": "AP8=", "t": "binary"})
        gone = await posted(gateway, "/v1/mesh/send", {"c": 7, "d": "hi"})

        assert text == {"E": None, "r": {"s": True}}
        assert [await browser.next(), await browser.next()] == ["hi", b"\x00\xff"]
        assert gone == {"E": {"c": 401, "m": "the client 7 is not connected"}}


async def test_it_publishes_to_a_channel() -> None:
    """The answer counts who took it, and gateways that did not answer."""
    async with speaking() as gateway:
        browser = await gateway.core.browser()
        gateway.core.hub.join(gateway.connection(browser), "news")

        answer = await posted(gateway, "/v1/mesh/publish", {"c": "news", "d": "hi"})

        assert answer == {"E": None, "r": {"s": 1, "f": 0}}
        assert await browser.next() == "hi"
        assert gateway.part.requests == {"mesh.publish": 1}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", [[], {}, {"c": "news"}, {"d": "hi"}])
async def test_a_bad_request_is_error_101(path: str, body: object) -> None:
    """With a text that says what is right."""
    async with speaking() as gateway:
        answer = await posted(gateway, path, body)

        assert answer["E"]["c"] == 101
        assert answer["E"]["m"]
        assert gateway.part.errors == {"101": 1}


async def test_a_body_that_is_no_json_is_error_101() -> None:
    """The content type alone does not make it so."""
    headers = {"Content-Type": "application/json"}
    async with (
        speaking() as gateway,
        gateway.session.post(PATHS[0], data=b"hello", headers=headers) as answer,
    ):
        assert (await answer.json())["E"]["c"] == 101


async def test_a_post_needs_the_content_type() -> None:
    """As everywhere on this port: a foreign page cannot send it without asking."""
    async with speaking() as gateway, gateway.session.post(PATHS[0], data="{}") as answer:
        assert answer.status == 415


async def test_a_plain_get_of_the_websocket_is_an_error() -> None:
    """No 101 without an upgrade; it says with what to come."""
    async with speaking() as gateway, gateway.session.get("/ws/v1") as answer:
        assert answer.status == 400
        error = (await answer.json())["error"]
        assert error["code"] == "bad_request"
        assert f"ws://{answer.url.authority}/ws/v1" in error["message"]


async def test_it_is_served_on_demand_alone() -> None:
    """Each path names the setting."""
    async with gateway() as core, administered(core.sources()) as session:
        for method, path in (("GET", "/ws/v1"), *(("POST", path) for path in PATHS)):
            async with session.request(
                method, path, json={} if method == "POST" else None
            ) as answer:
                assert answer.status == 404
                assert "--connmix" in (await answer.json())["error"]["message"]
        assert repr(ConnmixApi(None, core.client)) == "<ConnmixApi off>"


async def test_no_websocket_is_accepted_while_the_gateway_stops() -> None:
    """A client that connects anew at once must not hold up the stop."""
    async with speaking() as gateway:
        api = ConnmixApi(gateway.part, gateway.core.client)
        await api.close()
        async with served(api.routes()) as session, session.get("/ws/v1") as answer:
            assert answer.status == 503
            assert (await answer.json())["error"]["code"] == "stopping"


async def test_the_origin_of_a_websocket_may_be_the_host_without_its_port() -> None:
    """As the asynchronous PHP clients send it; any other page is refused."""
    async with speaking() as gateway:
        for origin, status in (("http://127.0.0.1", 101), ("http://127.0.0.1:1", 403)):
            headers = {
                "Origin": origin,
                "Upgrade": "websocket",
                "Connection": "Upgrade",
                "Sec-WebSocket-Version": "13",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            }
            async with gateway.session.get("/ws/v1", headers=headers) as answer:
                assert answer.status == status
