"""The plain record of one connection."""

import json

from gateway.connection import Connection
from gateway.destination import Nowhere
from gateway.hub import Hub
from gateway_wire.commands import ClientAssigned, ClientSession
from tests.gateway.support import Lines, Pipe, bare, request


def test_a_record_is_plain_values() -> None:
    """Everything that is known of a connection can be written down and read back."""
    connection = Connection("c1", Pipe(Lines()), request(), 12.5, Nowhere())
    hub = Hub()
    hub.add(connection)
    hub.bind(connection, "u")
    hub.join(connection, "b")
    hub.join(connection, "a")
    connection.session = {"name": "Ann"}
    connection.headers = {"host": "example.org"}
    record = {
        "client_id": "c1",
        "uid": "u",
        "groups": ["a", "b"],
        "session": {"name": "Ann"},
        "remote_addr": "203.0.113.7",
        "remote_port": 4711,
        "listener": "public",
        "opened_at": 12.5,
        "headers": {"host": "example.org"},
        "edge": {"encoding": "lines"},
    }

    assert connection.record() == record
    assert json.loads(json.dumps(record)) == record


def test_a_new_connection_has_nothing_of_its_own_but_its_outbox() -> None:
    """Groups and session are shared by all that have none, and nobody can write into them."""
    one, other = bare("c1"), bare("c2")

    assert one.groups is other.groups
    assert one.session is other.session
    assert one.packed_headers is other.packed_headers
    assert one.headers == {}
    assert isinstance(one.groups, frozenset)


def test_a_connection_says_who_it_is() -> None:
    """Logs name the client, its address and its uid."""
    connection = bare("c1")

    assert repr(connection) == "<Connection c1 203.0.113.7:4711>"

    connection.uid = "u"

    assert repr(connection) == "<Connection c1 203.0.113.7:4711 uid='u'>"


def test_a_session_that_moved_is_told_after_the_assignment_only() -> None:
    """Whom nobody has been assigned brings the session along."""
    connection = bare("c1")
    connection.session_moved()

    assert connection.untold is ClientAssigned

    connection.untold = None
    connection.session_moved()

    assert connection.untold is ClientSession
