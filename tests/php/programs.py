"""PHP programs of our own beside a cluster: one that calls methods, and workers."""

import json
import shutil
import subprocess
from base64 import b64decode, b64encode
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from gateway.php.values import PhpValue, serialize, unserialize
from tests.support.daemons import Daemon

HERE: Final = Path(__file__).parent


class PhpError(Exception):
    """A method raised an exception in PHP; the argument is what it said."""


def php() -> str:
    """Give the program to run PHP's scripts with."""
    found = shutil.which("php")
    assert found, "no php: `make test` installs it where it can"
    return found


class PhpClient:
    """A process of PHP that calls GatewayClient's methods by name; a context manager."""

    def __init__(self, register: str, secret_key: str = "") -> None:
        self._process = subprocess.Popen(
            [php(), str(HERE / "calls.php"), register, secret_key],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        with self._process:
            self._process.terminate()

    def __repr__(self) -> str:
        return f"<PhpClient pid {self._process.pid}>"

    def __call__(self, method: str, *arguments: PhpValue) -> Any:
        """Call a method; give what it returns, arrays as dicts.

        Raises:
            PhpError: If it raises an exception.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b64encode(serialize([method, [*arguments]])) + b"\n")
        answer = unserialize(b64decode(self._process.stdout.readline()))
        assert isinstance(answer, dict), f"{method} ended the program"
        if answer[0] is not None:
            raise PhpError(answer[0])
        return answer[1]


class PhpWorker(Daemon):
    """A worker in PHP; ready when it has introduced itself to every gateway."""

    def __init__(self, register: str, name: str, secret_key: str = "") -> None:
        script = str(HERE / "worker.php")
        super().__init__(script, register, name, secret_key, launcher=[php()])

    def event(self) -> dict[str, Any]:
        """Wait for the next event that it is told."""
        told: dict[str, Any] = json.loads(self.line())
        return told
