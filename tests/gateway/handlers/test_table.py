"""The table of what each command does."""

from gateway.handlers import link_table
from gateway_wire.commands import COMMANDS, Goodbye, Ping, Pong, Role
from gateway_wire.state import may_travel
from tests.gateway.handlers.support import Gateway


def test_every_command_that_a_backend_may_send_has_its_function() -> None:
    """What the catalogue promises is there, and nothing else; the link itself does the rest."""
    promised = {
        each
        for each in COMMANDS.values()
        if may_travel(each, Role.CLIENT, Role.GATEWAY)
        or may_travel(each, Role.WORKER, Role.GATEWAY)
    }

    gateway = Gateway()
    of_links = link_table(gateway.hub, gateway.router, gateway.of_queues, lambda: 0.0)

    assert not set(gateway.table) & set(of_links)
    assert set(gateway.table) | set(of_links) == promised - {Ping, Pong, Goodbye}
