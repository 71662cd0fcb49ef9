"""Events in our own protocol: what a worker is told, and in which order."""

import pytest

from gateway.sink import LinkSink
from gateway_wire.commands import ClientAssigned, ClientMessage, ClientSession
from gateway_wire.errors import LocalProtocolError
from gateway_wire.frames import encode_frame
from tests.gateway.support import bare
from tests.gateway.worker_end import WorkerEnd

ID = "0123456789ab00000000000000000001"


def event(number: int) -> ClientMessage:
    """Give an event with an id."""
    return ClientMessage(number, ID, None, "hello")


def test_a_client_is_told_of_before_its_first_event() -> None:
    """Once: what follows needs no introduction; both count."""
    end = WorkerEnd()
    sink, client = LinkSink(end), bare(ID)
    assigned = ClientAssigned(ID, {}, "203.0.113.7", 4711, "public")
    sizes = [sink.send(client, event(1)), sink.send(client, event(2))]

    assert end.told() == [assigned, event(1), event(2)]
    assert sizes == [len(encode_frame(assigned)) + sizes[1], len(encode_frame(event(2)))]


def test_a_session_that_moved_is_told_before_the_next_event() -> None:
    """As it is then."""
    end = WorkerEnd()
    sink, client = LinkSink(end), bare(ID)
    sink.send(client, event(1))
    client.session = {"a": 1}
    client.session_moved()
    end.told()
    sink.send(client, event(2))

    assert end.told() == [ClientSession(ID, {"a": 1}), event(2)]


def test_on_a_link_that_has_ended_nothing_is_told() -> None:
    """The news stay to be told by the next one."""
    end = WorkerEnd(last_heard=7.0)
    end.is_open = False
    sink, client = LinkSink(end), bare(ID)
    with pytest.raises(LocalProtocolError):
        sink.send(client, event(1))

    assert client.untold is ClientAssigned
    assert sink.last_heard == 7.0
