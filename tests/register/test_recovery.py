"""What the directory knows after processes froze, died or were restarted: real ones."""

import json
import urllib.request

from tests.support.daemons import Daemon
from tests.support.waiting import eventually


def register(listen: str = "127.0.0.1:0", http: str = "127.0.0.1:0") -> Daemon:
    """Give a register that is not started yet."""
    return Daemon("register", "start", "--listen", listen, "--http", http)


def gateway(*registers: Daemon) -> Daemon:
    """Give a gateway of these registers that is not started yet."""
    addresses = ",".join(each.ready.listen for each in registers)
    free = ("--listen", "ws://127.0.0.1:0", "--start-port", "0", "--http", "127.0.0.1:0")
    return Daemon("gateway", "start", "--register", addresses, *free)


def nodes(where: Daemon) -> list[str]:
    """Ask a register for the gateways that are alive, by the address of their HTTP API."""
    with urllib.request.urlopen(f"http://{where.ready.http}/v1/nodes") as response:
        return [each["api_server"] for each in json.load(response)["nodes"]]


def test_a_restarted_register_knows_everything_again() -> None:
    """Nobody else is restarted: the gateway announces itself to the new process by itself."""
    with register() as first, gateway(first) as running:
        listen, http = first.ready.listen, first.ready.http
        first.kill()
        with register(listen, http) as second:
            assert eventually(lambda: nodes(second)) == [running.ready.http]


def test_every_register_knows_every_gateway() -> None:
    """A gateway announces itself to all its registers, and outlives the loss of one."""
    with register() as one, register() as two, gateway(one, two) as running:
        assert eventually(lambda: nodes(one)) == [running.ready.http]
        assert eventually(lambda: nodes(two)) == [running.ready.http]
        one.kill()
        assert nodes(two) == [running.ready.http]


def test_a_gateway_that_stops_is_gone_at_once() -> None:
    """A killed gateway is missed when its connection ends, a stopped one when it says goodbye."""
    with register() as directory, gateway(directory) as stopped, gateway(directory) as killed:
        assert len(nodes(directory)) == 2
        stopped.stop()
        assert nodes(directory) == [killed.ready.http]
        killed.kill()
        assert eventually(lambda: nodes(directory) == [])


def test_a_gateway_that_freezes_is_dropped_until_it_goes_on() -> None:
    """Silence ends a gateway though its sockets stay open; once it goes on it is back by itself."""
    with register() as directory, gateway(directory) as frozen:
        frozen.freeze()
        assert eventually(lambda: nodes(directory) == [])
        frozen.thaw()
        assert eventually(lambda: nodes(directory)) == [frozen.ready.http]
