"""`register start` as its users start it."""

import asyncio
from datetime import datetime
from pathlib import Path

import aiohttp

from gateway_process.daemon import Context
from gateway_process.errors import RunError
from gateway_process.inspection import ConnectionQuery, Work
from gateway_wire.addresses import Address
from gateway_wire.commands import Announce, Nodes, Role, Watch
from register.process import RegisterProcess
from register.settings import RegisterSettings
from tests.gateway.support import turns_until
from tests.support.daemons import Daemon, run
from tests.support.links import Dialler, address_of, bound

START = ("register", "start", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")


async def test_it_serves_where_it_says(tmp_path: Path) -> None:
    """The ready line names both ports, the secret key is in force, and SIGTERM ends it with 0."""
    key = tmp_path / "key"
    key.write_text("of the cluster\n")
    with Daemon(*START, "--secret-key-file", str(key)) as register:
        async with aiohttp.request("GET", f"http://{register.ready.http}/v1/nodes") as response:
            assert await response.json() == {"nodes": []}
        async with Dialler(Address.parse(register.ready.listen), "of the cluster") as peers:
            link, owner = await peers.dial(Role.CLIENT)
            link.send(Watch())
            assert (await owner.envelopes.get()).command == Nodes(True, [])

        register.stop()


async def test_it_tells_its_links() -> None:
    """Each link has a row, with the gateway that was announced on it; pages and filters hold."""
    sockets = {"listen": [bound()], "http": [bound()]}
    address = address_of(sockets["listen"][0])
    context = Context(number=0, sockets=sockets, fail=unexpected)
    process = RegisterProcess(RegisterSettings(), context)
    await process.start()
    async with Dialler(address) as peers:
        gateway, owner = await peers.dial(Role.GATEWAY, instance="a")
        gateway.send(Announce("0123456789ab", "127.0.0.1", 2900, 0, []), 1)
        await owner.envelopes.get()
        await peers.dial(Role.CLIENT, instance="b")
        assert process.work() == Work(connections=2)
        page = process.connections(ConnectionQuery(limit=1))
        (row,) = page.rows
        assert datetime.fromisoformat(row.pop("since")).tzinfo is not None
        of_gateway = {"peer": "gateway", "address": row["address"], "instance": "a"}
        assert row == of_gateway | {"node": "0123456789ab"}
        rest = process.connections(ConnectionQuery(limit=1, after=page.next))
        assert [(row["peer"], row["node"]) for row in rest.rows] == [("client", "")]
        assert rest.next == ""
        only = process.connections(ConnectionQuery(address=row["address"]))
        assert [each["instance"] for each in only.rows] == ["a"]
        _, writer = await asyncio.open_connection(*address)
        writer.write(b'{"event":"worker_connect","secret_key":""}\n')
        await turns_until(lambda: process.work().connections == 3)
        php = process.connections(ConnectionQuery(limit=10)).rows[-1]
        assert (php["peer"], php["instance"], php["node"]) == ("php", "", "")
        assert Address.parse(php["address"]).is_loopback
        writer.close()
        assert process.connections(ConnectionQuery(uid="42")).rows == []
        assert process.connections(ConnectionQuery(group="news")).rows == []
    await process.stop()


def unexpected(error: RunError) -> None:
    """Fail the test: nothing in it may end the process."""
    raise error


def test_a_port_in_use_is_named() -> None:
    """A second register on the port says which setting and what to do, with exit code 3."""
    with Daemon(*START) as register:
        taken = register.ready.listen
        code, _, stderr = run("register", "start", "--listen", taken, "--http", "127.0.0.1:0")

    assert code == 3
    assert f"--listen: {taken} is in use" in stderr


def test_an_open_port_needs_a_secret() -> None:
    """Other machines reach it only with a key, or where somebody said that this is wanted."""
    code, _, stderr = run("register", "start", "--listen", "0.0.0.0:0", "--http", "127.0.0.1:0")
    assert code == 2
    assert "--secret-key-file" in stderr
    assert "--insecure" in stderr

    with Daemon("register", "start", "--listen", "0.0.0.0:0", *START[4:], "--insecure") as open_one:
        assert open_one.ready.listen.startswith("0.0.0.0:")


def test_help_is_complete() -> None:
    """Every setting has a flag with its default and its variable."""
    code, stdout, _ = run("register", "start", "--help")

    assert code == 0
    for name in ("--listen", "--http", "--secret-key-file", "--insecure", "--log-format", "-c"):
        assert name in stdout
    assert "GATEWAYWORKER_REGISTER__LISTEN" in stdout
    assert "127.0.0.1:1236" in stdout
