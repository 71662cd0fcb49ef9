"""What happens beside the thread of a test, which waits in blocking code meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self

from gateway_client.blocking.consumer import Consumer
from gateway_client.blocking.message import Message
from tests.gateway_client.peers import PATIENCE


class Beside:
    """Runs steps in a thread, one after another; a block waits for their end, and raises what they raised."""

    def __init__(self, *steps: Callable[[], Any]) -> None:
        self._done: Future[Any] = Future()
        threading.Thread(target=self._run, args=(steps,), daemon=True).start()

    def _run(self, steps: tuple[Callable[[], Any], ...]) -> None:
        try:
            self._done.set_result([step() for step in steps][-1])
        except BaseException as error:  # noqa: BLE001 - it is raised where it is asked for
            self._done.set_exception(error)

    def join(self) -> Any:
        """Wait for what the last step returns."""
        return self._done.result(PATIENCE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self.join()


def take(consumer: Consumer, count: int) -> list[Message]:
    """Take messages and leave the iteration, with the last one in hand."""
    taken: list[Message] = []
    for message in consumer:
        taken.append(message)
        if len(taken) == count:
            break
    return taken
