"""Executing commands on a core over pipes, without links."""

from types import GeneratorType
from typing import Any

from gateway.handlers import QueueHandlers, command_table
from gateway.queues.queues import Queues
from gateway_wire.commands import Command
from gateway_wire.limits import DEFAULT_MAX_MESSAGE
from tests.gateway.support import Pipes


class Gateway(Pipes):
    """A core whose commands can be executed; answers in parts are joined as a client joins them."""

    def __init__(self, *, max_message: int = DEFAULT_MAX_MESSAGE, **options: Any) -> None:
        super().__init__(**options)
        self.queues = Queues()
        self.of_queues = QueueHandlers(self.queues, lambda: self.now)
        self.table = command_table(self.hub, self.outbox, self.clients, self.of_queues, max_message)

    def execute(self, command: Command) -> Any:
        """Execute a command and give its whole answer."""
        parts = self.parts(command)
        whole = parts[0]
        for part in parts[1:]:
            type(command).reply.extend(whole, part)
        assert type(command).reply.fits(whole)
        return whole

    def parts(self, command: Command) -> list[Any]:
        """Execute a command and give its answer in the parts in which it travels."""
        result = self.table[type(command)](command)
        return list(result) if isinstance(result, GeneratorType) else [result]
