"""What CONNMIX's requests do in the cluster, and which number a failure has."""

import pytest

from gateway.admin.connmix_calls import carry_out
from gateway.connmix.codes import Code, ConnmixError
from gateway.connmix.dialects import LONG, SHORT
from gateway.connmix.wanted import (
    Call,
    Publish,
    Send,
    SetContext,
    SetContextValue,
    Subscribe,
    Unsubscribe,
)
from gateway_client import AsyncGatewayClient
from gateway_wire.limits import DEFAULT_MAX_MESSAGE, MAX_SESSION
from tests.gateway.admin.core import Core, gateway, register
from tests.support.cluster import closed_address

GONE = "7"
TOO_LARGE = "x" * (DEFAULT_MAX_MESSAGE + 1)


async def refused(client: AsyncGatewayClient, wanted: Send | Publish | Call) -> ConnmixError:
    """Give the error of what cannot be done."""
    with pytest.raises(ConnmixError) as caught:
        await carry_out(client, wanted, SHORT)
    return caught.value


async def test_it_reaches_clients_of_another_gateway() -> None:
    """Whichever gateway is asked: the client library finds the connection's own."""
    async with register() as (_, address), Core([address]) as one, Core([address]) as other:
        here, there = await one.browser(), await other.browser()
        for each in (here, there):
            subscribed = await carry_out(one.client, Subscribe(each.client_id, ["news"]), LONG)
            assert subscribed == {"success": True}

        sent = await carry_out(one.client, Send(there.client_id, "a"), SHORT)
        published = await carry_out(one.client, Publish("news", b"b"), SHORT)

        assert sent == {"s": True, "f": 0, "t": 1}
        assert published == {"s": 2, "f": 0, "t": 2}
        assert [await there.next(), await there.next()] == ["a", b"b"]
        assert await here.next() == b"b"


async def test_it_sets_context_and_channels() -> None:
    """The context is the session, channels are groups."""
    async with gateway() as core:
        client_id = (await core.browser()).client_id
        connection = core.hub.connections[client_id]
        for wanted in (
            SetContext(client_id, {"a": {"b": 1}}),
            SetContextValue(client_id, "a", {"c": 2}),
            Subscribe(client_id, ["news", "sport"]),
            Unsubscribe(client_id, ["news"]),
        ):
            assert await carry_out(core.client, wanted, SHORT) == {"s": True}

        assert connection.session == {"a": {"c": 2}}
        assert connection.groups == {"sport"}


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (Send(GONE, "hi"), Code.SEND_FAILED),
        (SetContext(GONE, {}), Code.CALL_FAILED),
        (SetContextValue(GONE, "a", 1), Code.CALL_FAILED),
        (Subscribe(GONE, ["news"]), Code.CALL_FAILED),
        (Unsubscribe(GONE, ["news"]), Code.CALL_FAILED),
    ],
)
async def test_a_client_that_is_gone_is_told(wanted: Send | Call, code: Code) -> None:
    """The number says what failed, the text which client it was."""
    async with gateway() as core:
        error = await refused(core.client, wanted)

    assert error.code is code
    assert error.text == "the client 7 is not connected"


async def test_what_is_too_large_is_a_bad_request() -> None:
    """A message for anybody, and a context that a client's gateway does not keep."""
    async with gateway() as core:
        client_id = (await core.browser()).client_id
        for wanted in (Send(client_id, TOO_LARGE), Publish("news", TOO_LARGE)):
            assert (await refused(core.client, wanted)).code is Code.BAD_REQUEST
        context = SetContextValue(client_id, "a", "x" * (MAX_SESSION - 10))
        await carry_out(core.client, context, SHORT)
        more = SetContextValue(client_id, "b", "x" * 100)
        assert (await refused(core.client, more)).code is Code.BAD_REQUEST


async def test_a_cluster_that_cannot_be_asked_is_told() -> None:
    """The text is the library's, with the remedy."""
    async with AsyncGatewayClient(closed_address()) as client:
        sent = await refused(client, Send(GONE, "hi"))
        published = await refused(client, Publish("news", "hi"))
        called = await refused(client, Subscribe(GONE, ["news"]))

    assert (sent.code, published.code) == (Code.SEND_FAILED, Code.SEND_FAILED)
    assert called.code is Code.CALL_FAILED
    assert "register start" in called.text
