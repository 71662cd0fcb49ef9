"""A core without sockets that is asked in GatewayWorker's protocol."""

from itertools import count
from types import GeneratorType
from typing import Any, Final

from gateway.connection import Connection
from gateway.php.frames import RAW, SCALAR, Command, Frame
from gateway.php.requests import Requests
from gateway.php.values import PhpValue, serialize, unserialize
from tests.gateway.handlers.support import Gateway

PHP_NODE: Final = "7f0000010b54"
"""What all client ids begin with: 127.0.0.1 and port 2900, in hexadecimal digits."""


class PhpGateway(Gateway):
    """A core that hands out client ids of PHP's form, with connection ids that count up."""

    def __init__(self, first: int = 2, **options: Any) -> None:
        numbers = count(first)
        super().__init__(new_client_id=lambda: f"{PHP_NODE}{next(numbers):08x}", **options)
        self.requests = Requests(self.hub, self.table, PHP_NODE)

    def ask(self, frame: Frame) -> bytes:
        """Do what a frame asks for; give the whole answer, `b""` for none."""
        answer = self.requests.execute(frame)
        if isinstance(answer, GeneratorType):
            return b"".join(answer)
        return answer or b""  # type: ignore[return-value]  # the only generator is the one above

    def value(
        self,
        command: Command,
        ext: str | bytes = b"",
        *,
        connection: Connection | None = None,
    ) -> PhpValue:
        """Ask a question as a client does, and read the answer as it does."""
        number = 0 if connection is None else int(connection.client_id[-8:], 16)
        answer = self.ask(Frame(command, number, ext.encode() if isinstance(ext, str) else ext))
        assert int.from_bytes(answer[:4], "big") == len(answer) - 4
        value = unserialize(answer[4:])
        assert serialize(value) == answer[4:]
        return value

    def tell(
        self,
        command: Command,
        ext: str | bytes = b"",
        body: str | bytes = b"",
        *,
        connection: Connection | None = None,
        raw: bool = False,
    ) -> None:
        """Ask for something that is not answered."""
        number = 0 if connection is None else int(connection.client_id[-8:], 16)
        frame = Frame(
            command,
            number,
            ext.encode() if isinstance(ext, str) else ext,
            body.encode() if isinstance(body, str) else body,
            SCALAR | RAW if raw else SCALAR,
        )
        assert self.ask(frame) == b""
