"""What one thread says to one gateway in one call or pipeline.

It joins a line and the requests that travel on it: frames wait until the line is open, leave in
order, and each answer finds its request. When the line ends, or time is up, every request that is
still open learns whether it was written.
"""

from __future__ import annotations

from gateway_client.blocking.line import Line
from gateway_client.config import CONNECT_TIMEOUT
from gateway_client.directory import Node
from gateway_client.health import Health
from gateway_client.tally import Request
from gateway_wire.errors import AuthenticationFailed, GatewayError, RemoteProtocolError
from gateway_wire.frames import Envelope

__all__ = ["Talk"]


class Talk:
    """One thread's exchange with one gateway.

    Attributes:
        node: The gateway.
        line: The link; it is this talk's alone until the end.
        ends_unconfirmed: Whether the last command asked for no answer.
    """

    __slots__ = (
        "_connect_by",
        "_health",
        "_is_long",
        "_pending",
        "_silent",
        "_started",
        "_timeout",
        "_waiting",
        "ends_unconfirmed",
        "line",
        "node",
    )

    def __init__(
        self,
        node: Node,
        line: Line,
        health: Health,
        begun: float,
        timeout: float,
        *,
        now: float,
        is_long: bool = False,
    ) -> None:
        """Begin.

        Args:
            node: The gateway.
            line: A line to it, open or being dialled.
            health: Is told how the gateway is.
            begun: When the call began.
            timeout: Seconds after which it has timed out.
            now: The time, from which connecting counts.
            is_long: Whether it has timed out only after so many seconds without any progress, as in
                a pipeline, which may take long as a whole.
        """
        self.node = node
        self.line = line
        self.ends_unconfirmed = False
        self._health = health
        self._timeout = timeout
        self._is_long = is_long
        self._started = begun
        self._connect_by = min(now + CONNECT_TIMEOUT, begun + timeout)
        self._pending: dict[int, Request] = {}
        self._silent: list[Request] = []
        self._waiting: list[tuple[bytes, Request]] | None = None if line.is_open else []

    def __repr__(self) -> str:
        return f"<Talk with {self.node.address}: {len(self._pending)} open>"

    @property
    def deadline(self) -> float:
        """When it has timed out, unless something is heard before."""
        return self._connect_by if self._waiting is not None else self._started + self._timeout

    def has_finished(self) -> bool:
        """Return whether there is nothing left to write or to wait for."""
        if self.line.is_closed:
            return True
        return not self._pending and self._waiting is None and self.line.is_flushed

    def has_room(self, size: int, count: int) -> bool:
        """Return whether fewer bytes than this are unwritten, and fewer commands unanswered."""
        line = self.line
        return line.queued - line.written < size and len(self._pending) < count

    def say(self, frame: bytes, request: Request, request_id: int) -> None:
        """Take one command; `request_id` 0 for one that is not answered."""
        line = self.line
        self.ends_unconfirmed = not request_id
        if line.fd < 0:
            request.fail("was lost before this command", sent=False)
            return
        if request_id:
            self._pending[request_id] = request
        else:
            self._silent.append(request)
        if self._waiting is None:
            request.end = line.queue(frame)
        else:
            self._waiting.append((frame, request))

    def progress(self, now: float) -> None:
        """Do what the socket is ready for."""
        line = self.line
        written = line.written
        envelopes = line.progress()
        if self._waiting is not None and line.is_open:
            self._opened()
        if envelopes:
            self._received(envelopes)
        if self._is_long and (envelopes or line.written != written):
            self._started = now
        if line.failure is not None:
            self._lost(line.failure, now)

    def flush(self, now: float) -> None:
        """Write as much as the kernel takes."""
        self.line.flush()
        if self.line.failure is not None:
            self._lost(self.line.failure, now)

    def expire(self, now: float) -> None:
        """End it if its time is up."""
        if now < self.deadline or self.has_finished():
            return
        if self._waiting is not None:
            reason = f"accepted no link within {self._connect_by - self._started:.1f} s"
        else:
            reason = f"did not answer within {self._timeout:g} s"
        self._health.timed_out(self.node.node_id, reason, now)
        self._fail_all(reason, None)

    def finish(self) -> None:
        """Settle what asked for no answer, and whatever is open if the line was closed under it."""
        if self._pending or self._waiting:
            self._fail_all("was given up when the client was closed", None)
        for request in self._silent:
            request.tally.answered(None)
        self._silent.clear()

    def abandon(self) -> None:
        """Close the line of a talk that was interrupted, so that nobody gets its answers."""
        if not self.has_finished():
            self._health.let_go(self.node.node_id)
            self.line.close()

    # Private methods

    def _opened(self) -> None:
        waiting, self._waiting = self._waiting or [], None
        for frame, request in waiting:
            request.end = self.line.queue(frame)
        self.line.flush()

    def _received(self, envelopes: list[Envelope]) -> None:
        self._health.answered(self.node.node_id)
        pending = self._pending
        for command, request_id, _ in envelopes:
            request = pending.get(request_id)
            if request is None:
                self.line.fail(RemoteProtocolError(f"it answered {request_id}, which is not open"))
                return
            try:
                if request.receive(command):
                    del pending[request_id]
            except RemoteProtocolError as error:
                self.line.fail(error)
                return

    def _lost(self, failure: GatewayError, now: float) -> None:
        if self._waiting is None:
            self._fail_all(f"was lost before it answered: {failure}", None)
            return
        reason = f"could not be reached: {failure}"
        self._health.refused(self.node.node_id, reason, now)
        self._fail_all(reason, failure)

    def _fail_all(self, reason: str, error: GatewayError | None) -> None:
        written = self.line.written
        self.line.close()
        raised = error if isinstance(error, AuthenticationFailed) else None
        for request in (*self._pending.values(), *self._silent):
            sent = 0 < request.end <= written
            request.fail(reason, sent=sent, error=raised)
        self._pending.clear()
        self._silent.clear()
        self._waiting = None
