"""The connections in pages."""

from typing import Any

import pytest

from gateway.connection import Connection
from gateway.listing import LOOKS, list_connections
from gateway_process.inspection import MAX_PAGE, ConnectionPage, ConnectionQuery
from tests.gateway.support import Pipe, Pipes, request
from tests.gateway.worker_end import WorkerEnd


def page(core: Pipes, **query: Any) -> ConnectionPage:
    """Give a page, as if asked ten seconds after the newest connection."""
    newest = max((each.opened_at for each in core.hub.connections.values()), default=0.0)
    return list_connections(core.hub, ConnectionQuery(**query), newest + 10)


def ids(listed: ConnectionPage) -> list[str]:
    """Give the client ids of a page."""
    return [row["client_id"] for row in listed.rows]


def connect_from(core: Pipes, address: str) -> Connection:
    """Connect a client from an address."""
    pipe = Pipe(core.lines)
    core.clients.opened(pipe, request(address))
    connection: Connection = pipe.connection
    return connection


def test_a_row_tells_who_it_is_and_how_it_is_doing() -> None:
    """All plain values."""
    core = Pipes()
    core.router.take(WorkerEnd().worker("chat", 1), lambda: None, core.now)
    ann = core.connect(uid="ann", groups=["a", "b"], capacity=0)
    core.outbox.offer([ann], "hello")
    core.outbox.flush()
    for _ in range(64):
        core.clients.received(ann.edge, "x")
    (row,) = page(core).rows

    assert row == {
        "client_id": ann.client_id,
        "address": "203.0.113.7:4711",
        "uid": "ann",
        "groups": 2,
        "listener": "public",
        "connected_for": 10,
        "waiting_bytes": 6,
        "worker": "chat#1",
        "state": "paused",
    }


def test_a_client_without_a_worker_has_none_in_its_row() -> None:
    """Neither before the first nor when it is gone."""
    core = Pipes()
    bob = core.connect()

    assert (page(core).rows[0]["worker"], page(core).rows[0]["state"]) == ("", "open")

    link = WorkerEnd()
    core.router.take(link.worker("chat", 1), lambda: None, core.now)
    core.clients.received(bob.edge, "x")
    core.router.link_lost(link, core.now)

    assert page(core).rows[0]["worker"] == ""


def test_pages_follow_one_another_in_the_order_of_opening() -> None:
    """Each connection once, also when those between two pages end meanwhile."""
    core = Pipes()
    clients = [core.connect() for _ in range(7)]
    expected = [each.client_id for each in clients]
    first = page(core, limit=3)
    core.clients.destroy(clients[2])
    core.clients.destroy(clients[3])
    second = page(core, limit=3, after=first.next)

    assert ids(first) == expected[:3]
    assert ids(second) == expected[4:]
    assert second.next == ""


def test_connections_are_in_order_also_where_the_clock_is_not() -> None:
    """Each is opened later than the one before, by however little."""
    core = Pipes()
    opened = [core.connect().opened_at for _ in range(100)]

    assert opened == sorted(set(opened))


def test_a_page_holds_so_much_and_no_more() -> None:
    """One that is full says where to go on only if somebody follows."""
    core = Pipes()
    for _ in range(MAX_PAGE):
        core.connect()

    assert (len(page(core).rows), page(core).next) == (MAX_PAGE, "")

    core.connect()

    assert len(page(core, after=page(core).next).rows) == 1


def test_connections_are_found_by_uid_group_and_address() -> None:
    """Filters narrow each other down."""
    core = Pipes()
    a1, a2 = core.connect(uid="ann", groups=["g"]), core.connect(uid="ann")
    b = core.connect(uid="bob", groups=["g"])
    far = connect_from(core, "198.51.100.9")

    assert ids(page(core, uid="ann")) == [a1.client_id, a2.client_id]
    assert ids(page(core, group="g")) == [a1.client_id, b.client_id]
    assert ids(page(core, uid="ann", group="g")) == [a1.client_id]
    assert ids(page(core, address="198.51.100.")) == [far.client_id]
    assert ids(page(core, uid="nobody")) == []
    assert ids(page(core, uid="ann", limit=1, after=page(core, uid="ann", limit=1).next)) == [
        a2.client_id
    ]


def test_a_page_looks_at_so_many_and_says_where_to_go_on() -> None:
    """One that has found little so far is no last page."""
    core = Pipes()
    for _ in range(LOOKS):
        core.connect()
    last = core.connect(groups=["rare"])
    first = page(core, group="rare")

    assert first.rows == []
    assert ids(page(core, group="rare", after=first.next)) == [last.client_id]


@pytest.mark.parametrize("after", ["c1", "nan"])
def test_a_cursor_that_is_none_is_an_error(after: str) -> None:
    """It is not taken for the beginning; what to give instead is told."""
    with pytest.raises(ValueError, match=f"after: '{after}' is no page .*; give what the page"):
        page(Pipes(), after=after)
