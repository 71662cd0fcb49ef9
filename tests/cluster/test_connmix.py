"""A cluster that speaks CONNMIX: a centre, two gateways, pages, and a program that pops from both."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from gateway_client import GatewayClient
from tests.support.cluster import browse, gateway, get_json, nodes, register
from tests.support.daemons import Daemon
from tests.support.waiting import PATIENCE, eventually

FLAGS = ("--connmix", "--route", "/chat=queue:chat")


@contextmanager
def connected(url: str) -> Iterator[ClientConnection]:
    """Open a websocket, a page's or a program's."""
    with connect(url, proxy=None, compression=None, open_timeout=PATIENCE) as connection:
        yield connection


@contextmanager
def program(api_server: str) -> Iterator[ClientConnection]:
    """Open a websocket of the API where the centre says that it is."""
    with connected(f"ws://{api_server}/ws/v1") as connection:
        yield connection


def read(connection: ClientConnection) -> Any:
    """Give the next answer or event."""
    return json.loads(connection.recv(PATIENCE))


def ask(connection: ClientConnection, method: str, params: object) -> Any:
    """Send a request in the short spelling and give the answer's result."""
    connection.send(json.dumps({"m": method, "p": params, "i": 7}))
    answer = read(connection)
    assert answer["i"] == 7
    assert answer["E"] is None
    return answer["r"]


def api_servers(centre: Daemon) -> dict[str, str]:
    """Give the address of each node's API."""
    listed = get_json(centre.ready.http, "/v1/nodes")["nodes"]
    return {each["id"]: each["api_server"] for each in listed}


def test_a_page_is_answered_by_a_program_that_pops() -> None:
    """Discovery, consuming, answering, context, channels and publishing, over two gateways."""
    with (
        register("--connmix") as centre,
        gateway(centre, *FLAGS) as one,
        gateway(centre, *FLAGS) as other,
    ):
        assert get_json(centre.ready.http, "/version")["apis"] == ["v1"]
        servers = api_servers(centre)
        assert sorted(servers.values()) == sorted((one.ready.http, other.ready.http))
        with (
            program(one.ready.http) as first,
            program(other.ready.http) as second,
            connected(one.ready.ws + "/chat") as page,
            connected(other.ready.ws + "/chat?token=1") as other_page,
        ):
            for each in (first, second):
                assert ask(each, "queue.pop", ["chat"]) == {"s": True}
            page.send("hello")  # the first message that passes: there is no init message
            other_page.send(b"\x00\xff")

            event, other_event = read(first)["p"], read(second)["p"]
            assert servers[event["n"]] == one.ready.http
            assert servers[other_event["n"]] == other.ready.http
            assert event["t"] == "chat"
            assert event["d"]["frame"] == {"type": "text", "data": "hello", "finish": True}
            assert event["d"]["uid"] is None
            assert event["d"]["headers"]["upgrade"] == "websocket"
            assert other_event["d"]["frame"]["data"] == "AP8="

            client_id, other_id = event["c"], other_event["c"]
            assert all(2**53 < int(each) < 2**63 for each in (client_id, other_id))
            sent = ask(first, "mesh.send", {"c": int(client_id), "d": "welcome"})
            assert (sent["s"], page.recv(PATIENCE)) == (True, "welcome")

            # Everything below is asked of the gateway that the page is not connected to.
            called = {"c": int(other_id), "f": "subscribe", "a": ["news"]}
            assert ask(first, "conn.call", called) == {"s": True}
            called = {"c": int(client_id), "f": "subscribe", "a": ["news"]}
            assert ask(second, "conn.call", called) == {"s": True}
            called = {"c": client_id, "f": "set_context_value", "a": ["user_id", 1000]}
            assert ask(second, "conn.call", called) == {"s": True}
            assert ask(second, "mesh.publish", {"c": "news", "d": "all"})["s"] == 2
            assert [page.recv(PATIENCE), other_page.recv(PATIENCE)] == ["all", "all"]


def test_a_centre_lists_the_gateways_that_speak_connmix() -> None:
    """Others are in the cluster as well, and hand out ids of their own form."""
    with (
        register("--connmix") as centre,
        gateway(centre, "--connmix") as speaking,
        gateway(centre),
    ):
        assert [*api_servers(centre).values()] == [speaking.ready.http]
        speaking.stop()
        eventually(lambda: nodes(centre) == [])


def test_clients_of_all_gateways_are_reached_by_ids_of_both_forms() -> None:
    """From the API of one that speaks CONNMIX, and from the library: each knows both forms."""
    with (
        register("--connmix") as centre,
        gateway(centre, "--connmix") as one,
        gateway(centre) as other,
        GatewayClient(centre.ready.listen) as library,
        program(one.ready.http) as consumer,
        connected(one.ready.ws) as page,
    ):
        (number,) = eventually(library.get_all_client_id_list)
        with browse(other.ready.ws) as (other_page, native):
            for each in (number, native):
                called = {"c": each, "f": "subscribe", "a": ["news"]}
                assert ask(consumer, "conn.call", called) == {"s": True}
                assert ask(consumer, "mesh.send", {"c": each, "d": "a"})["s"] is True
                assert library.send_to_client(each, "b") == 1
            assert ask(consumer, "mesh.publish", {"c": "news", "d": "c"})["s"] == 2
            for each_page in (page, other_page):
                assert [each_page.recv(PATIENCE) for _ in range(3)] == ["a", "b", "c"]


def test_a_program_is_told_that_its_gateway_stops() -> None:
    """With 1001: it connects anew, and finds the gateway in the centre's list when that is back."""
    with (
        register("--connmix") as centre,
        gateway(centre, *FLAGS) as one,
        program(one.ready.http) as consumer,
    ):
        assert ask(consumer, "queue.pop", {"t": ["chat"]}) == {"s": True}
        one.stop()
        with pytest.raises(ConnectionClosed) as closed:
            read(consumer)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1001


def test_a_program_that_dies_loses_no_message() -> None:
    """What it had not been written comes to the next one, behind what it had."""
    with (
        register("--connmix") as centre,
        gateway(centre, *FLAGS) as one,
        connected(one.ready.ws + "/chat") as page,
    ):
        with program(one.ready.http) as first:
            ask(first, "queue.pop", ["chat"])
            page.send("a")
            assert read(first)["p"]["d"]["frame"]["data"] == "a"
        page.send("b")
        with program(one.ready.http) as second:
            ask(second, "queue.pop", ["chat"])
            assert read(second)["p"]["d"]["frame"]["data"] == "b"
