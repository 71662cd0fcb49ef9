"""What keeps messages from coming, told once at each change."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from gateway_client.errors import AuthenticationFailed, GatewayUnavailable, link_error
from gateway_client.queue_message import BaseMessage
from gateway_client.recorded_queue import RecordedQueue
from gateway_client.troubles import Troubles
from gateway_wire.commands import Error, QueueMessage
from gateway_wire.errors import ErrorCode, GatewayError, LinkError, LinkRefused

REGISTER, GATEWAY = "10.0.0.9:1236", "10.0.0.1:2900"

WRONG_KEY = AuthenticationFailed(ErrorCode.KEY_WRONG, "the keys differ")
STOPPED = LinkRefused(ErrorCode.STOPPING.value, "it stops")


class Told:
    """Troubles, and what they told."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.troubles = Troubles(self.errors.append)

    @property
    def texts(self) -> list[str]:
        """What was told, as text."""
        return [str(error) for error in self.errors]


@pytest.fixture
def told() -> Told:
    """One who listens."""
    return Told()


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (
            link_error(ConnectionRefusedError(111, "Connection refused")),
            f"register {REGISTER} refuses connections. Start it with: register start --listen {REGISTER}",
        ),
        (LinkError("it slept"), f"register {REGISTER} does not answer: it slept"),
        (STOPPED, f"register {REGISTER} has stopped"),
        (WRONG_KEY, f"{REGISTER}: the keys differ"),
    ],
)
def test_a_register_that_does_not_answer_is_told_once(
    told: Told, failure: GatewayError, text: str
) -> None:
    """However often it is tried, until it answered in between."""
    for each in (failure, failure, None, failure):
        told.troubles.registers([(REGISTER, each)])

    assert told.texts == [text, text]


def test_that_no_gateway_is_announced_is_told_once(told: Told) -> None:
    """With the command that starts one; again when the last one has gone."""
    for count in (0, 0, 1, 0):
        told.troubles.gateways_known(count, [REGISTER])

    assert [type(error) for error in told.errors] == [GatewayUnavailable] * 2
    assert f"gateway start --register {REGISTER}" in told.texts[0]


def test_a_gateway_is_told_of_at_each_change(told: Told, caplog: pytest.LogCaptureFixture) -> None:
    """Lost, not to be reached, there again; what caused it is the error's cause."""
    caplog.set_level(logging.INFO, "gateway_client")
    refused = ConnectionRefusedError(111, "Connection refused")
    told.troubles.lost(GATEWAY, LinkError("cut"))
    for _ in range(2):
        told.troubles.not_linked(GATEWAY, "could not be reached: Connection refused", refused)
    told.troubles.consuming(GATEWAY)

    assert told.texts == [
        f"gateway {GATEWAY} is lost: cut",
        f"gateway {GATEWAY} could not be reached: Connection refused",
    ]
    assert told.errors[1].__cause__ is refused
    assert caplog.messages == [f"gateway {GATEWAY} is there again"]


def test_one_that_has_stopped_is_expected_to_be_down(told: Told) -> None:
    """What it said is told, and not each way in which that shows."""
    told.troubles.lost(GATEWAY, STOPPED)
    told.troubles.not_linked(GATEWAY, "could not be reached", OSError())
    assert told.texts == [f"gateway {GATEWAY} has stopped"]
    told.troubles.forget(GATEWAY)
    told.troubles.not_linked(GATEWAY, "could not be reached", OSError())

    assert told.texts[1:] == [f"gateway {GATEWAY} could not be reached"]


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("unsupported", "it knows no queues, being older than this client: update it"),
        ("invalid", "what it said"),
    ],
)
def test_a_gateway_that_refuses_is_told_with_its_reason(told: Told, code: str, text: str) -> None:
    """The remedy is named where it is known."""
    told.troubles.refused(GATEWAY, Error(code, "what it said"))

    assert told.texts == [f"gateway {GATEWAY} sends this consumer no messages: {text}"]


def test_wrong_keys_everywhere_are_hopeless(told: Told) -> None:
    """Registers count until a gateway is known; one that may still let us in is hope."""
    assert told.troubles.hopeless([], [REGISTER]) is None
    told.troubles.registers([(REGISTER, WRONG_KEY)])
    assert told.troubles.hopeless([], [REGISTER]) is told.errors[0]
    assert told.troubles.hopeless([GATEWAY], [REGISTER]) is None
    told.troubles.not_linked(GATEWAY, "refuses", WRONG_KEY)
    assert told.troubles.hopeless([GATEWAY], [REGISTER]) is told.errors[1]
    assert told.texts == [f"{REGISTER}: the keys differ", f"{GATEWAY}: the keys differ"]
    assert told.troubles.hopeless([GATEWAY, "10.0.0.2:2900"], [REGISTER]) is None
    told.troubles.consuming(GATEWAY)

    assert told.troubles.hopeless([GATEWAY], [REGISTER]) is None


def test_without_on_error_there_is_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Louder where somebody has to act; with a traceback where it is not ours."""
    troubles = Troubles(None)
    troubles.lost(GATEWAY, LinkError("cut"))
    troubles.not_linked(GATEWAY, "refuses", WRONG_KEY)
    troubles.tell(KeyError("user"))

    levels = [(record.levelname, bool(record.exc_info)) for record in caplog.records]
    assert levels == [("WARNING", False), ("ERROR", False), ("ERROR", True)]
    assert {record.name for record in caplog.records} == {"gateway_client"}
    assert caplog.messages[2] == "a handler failed: KeyError('user')"


def test_an_on_error_that_fails_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, with what it was told."""

    def fail(_: Exception) -> None:
        raise OSError("the disk is full")

    Troubles(fail).lost(GATEWAY, LinkError("cut"))

    assert caplog.messages == [f"on_error failed when it was told: gateway {GATEWAY} is lost: cut"]


@pytest.mark.parametrize(
    ("is_back", "note"), [(True, "which was given back"), (False, "which was settled before")]
)
def test_what_a_handler_raised_names_its_message(is_back: bool, note: str) -> None:
    """And says what became of that, as a handler may have acknowledged it before it raised."""
    told: list[Exception] = []
    message = BaseMessage(QueueMessage(1, "chat", "c", "data", None, {}, {}), RecordedQueue(None))
    Troubles(told.append).handler_failed(KeyError("user"), message, is_back=is_back)
    assert told[0].__notes__ == [f"while <BaseMessage chat of c, try 1> was handled, {note}"]


async def _coroutine(_: Exception) -> None:
    """Do nothing."""


@pytest.mark.parametrize("on_error", ["print", _coroutine])
def test_on_error_is_a_plain_function(on_error: Any) -> None:
    """One that is `async def` would never run."""
    with pytest.raises(TypeError, match="give a"):
        Troubles(on_error)


def test_it_shows_what_was_told(told: Told) -> None:
    """A debugger shows why nothing comes."""
    assert repr(told.troubles) == "<Troubles none>"
    told.troubles.lost(GATEWAY, LinkError("cut"))

    assert repr(told.troubles) == f"<Troubles gateway {GATEWAY} is lost: cut>"
