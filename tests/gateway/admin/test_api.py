"""The HTTP API over real sockets, against real gateways and some that are not well."""

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from gateway.admin.api import MAX_BODY
from gateway.admin.server import cluster_client
from gateway_client.calls import METHODS
from gateway_process.secret import Secret
from gateway_wire.addresses import Address
from gateway_wire.aio.link import AioLink, LinkLost
from gateway_wire.aio.listener import LinkListener
from gateway_wire.commands import Announce, Role
from gateway_wire.errors import ErrorCode
from gateway_wire.frames import Envelope
from gateway_wire.ids import node_key_of
from gateway_wire.limits import DEFAULT_MAX_MESSAGE
from tests.gateway.admin.core import Browser, Core, gateway, register
from tests.gateway.admin.ports import administered
from tests.support.links import Dialler, Owner, address_of, bound, party

DOCUMENT = Path(__file__).parents[3] / "docs" / "http-api.md"
NOBODY = "0" * 32
SICK_NODE = "5" * 12
SICK_CLIENT = SICK_NODE + "0" * 20


class Api:
    """Calls methods of the API."""

    def __init__(self, session: ClientSession) -> None:
        self._session = session

    async def __call__(self, method: str, **arguments: Any) -> tuple[int, dict[str, Any]]:
        """Give status and body of an answer."""
        return await self.post(method, json.dumps(arguments))

    async def post(
        self, method: str, body: str | bytes, kind: str = "application/json"
    ) -> tuple[int, dict[str, Any]]:
        """Send a body as it is."""
        headers = {"Content-Type": kind}
        data = BytesIO(body.encode() if isinstance(body, str) else body)
        async with self._session.post(f"/api/v1/{method}", data=data, headers=headers) as answer:
            assert answer.content_type == "application/json"
            return answer.status, await answer.json()

    async def result(self, method: str, **arguments: Any) -> Any:
        """Give the result of a call that must have one, and nothing beside it."""
        status, body = await self(method, **arguments)
        assert (status, list(body)) == (200, ["result"]), body
        return body["result"]

    async def error(self, method: str, **arguments: Any) -> tuple[int, str, str]:
        """Give status, code and message of a call that must fail."""
        status, body = await self(method, **arguments)
        return status, body["error"]["code"], body["error"]["message"]


@asynccontextmanager
async def serving_api() -> AsyncIterator[tuple[Core, Api]]:
    """Run one gateway with its HTTP port."""
    async with gateway() as core, administered(core.sources()) as session:
        yield core, Api(session)


# Every method, on two browsers: ann is bound to 1 and in `red`, bob to nothing and in no group.

CASES: dict[str, tuple[dict[str, Any], Callable[[str, str], Any]]] = {
    "send_to_all": ({"message": "m"}, lambda _, __: 2),
    "send_to_client": ({"client_id": "ANN", "message": "m"}, lambda _, __: 1),
    "send_to_uid": ({"uid": [1, "1"], "message": "m"}, lambda _, __: 1),
    "send_to_group": ({"group": "red", "message": {"a": 1}}, lambda _, __: 1),
    "close_client": ({"client_id": "ANN", "code": 4001, "reason": "out"}, lambda _, __: True),
    "destroy_client": ({"client_id": "ANN"}, lambda _, __: True),
    "close_uid": ({"uid": "1", "message": "bye"}, lambda _, __: 1),
    "close_group": ({"group": ["red", "blue"]}, lambda _, __: 1),
    "bind_uid": ({"client_id": "BOB", "uid": 2}, lambda _, __: True),
    "unbind_uid": ({"client_id": "ANN", "uid": 1}, lambda _, __: True),
    "join_group": ({"client_id": NOBODY, "group": "red"}, lambda _, __: False),
    "leave_group": ({"client_id": "ANN", "group": "red"}, lambda _, __: True),
    "ungroup": ({"group": "red"}, lambda _, __: 1),
    "is_online": ({"client_id": "BOB"}, lambda _, __: True),
    "is_uid_online": ({"uid": 2}, lambda _, __: False),
    "is_uids_online": ({"uids": [1, 2, "2"]}, lambda _, __: {"1": True, "2": False}),
    "get_client_id_by_uid": ({"uid": 1}, lambda ann, _: [ann]),
    "batch_get_client_id_by_uid": ({"uids": [1, 2]}, lambda ann, _: {"1": [ann], "2": []}),
    "get_client_id_list_by_group": ({"group": "red"}, lambda ann, _: [ann]),
    "get_all_client_id_list": ({}, lambda ann, bob: [ann, bob]),
    "get_all_client_count": ({}, lambda _, __: 2),
    "get_client_count_by_group": ({"group": "red"}, lambda _, __: 1),
    "batch_get_client_count_by_group": (
        {"groups": ["red", 7]},
        lambda _, __: {"red": 1, "7": 0},
    ),
    "get_uid_by_client_id": ({"client_id": "BOB"}, lambda _, __: None),
    "get_uid_list_by_group": ({"group": ["red"]}, lambda _, __: ["1"]),
    "get_uid_count_by_group": ({"group": "red"}, lambda _, __: 1),
    "get_all_uid_list": ({}, lambda _, __: ["1"]),
    "get_all_uid_count": ({}, lambda _, __: 1),
    "get_all_group_id_list": ({}, lambda _, __: ["red"]),
    "get_all_group_uid_list": ({}, lambda _, __: {"red": ["1"]}),
    "get_all_group_uid_count": ({}, lambda _, __: {"red": 1}),
    "get_all_group_client_id_list": ({}, lambda ann, _: {"red": [ann]}),
    "get_all_group_client_id_count": ({}, lambda _, __: {"red": 1}),
    "set_session": ({"client_id": "ANN", "session": {"b": 2}}, lambda _, __: True),
    "update_session": ({"client_id": "ANN", "session": {"b": 2}}, lambda _, __: True),
    "get_session": ({"client_id": "ANN"}, lambda _, __: {"a": {"$base64": "AP8="}}),
    "get_client_sessions_by_group": (
        {"group": "red"},
        lambda ann, _: {ann: {"a": {"$base64": "AP8="}}},
    ),
    "get_all_client_sessions": (
        {},
        lambda ann, bob: {ann: {"a": {"$base64": "AP8="}}, bob: {}},
    ),
    "set_context": ({"client_id": "ANN", "context": {"b": 2}}, lambda _, __: True),
    "set_context_value": (
        {"client_id": "ANN", "key": "k", "value": {"$base64": "AP8="}},
        lambda _, __: True,
    ),
    "subscribe": ({"client_id": "ANN", "channels": ["red", 7]}, lambda _, __: True),
    "unsubscribe": ({"client_id": "ANN", "channels": "red"}, lambda _, __: True),
    "publish": (
        {"channel": "red", "data_base64": "AP8="},
        lambda _, __: {"success": 1, "fail": 0, "total": 1},
    ),
    "get_all_queues": ({}, lambda _, __: {}),
}


async def prepared(core: Core, api: Api) -> tuple[Browser, Browser]:
    """Connect ann and bob."""
    ann, bob = await core.browser(), await core.browser()
    assert await api.result("bind_uid", client_id=ann.client_id, uid=1)
    assert await api.result("join_group", client_id=ann.client_id, group="red")
    session = {"a": {"$base64": "AP8="}}
    assert await api.result("set_session", client_id=ann.client_id, session=session)
    return ann, bob


def test_no_method_is_forgotten() -> None:
    """The cases are the catalogue."""
    assert CASES.keys() == METHODS.keys()


@pytest.mark.parametrize("method", CASES)
async def test_every_method_answers(method: str) -> None:
    """Arguments go in and the result comes out, as the library has them."""
    arguments, expected = CASES[method]
    async with serving_api() as (core, api):
        ann, bob = await prepared(core, api)
        ids = {"ANN": ann.client_id, "BOB": bob.client_id}
        named = {
            name: ids.get(value, value) if isinstance(value, str) else value
            for name, value in arguments.items()
        }
        result = await api.result(method, **named)
    assert result == expected(ann.client_id, bob.client_id)


@pytest.mark.parametrize(
    ("given", "received"),
    [
        ({"message": "text, é"}, "text, é"),
        ({"message": {"b": [1.5, None, "é"]}}, '{"b":[1.5,null,"é"]}'),
        ({"message": []}, "[]"),
        ({"message": ""}, ""),
        ({"message_base64": "AP8="}, b"\x00\xff"),
    ],
)
async def test_a_message_arrives_as_what_it_is(
    given: dict[str, Any], received: str | bytes
) -> None:
    """Text as text, objects and arrays as compact JSON text, Base64 as binary."""
    async with serving_api() as (core, api):
        browser = await core.browser()
        assert await api.result("send_to_client", client_id=browser.client_id, **given) == 1
        assert await browser.next() == received


async def test_a_send_need_not_be_confirmed() -> None:
    """Without confirmation there is no number."""
    async with serving_api() as (core, api):
        browser = await core.browser()
        assert await api.result("send_to_all", message="m", confirm=False) is None
        assert await browser.next() == "m"


async def test_a_session_comes_back_as_it_was_set() -> None:
    """Values of JSON and bytes, at any depth; integer keys of Python callers become text."""
    session = {"n": None, "f": 1.5, "deep": [{"b": {"$base64": ""}}], "big": 2**63 - 1}
    async with serving_api() as (core, api):
        client_id = (await core.browser()).client_id
        assert await api.result("set_session", client_id=client_id, session=session)
        assert await api.result("get_session", client_id=client_id) == session
        await core.client.set_session(client_id, {1: {2: float("nan")}})
        assert await api.result("get_session", client_id=client_id) == {"1": {"2": None}}


async def test_a_long_answer_is_whole() -> None:
    """Megabytes come as they are."""
    sessions = {}
    async with serving_api() as (core, api):
        for _ in range(3):
            client_id = (await core.browser()).client_id
            sessions[client_id] = {"text": "x" * 900_000}
            await core.client.set_session(client_id, sessions[client_id])
        assert await api.result("get_all_client_sessions") == sessions


# Mistakes of the caller.


@pytest.mark.parametrize(
    ("method", "arguments", "status", "code", "text"),
    [
        ("send_to_uidd", {}, 404, "unknown_method", "did you mean send_to_uid?"),
        ("send_to_current_client", {"message": "m"}, 404, "unknown_method", "send_to_client"),
        ("send_to_uid", {"message": "m"}, 400, "missing_argument", "'uid'"),
        ("bind_uid", {"uid": 1, "client": 2}, 400, "unknown_argument", "client_id"),
        ("bind_uid", {"client_id": NOBODY, "uid": ""}, 400, "invalid_argument", "never empty"),
        ("bind_uid", {"client_id": NOBODY, "uid": True}, 400, "invalid_argument", "uid"),
        ("bind_uid", {"client_id": NOBODY, "uid": 1.5}, 400, "invalid_argument", "uid"),
        ("bind_uid", {"client_id": NOBODY, "uid": None}, 400, "invalid_argument", "uid"),
        ("send_to_uid", {"uid": {"a": 1}, "message": "m"}, 400, "invalid_argument", "uid"),
        ("is_online", {"client_id": "x"}, 400, "invalid_client_id", "'x' is not a client id"),
        ("is_online", {"client_id": 5}, 400, "invalid_client_id", "5 is not a client id"),
        ("send_to_all", {"message": "\ud800"}, 400, "invalid_argument", "surrogate"),
        ("send_to_all", {"message": 5}, 400, "invalid_argument", "message is a number"),
        ("send_to_all", {"message": "m", "confirm": 0}, 400, "invalid_argument", "confirm"),
        ("close_uid", {"uid": 1, "code": 1002}, 400, "invalid_argument", "1002"),
        ("close_uid", {"uid": 1, "code": "x"}, 400, "invalid_argument", "close code"),
        ("close_uid", {"uid": 1, "reason": 5}, 400, "invalid_argument", "close reason"),
        ("set_session", {"client_id": NOBODY, "session": []}, 400, "invalid_argument", "session"),
        (
            "set_session",
            {"client_id": NOBODY, "session": {"a": 2**64}},
            400,
            "invalid_argument",
            "session['a']",
        ),
        (
            "set_session",
            {"client_id": NOBODY, "session": {"a": "\ud800"}},
            400,
            "invalid_argument",
            "session['a'] holds a lone surrogate",
        ),
        ("send_to_all", {"message": "x" * 2**20 + "x"}, 413, "message_too_large", "1,048,577"),
        ("bind_uid", {"client_id": NOBODY, "uid": "x" * 1025}, 413, "message_too_large", "uid"),
    ],
)
async def test_a_mistake_is_told(
    method: str, arguments: dict[str, Any], status: int, code: str, text: str
) -> None:
    """Status and code fit, and the message names what was wrong."""
    async with serving_api() as (_, api):
        told = await api.error(method, **arguments)
    assert told[:2] == (status, code)
    assert text in told[2]


@pytest.mark.parametrize("body", ["{", "[]", '"x"', b"\xff"])
async def test_a_body_that_is_no_object_is_told(body: str | bytes) -> None:
    """The arguments are a JSON object."""
    async with serving_api() as (_, api):
        status, answer = await api.post("send_to_all", body)
    assert (status, answer["error"]["code"]) == (400, "invalid_json")


async def test_a_body_is_bounded() -> None:
    """The answer names the limit and its reason."""
    async with serving_api() as (_, api):
        status, answer = await api.post("send_to_all", b" " * (MAX_BODY + 1))
    assert (status, answer["error"]["code"]) == (413, "body_too_large")
    assert "8,388,608 bytes, twice what fits a command" in answer["error"]["message"]


async def test_the_largest_message_passes_in_its_longest_usual_form() -> None:
    """A message of `max_message` bytes fits the body with every character escaped."""
    message = "中" * (DEFAULT_MAX_MESSAGE // 3)
    async with serving_api() as (_, api):
        assert await api.result("send_to_all", message=message) == 0


async def test_only_json_is_taken() -> None:
    """A form, which a foreign page could send, is refused."""
    async with serving_api() as (_, api):
        status, answer = await api.post(
            "send_to_all", "message=m", "application/x-www-form-urlencoded"
        )
    assert (status, answer["error"]["code"]) == (415, "unsupported_media_type")


async def test_only_post_calls() -> None:
    """A link that is followed does nothing."""
    async with (
        gateway() as core,
        administered(core.sources()) as session,
        session.get("/api/v1/get_all_client_count") as answer,
    ):
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
        assert (await answer.json())["error"]["code"] == "method_not_allowed"


# Gateways that are missing.


class Cutting(Owner):
    """A gateway that ends the link when it is asked something."""

    def link_received(self, link: AioLink, envelopes: list[Envelope]) -> None:
        """Hang up."""
        link.abort(LinkLost("as the test wants"))


@asynccontextmanager
async def cutting() -> AsyncIterator[Address]:
    """Run a gateway that hangs up."""
    listener = LinkListener(party(Role.GATEWAY), "", Cutting())
    sock = bound()
    address = address_of(sock)
    await listener.start(sock)
    try:
        yield address
    finally:
        listener.stop_accepting()
        listener.close_links(ErrorCode.STOPPING, "the test is over")
        await listener.wait_closed()


@asynccontextmanager
async def announced(registers: Address, gateways: Address) -> AsyncIterator[None]:
    """Have a register list a gateway at this address."""
    async with Dialler(registers) as peers:
        link, owner = await peers.dial(Role.GATEWAY)
        link.send(Announce(SICK_NODE, *gateways, 0, [node_key_of(SICK_NODE)]), 1)
        await owner.envelopes.get()
        yield


@asynccontextmanager
async def beside_a_sick_one(sickness: str) -> AsyncIterator[tuple[Api, dict[str, Any]]]:
    """Run a gateway beside one that refuses connections or hangs up; give how it is told."""
    async with AsyncExitStack() as stack:
        _, registers = await stack.enter_async_context(register())
        if sickness == "not_sent":
            address = address_of(stack.enter_context(bound()))
        else:
            address = await stack.enter_async_context(cutting())
        await stack.enter_async_context(announced(registers, address))
        core = await stack.enter_async_context(Core([registers]))
        await core.browser()
        session = await stack.enter_async_context(administered(core.sources()))
        yield Api(session), {"address": str(address), "node_id": SICK_NODE}


def told(body: dict[str, Any], sickness: str) -> dict[str, Any]:
    """Give the one gateway that is told as missing, without the reason, which must be there."""
    (failure,) = body[sickness]
    assert failure.pop("reason")
    assert ("not_sent" in body) != ("unknown" in body)
    assert isinstance(failure, dict)
    return failure


sicknesses = pytest.mark.parametrize("sickness", ["not_sent", "unknown"])


@sicknesses
async def test_a_send_says_whom_it_missed(sickness: str) -> None:
    """What was reached is reached; the missing gateway stands beside the number."""
    async with beside_a_sick_one(sickness) as (api, sick):
        status, body = await api("send_to_all", message="m")
    assert (status, body["result"], told(body, sickness)) == (200, 1, sick)


@sicknesses
async def test_a_strict_send_is_an_error_when_one_is_missing(sickness: str) -> None:
    """The error tells what was reached all the same."""
    async with beside_a_sick_one(sickness) as (api, sick):
        status, body = await api("send_to_all", message="m", strict=True)
    assert (status, body["error"]["code"], body["result"]) == (502, "partial_result", 1)
    assert told(body, sickness) == sick


@sicknesses
async def test_half_an_answer_is_an_error(sickness: str) -> None:
    """A question that one gateway did not answer has no result with status 200."""
    async with beside_a_sick_one(sickness) as (api, sick):
        status, body = await api("get_all_client_count")
    assert (status, body["error"]["code"], body["result"]) == (502, "partial_result", 1)
    assert told(body, sickness) == sick


@sicknesses
async def test_half_an_answer_can_be_asked_for(sickness: str) -> None:
    """Then it is an answer, and says that it is half of one."""
    async with beside_a_sick_one(sickness) as (api, sick):
        status, body = await api("get_all_client_count", partial="return")
    assert (status, body["result"], told(body, sickness)) == (200, 1, sick)
    assert "error" not in body


@pytest.mark.parametrize(
    ("sickness", "status", "code"),
    [("not_sent", 503, "gateway_unavailable"), ("unknown", 504, "reply_timeout")],
)
async def test_the_one_gateway_that_matters_is_missing(
    sickness: str, status: int, code: str
) -> None:
    """A call for one client says whether it may have been done."""
    async with beside_a_sick_one(sickness) as (api, sick):
        got, body = await api("bind_uid", client_id=SICK_CLIENT, uid=1)
    assert (got, body["error"]["code"], told(body, sickness)) == (status, code, sick)


@asynccontextmanager
async def asking(registers: Address) -> AsyncIterator[Api]:
    """Run a gateway whose HTTP port asks this register."""
    client = cluster_client([str(registers)], Secret(), DEFAULT_MAX_MESSAGE)
    async with gateway() as core, administered(replace(core.sources(), client=client)) as session:
        yield Api(session)


async def test_no_gateway_at_all_is_told() -> None:
    """A register without gateways: the message names it."""
    async with register() as (_, address), asking(address) as api:
        status, code, message = await api.error("send_to_all", message="m")
    assert (status, code) == (503, "gateway_unavailable")
    assert f"no gateway is announced at the register {address}" in message


async def test_no_register_is_told() -> None:
    """Nobody knows the gateways: the message says how to start a register."""
    with bound() as nobody:
        async with asking(address_of(nobody)) as api:
            status, code, message = await api.error("send_to_all", message="m")
    assert (status, code) == (503, "register_unavailable")
    assert "register start" in message


# The document.

EXAMPLE = re.compile(r"^api (?P<method>\w+)(?: '(?P<body>.*?)')? *(?:#.*)?$", re.MULTILINE)


async def test_the_documents_examples_work() -> None:
    """Each line of the examples is a request that is answered with a result."""
    examples = EXAMPLE.findall(DOCUMENT.read_text("utf-8"))
    assert len(examples) == DOCUMENT.read_text("utf-8").count("\napi ")
    async with serving_api() as (core, api):
        client_id = (await core.browser()).client_id
        for method, body in examples:
            status, answer = await api.post(method, body.replace("'$ID'", client_id))
            assert (status, list(answer)) == (200, ["result"]), method
