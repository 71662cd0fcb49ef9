"""The demo as a program: its socket, its process, and who may start it."""

import aiohttp
import pytest

from gateway.demo.program import DEMO, PAGE, DemoSettings
from gateway_process.daemon import Context
from gateway_process.errors import RunError, StartupError
from gateway_process.inspection import ConnectionPage, ConnectionQuery, Work
from gateway_wire.addresses import Address
from tests.support.daemons import run


def unexpected(error: RunError) -> None:
    """Fail the test when the role gives up."""
    raise AssertionError(error)


async def test_its_process_serves_the_page_where_it_says() -> None:
    """The address that it announces is where the page is, until it stops."""
    settings = DemoSettings(listen=Address("127.0.0.1", 0), gateway_url="ws://gateway.example")
    (sockets,) = DEMO.bind(settings)
    role = DEMO.role(settings, Context(number=0, sockets=sockets, fail=unexpected))
    addresses = await role.start()
    async with aiohttp.ClientSession() as client:
        async with client.get(str(addresses[PAGE])) as response:
            assert 'data-gateway="ws://gateway.example"' in await response.text()
        assert role.work() == Work()
        assert role.connections(ConnectionQuery()) == ConnectionPage()
        await role.stop()
        with pytest.raises(aiohttp.ClientConnectionError):
            await client.get(str(addresses[PAGE]))


def test_a_port_in_use_names_the_setting_to_change() -> None:
    """Binding fails in words when another program has the port."""
    (sockets,) = DEMO.bind(DemoSettings(listen=Address("127.0.0.1", 0)))
    with sockets[PAGE][0] as taken:
        address = Address("127.0.0.1", taken.getsockname()[1])
        with pytest.raises(StartupError, match="--demo-listen"):
            DEMO.bind(DemoSettings(listen=address))


def test_by_itself_it_says_what_to_run() -> None:
    """The demo needs a register and a gateway, so `gateway dev` starts it."""
    code, _, errors = run("gateway.demo")
    assert code == 1
    assert errors == "gateway.demo is started by `gateway dev`; run that\n"
