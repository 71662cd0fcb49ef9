"""The control socket: what a command says to a running instance, and the answer.

One line of JSON each way, any number of times on one connection:

    {"ask": "status"}                                  -> {"answer": {"processes": [...], ...}}
    {"ask": "connections", "query": {"uid": "42"}}     -> {"answer": {"rows": [...], "next": ""}}
    {"ask": "stop" | "drain"}                          -> {"answer": {"stop_timeout": 25}}
    {"ask": "reload"}                                  -> {"answer": {"applied": [...], "needs_restart": [...], "replaced": 2}}
    what failed                                        -> {"error": "a sentence"}

An answer that takes its time is preceded by lines {"waiting": true}, by which one who works is told from
one who hangs. An instance that ends otherwise than cleanly says so last, unasked, as an error. The
socket's mode (0600) is all the permission there is: who may connect may as well send a signal.

The answer to a stop or drain says that it was ordered; the end of the connection, that it was carried
out. A reload is answered when every process has reloaded, or was replaced.
"""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Protocol, Self

from gateway_process.errors import ExitCode, ProcessError, RunError
from gateway_process.inspection import ConnectionPage, ConnectionQuery, ProcessStatus
from gateway_process.instance import Claim
from gateway_process.settings import Reloaded
from gateway_process.signals import Order

__all__ = ["Control", "Controlled", "NoAnswer", "Steering", "serving"]

logger = logging.getLogger(__package__)

Answer = dict[str, Any]
SIGN_OF_LIFE: Final = 1.0
"""Seconds after which one who waits for an answer is told that it takes longer, and again."""


class Controlled(Protocol):
    """What an instance's control socket stands for: a daemon, or a supervisor of several."""

    async def status(self) -> list[ProcessStatus]:
        """Give every process."""
        ...

    async def connections(self, query: ConnectionQuery) -> ConnectionPage:
        """Give a page of connections."""
        ...

    def order(self, order: Order) -> None:
        """Take an order."""
        ...

    async def reload(self) -> Reloaded:
        """Reload, and give what has changed when every process has reloaded, or was replaced.

        Raises:
            ProcessError: it changed nothing, or not all.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """What a command may ask besides the processes themselves.

    Attributes:
        stop_timeout: gives the seconds that a stop may take.
    """

    stop_timeout: Callable[[], float]


@asynccontextmanager
async def serving(
    claim: Claim | None, target: Controlled, steering: Steering
) -> AsyncIterator[None]:
    """Answer on an instance's control socket for as long as the block lasts.

    Args:
        claim: the instance's; None for one that has no files.
        target: what the commands are about.
        steering: what else they may ask.
    """
    if claim is None:
        yield
        return
    server = _Server(claim, target, steering)
    listener = await asyncio.start_unix_server(server.serve, sock=claim.socket)
    try:
        yield
    except ProcessError as error:
        server.farewell(error)
        raise
    finally:
        listener.close()
        server.hang_up()


class _Server:
    def __init__(self, claim: Claim, target: Controlled, steering: Steering) -> None:
        self._claim = claim
        self._target = target
        self._steering = steering
        self._serving: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}
        self._asked: Mapping[str, Callable[[Answer], Awaitable[Answer]]] = {
            "status": self._status,
            "connections": self._connections,
            Order.STOP.value: self._end,
            Order.DRAIN.value: self._end,
            Order.RELOAD.value: self._reload,
        }

    def __repr__(self) -> str:
        return f"<control of {self._claim.instance} serving={len(self._serving)}>"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one command until it hangs up."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 -- a stream's callback is a task
        self._serving[task] = writer
        try:
            with suppress(ConnectionError, ValueError):  # ValueError: a line without end
                while line := await reader.readline():
                    await self._reply(line, writer)
        except asyncio.CancelledError:
            logger.debug(
                "the instance ends before a command hung up"
            )  # a stream would log it loudly
        finally:
            del self._serving[task]
            writer.close()

    def farewell(self, error: ProcessError) -> None:
        """Say why the instance ends to whoever is still there."""
        for writer in self._serving.values():
            writer.write(_line(_failure(error)))

    def hang_up(self) -> None:
        """Leave whoever still asks."""
        for task in self._serving:
            task.cancel()

    async def _reply(self, line: bytes, writer: asyncio.StreamWriter) -> None:
        answering = asyncio.create_task(self._answer(line))
        try:
            while not (await asyncio.wait({answering}, timeout=SIGN_OF_LIFE))[0]:
                writer.write(_line({"waiting": True}))
                await writer.drain()
            writer.write(_line(answering.result()))
            await writer.drain()
        finally:
            answering.cancel()

    async def _answer(self, line: bytes) -> Answer:
        try:
            request = json.loads(line)
            return {"answer": await self._asked[request["ask"]](request)}
        except ProcessError as error:
            return _failure(error)
        except (KeyError, TypeError) as error:
            return {
                "error": f"a request that is not understood ({error!r}); is it of this version?"
            }
        except ValueError as error:  # what was asked for is wrong
            return {"error": str(error), "exit_code": ExitCode.USAGE}
        except Exception as error:
            logger.exception("a command could not be answered")
            return {"error": f"{type(error).__name__}: {error}; the log has the details"}

    async def _status(self, _request: Answer) -> Answer:
        processes = await self._target.status()
        return {"processes": [asdict(process) for process in processes]}

    async def _connections(self, request: Answer) -> Answer:
        return asdict(await self._target.connections(ConnectionQuery(**request["query"])))

    async def _end(self, request: Answer) -> Answer:
        self._target.order(Order(request["ask"]))
        return {"stop_timeout": self._steering.stop_timeout()}

    async def _reload(self, _request: Answer) -> Answer:
        change = await self._target.reload()
        return {
            "applied": change.applied,
            "needs_restart": change.needs_restart,
            "replaced": change.replaced,
        }


def _line(answer: Answer) -> bytes:
    return json.dumps(answer).encode() + b"\n"


def _failure(error: ProcessError) -> Answer:
    return {"error": str(error), "exit_code": error.exit_code}


class NoAnswer(RunError):
    """The instance does not answer on its control socket."""


class Control:
    """A command's connection to an instance; blocking, to be used with `with`.

    Args:
        path: the control socket.
        timeout: seconds that connecting may take, and each sign that an answer will come.

    Raises:
        NoAnswer: nobody listens there.
    """

    def __init__(self, path: Path, timeout: float) -> None:
        self._path = path
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._sock.settimeout(timeout)
        try:
            self._sock.connect(str(path))
        except OSError as error:
            self._sock.close()
            raise self._no_answer(error) from error
        self._lines = self._sock.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._sock.close()

    def __repr__(self) -> str:
        return f"<Control {self._path}>"

    def ask(
        self, what: str, *, on_wait: Callable[[], None] = lambda: None, **fields: Any
    ) -> Answer:
        """Ask and give the answer.

        Args:
            what: the question, or an order.
            on_wait: called once, when the answer takes its time.
            fields: what belongs to the question.

        Raises:
            NoAnswer: none came, nor a sign that one will.
            ProcessError: it said that it cannot.
        """
        reply = self._exchange(_line({"ask": what, **fields}))
        if "waiting" in reply:
            on_wait()
        while "waiting" in reply:
            reply = self._exchange()
        if "error" in reply:
            raise _refusal(reply)
        answer: Answer = reply["answer"]
        return answer

    def _exchange(self, line: bytes = b"") -> Answer:
        """Send a line, if there is one, and read the next."""
        try:
            self._sock.sendall(line)
            said = self._lines.readline()
        except ConnectionError as error:
            raise self._no_answer("it has ended") from error
        except OSError as error:
            raise self._no_answer(error) from error
        if not said.endswith(b"\n"):
            raise self._no_answer("it has ended")
        reply: Answer = json.loads(said)
        return reply

    def last_word(self) -> str:
        """Give why an instance that has ended did not end cleanly; empty if it did or cannot say."""
        with suppress(OSError, ValueError):
            word: str = json.loads(self._lines.readline()).get("error", "")
            return word
        return ""

    def _no_answer(self, reason: object) -> NoAnswer:
        return NoAnswer(f"no answer on {self._path} ({reason})")


def _refusal(reply: Answer) -> ProcessError:
    error = ProcessError(reply["error"])
    error.exit_code = ExitCode(reply.get("exit_code", ExitCode.FAILED))
    return error
