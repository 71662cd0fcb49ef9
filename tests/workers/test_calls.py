"""What handlers say to the cluster: on the worker's own links, from wherever they say it."""

from collections.abc import Callable

import pytest

from tests.support.cluster import close_code, split
from tests.support.waiting import eventually
from tests.support.workers import APPS
from tests.workers.conftest import WORKERS, Cluster, Page, page_of

Pages = Callable[..., Page]

WAYS = ["call", "call from a thread"]
"""From the handler itself, and from another thread than its own."""


def on_every_process(pages: Pages) -> list[Page]:
    """Give a browser at each of the three gateway processes."""
    found: dict[str, Page] = {}
    for number in [0, 1] * 16:
        page = pages(number)
        found.setdefault(page.client_id[:12], page)
        if len(found) == 3:
            return list(found.values())
    raise AssertionError(f"32 browsers came to {len(found)} of 3 processes")


@pytest.mark.parametrize("way", WAYS)
def test_a_handler_reaches_browsers_of_every_gateway(pages: Pages, way: str) -> None:
    """A browser at gateway i makes its handler push to one at gateway j, for every i and j."""
    everybody = on_every_process(pages)
    for sender in everybody:
        for receiver in everybody:
            if receiver is not sender:
                text = f"{sender.client_id} to {receiver.client_id}"
                assert sender.order(way, "send_to_client", receiver.client_id, text) == 1
                assert receiver.read() == text


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["red", "blue"])
def test_a_handler_binds_joins_pushes_and_asks(pages: Pages, name: str, way: str) -> None:
    """uid, group, all, counts and lists: the whole library, cluster-wide."""
    everybody = on_every_process(pages)
    page = page_of(name, pages)
    for each in everybody:
        assert page.order(way, "bind_uid", each.client_id, "uid of all three") is True
        assert page.order(way, "join_group", each.client_id, "group of all three") is True
    ids = sorted(each.client_id for each in everybody)
    assert page.order(way, "send_to_uid", "uid of all three", "1") == 3
    assert page.order(way, "send_to_group", "group of all three", {"a": [2]}) == 3
    assert [[each.read(), each.read()] for each in everybody] == [["1", '{"a":[2]}']] * 3
    assert sorted(page.order(way, "get_client_id_by_uid", "uid of all three")) == ids
    assert page.order(way, "get_uid_count_by_group", "group of all three") == 1
    assert page.order(way, "is_uid_online", "nobody") is False
    assert page.order(way, "ungroup", "group of all three") == 3


def test_what_one_handler_sends_arrives_in_its_order(page: Page) -> None:
    """To its own browser by every way there is, mixed."""
    me = page.client_id
    page.order("call", "join_group", me, me)
    calls = [
        ["send_to_current_client", "1"],
        ["send_to_client", me, "2"],
        ["send_to_current_client", "3"],
        ["send_to_group", me, "4"],
        ["send_to_all", "5", [me]],
        ["send_to_current_client", "6"],
    ]
    page.say({"do": "call all", "args": calls})
    assert [page.read() for _ in calls] == list("123456")


def test_the_current_browser_is_closed_or_cut(page: Page, pages: Pages) -> None:
    """With a last message and 1000, or at once."""
    page.say({"do": "call", "args": ["close_current_client", "farewell"]})
    assert page.read() == "farewell"
    assert close_code(page.browser) == 1000
    other = pages()
    other.say({"do": "call", "args": ["destroy_current_client"]})
    assert close_code(other.browser) == 1006


def test_outside_of_an_event_there_is_no_current_browser(page: Page) -> None:
    """The error names the method that does the same with a client id."""
    page.order("outside")
    assert "send_to_client" in str(page.read())


def test_on_the_loop_the_blocking_client_raises_and_names_the_other(pages: Pages) -> None:
    """It would stop every browser of the process."""
    red = page_of("red", pages)
    error = red.fail("call the other", "is_online", red.client_id)
    assert error.startswith("RuntimeError: Gateway.is_online")
    assert "await AsyncGateway.is_online(...)" in error


def test_on_a_thread_the_asyncio_client_works_in_a_loop_of_its_own(pages: Pages) -> None:
    """The call is carried over to the worker's loop."""
    blue = page_of("blue", pages)
    assert blue.order("call the other", "is_online", blue.client_id) is True


def test_current_tells_who_and_where_the_browser_is(cluster: Cluster, page: Page) -> None:
    """Every field, and the uid as soon as it is bound."""
    told = page.order("current")
    host, port = split(page.url)
    assert told == {
        "client_id": page.client_id,
        "uid": None,
        "remote_addr": "127.0.0.1",
        "remote_port": page.browser.socket.local_address[1],
        "gateway_addr": host,
        "gateway_port": port,
        "listener": page.url,
    }
    cluster.client.bind_uid(page.client_id, 42)
    assert page.order("current")["uid"] == "42"


def test_timers_ring_once_or_until_they_are_cancelled(page: Page) -> None:
    """after, every and cancel; a timer has no session."""
    page.order("after")
    first, rest = str(page.read()).split(": ", 1)
    assert first == "after"
    assert rest.startswith("session was used outside of an event")
    page.order("every")
    rings = [str(page.read()).partition(":")[0] for _ in range(3)]
    assert rings == ["every 1", "every 2", "last"]
    page.say("nothing rang since")
    assert page.read() == "nothing rang since"


@pytest.mark.parametrize("name", ["red", "blue"])
def test_a_handler_that_raises_is_named_and_costs_nothing_else(
    cluster: Cluster, pages: Pages, name: str
) -> None:
    """The log has handler, client and traceback; what was sent and changed before stays."""
    page, worker = page_of(name, pages), cluster.workers[name]
    assert page.fail("set and raise") == "ValueError: after a change"
    assert page.order("session")["kept"] is True
    eventually(lambda: page.client_id in worker.stderr)
    eventually(lambda: "ValueError: after a change" in worker.stderr)
    assert f"on_message of {APPS}.{WORKERS[name]} raised" in worker.stderr
    assert "Traceback" in worker.stderr


def test_the_session_is_one_for_handlers_and_everybody_else(cluster: Cluster, page: Page) -> None:
    """What a handler changes however deep, others read; what others write, the next event sees."""
    page.order("set", {"cart": {"items": [7]}, "draft": "x", "other": 1})
    page.order("edit")
    expected = {
        "seen": ["on_connect", "on_websocket_connect"],
        "cart": {"items": [7, 9]}, "name": "Ann", "visits": 1, "other": 1,
    }  # fmt: skip
    assert cluster.client.get_session(page.client_id) == expected
    assert cluster.client.update_session(page.client_id, {"cart": {"coupon": "A"}, "other": 2})
    expected["cart"], expected["other"] = {"items": [7, 9], "coupon": "A"}, 2
    assert page.order("session") == expected
    assert cluster.client.set_session(page.client_id, {"all": "new"})
    assert page.order("session") == {"all": "new"}


def test_a_session_that_cannot_be_kept_stays_as_it_was(cluster: Cluster, page: Page) -> None:
    """A value of a wrong type is the handler's error; the log names the place."""
    before = page.order("session")
    page.order("unkeepable")
    assert page.order("session") == before
    name = page.order("who")["name"]
    worker = cluster.workers[name]
    eventually(lambda: "left a session that cannot be kept" in worker.stderr)
