"""What answers and misses mean together."""

from typing import Any

import pytest

from gateway_client import calls
from gateway_client.calls import Call
from gateway_client.calls.base import EveryCall
from gateway_client.directory import Node
from gateway_client.errors import (
    AuthenticationFailed,
    CommandRefused,
    GatewayUnavailable,
    MessageTooLarge,
    PartialResult,
    ReplyTimeout,
)
from gateway_client.tally import Miss, Request, Tally
from gateway_wire import commands as wire
from gateway_wire.addresses import Address
from gateway_wire.errors import ErrorCode, RemoteProtocolError

ONE = Node("a", Address("10.0.0.1", 1), 0, ())
TWO = Node("b", Address("10.0.0.2", 2), 0, ())
CLIENT = "aaaaaaaaaaaa" + "0" * 20
NOT_SENT = Miss(TWO, "could not be reached", sent=False)
UNKNOWN = Miss(TWO, "did not answer", sent=True)


def concluded(call: Call[Any], *answers: Any, misses: tuple[Miss, ...] = ()) -> Any:
    """Give the result of a call with these answers and misses."""
    tally: Tally[Any] = Tally(call, ["10.0.0.9:1236"])
    tally.asked = [ONE] * len(answers)
    for answer in answers:
        tally.answered(answer)
    for miss in misses:
        tally.skipped(miss)
    return tally.result()


SEND = calls.send_to_uid("u", "m")
STRICT = calls.send_to_uid("u", "m", strict=True)
QUERY = calls.get_all_client_id_list()
OWNER = calls.is_online(CLIENT)


def test_complete_answers_add_up() -> None:
    """A send adds, a query unites, a call for one client converts."""
    assert concluded(SEND, 2, 3) == 5
    assert concluded(QUERY, ["a"], ["b", "a"]) == ["a", "b"]
    assert concluded(OWNER, True) is True
    assert concluded(OWNER) is False


def test_what_was_sent_counts_and_names_the_missing() -> None:
    """A send with misses returns what was reached, with who is missing and how."""
    reached = concluded(SEND, 2, misses=(NOT_SENT, UNKNOWN))
    assert (reached, len(reached.not_sent), len(reached.unknown)) == (2, 1, 1)
    assert reached.not_sent[0].address == "10.0.0.2:2"


def test_a_send_raises_only_when_no_gateway_could_be_asked() -> None:
    """Nobody asked is an error; somebody who was written to is not."""
    assert concluded(SEND, misses=(UNKNOWN,)) == 0
    with pytest.raises(GatewayUnavailable, match=r"10\.0\.0\.2:2 could not be reached"):
        concluded(SEND, misses=(NOT_SENT,))


def test_a_strict_send_raises_whenever_one_is_missing() -> None:
    """The partial result carries what was reached."""
    with pytest.raises(PartialResult) as caught:
        concluded(STRICT, 2, misses=(UNKNOWN,))
    assert caught.value.value == 2
    assert caught.value.done == ("10.0.0.1:1",)
    assert concluded(STRICT, 2) == 2


def test_half_an_answer_to_a_question_is_an_error_unless_wanted() -> None:
    """A query raises with what there is, or returns it when told so."""
    with pytest.raises(PartialResult) as caught:
        concluded(QUERY, ["a"], misses=(NOT_SENT,))
    assert caught.value.value == ["a"]
    kept = calls.get_all_client_id_list(partial="return")
    assert concluded(kept, ["a"], misses=(NOT_SENT,)) == ["a"]
    with pytest.raises(GatewayUnavailable):
        concluded(kept, misses=(NOT_SENT,))
    with pytest.raises(ReplyTimeout):
        concluded(QUERY, misses=(UNKNOWN, NOT_SENT))


def test_a_call_for_one_client_says_whether_it_may_be_repeated() -> None:
    """Not sent is GatewayUnavailable, written without an answer is ReplyTimeout."""
    with pytest.raises(GatewayUnavailable):
        concluded(OWNER, misses=(NOT_SENT,))
    with pytest.raises(ReplyTimeout):
        concluded(OWNER, misses=(UNKNOWN,))


def test_a_single_gateway_is_concluded_by_its_own_rule() -> None:
    """The cheaper question of one gateway has another answer."""
    call = calls.get_all_uid_count()
    assert isinstance(call, EveryCall)
    assert call.alone is not None
    tally = Tally(call, ())
    tally.combine = call.alone[1]
    tally.answered(7)
    assert tally.result() == 7
    assert concluded(calls.get_all_uid_count(), ["a", "b"], ["b"]) == 2


def test_an_unconfirmed_send_returns_none() -> None:
    """None, unless nobody could be written to at all."""
    call = calls.send_to_uid("u", "m", confirm=False)
    assert concluded(call, None, misses=(NOT_SENT,)) is None
    with pytest.raises(GatewayUnavailable):
        concluded(call, misses=(NOT_SENT,))


def request(call: Call[Any], kind: type[wire.Command]) -> tuple[Request, Tally[Any]]:
    """One request of a call, and its tally."""
    tally: Tally[Any] = Tally(call, ())
    return Request(tally, ONE, kind), tally


def test_the_parts_of_an_answer_are_joined() -> None:
    """Parts and the last one make one answer, and the tally is told once."""
    asked, tally = request(QUERY, wire.ListClientIds)
    settled: list[Tally[Any]] = []
    tally.on_settled = settled.append
    assert not asked.receive(wire.ReplyPart(["a"]))
    assert not asked.receive(wire.ReplyPart(["b"]))
    assert not settled
    assert asked.receive(wire.Reply(["c"]))
    assert settled == [tally]
    assert tally.result() == ["a", "b", "c"]


@pytest.mark.parametrize(
    "answer", [wire.Reply("x"), wire.ReplyPart(1), wire.ReplyPart("x"), wire.Pong()]
)
def test_what_is_no_answer_breaks_the_protocol(answer: wire.Command) -> None:
    """An answer of another shape, or in parts where there are none, is the peer's fault."""
    asked, _ = request(OWNER, wire.IsOnline)
    with pytest.raises(RemoteProtocolError):
        asked.receive(answer)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (ErrorCode.TOO_LARGE, MessageTooLarge),
        (ErrorCode.INVALID, CommandRefused),
        (ErrorCode.UNSUPPORTED, CommandRefused),
        (ErrorCode.STOPPING, GatewayUnavailable),
        (ErrorCode.INTERNAL, CommandRefused),
    ],
)
def test_a_refusal_becomes_its_error(code: ErrorCode, error: type[Exception]) -> None:
    """What a gateway refuses is raised with its words; a stopping one was not asked."""
    asked, tally = request(OWNER, wire.IsOnline)
    assert asked.receive(wire.Error(code.value, "its words"))
    with pytest.raises(error, match="its words"):
        tally.result()


def test_numbers_of_a_too_large_message_are_kept() -> None:
    """Where the gateway gives the numbers the error has them."""
    asked, tally = request(OWNER, wire.IsOnline)
    details = {"what": "session", "size": 9, "limit": 8}
    asked.receive(wire.Error("too_large", "shorten it", details))
    with pytest.raises(MessageTooLarge) as caught:
        tally.result()
    assert (caught.value.what, caught.value.size, caught.value.limit) == ("session", 9, 8)


def test_a_refused_key_is_raised_when_nobody_answered() -> None:
    """The reason that helps most is raised instead of a general one."""
    wrong = AuthenticationFailed(ErrorCode.KEY_WRONG, "differs", "10.0.0.2:2")
    with pytest.raises(AuthenticationFailed, match=r"10\.0\.0\.2:2: differs"):
        concluded(SEND, misses=(Miss(TWO, "refused", sent=False, error=wrong),))
    assert "Tally of is_online" in repr(request(OWNER, wire.IsOnline)[1])
