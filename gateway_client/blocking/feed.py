"""The link of a blocking consumer to one gateway: messages come in on it, acknowledgements go out.

It stays: whenever it ends it is dialled again, with backoff and full jitter, and asks for messages anew. What the gateway
gave on a link that ended comes again, here or elsewhere. It never waits; the consumer polls all of its feeds at once.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

from gateway_client.blocking.line import Line
from gateway_client.config import ASK_AGAIN_PAUSE, CONNECT_TIMEOUT
from gateway_client.consuming import IntakeState
from gateway_client.errors import link_error
from gateway_wire.errors import GatewayError, LinkError, RemoteProtocolError
from gateway_wire.frames import encode_frame
from gateway_wire.redial import Redial

if TYPE_CHECKING:
    from gateway_client.blocking.message import Message
    from gateway_client.consuming import Intake, Request, Store
    from gateway_client.directory import Node
    from gateway_client.troubles import Troubles
    from gateway_wire.hello import Party

__all__ = ["Feed"]


class Feed:
    """The way of messages from one gateway, for as long as it is announced.

    Attributes:
        node: The gateway.
        line: The link; None between an end and the next attempt.
        intake: The account of the link; None until it is open.
    """

    __slots__ = (
        "_deadline",
        "_next_dial",
        "_opened_at",
        "_party",
        "_redial",
        "_secret_key",
        "_store",
        "_troubles",
        "intake",
        "line",
        "node",
    )

    def __init__(
        self, node: Node, store: Store[Message], troubles: Troubles, party: Party, secret_key: str
    ) -> None:
        """Make it; `tend` dials.

        Args:
            node: The gateway.
            store: Where messages go.
            troubles: Is told what keeps them from coming.
            party: Our side, as it introduces itself.
            secret_key: The cluster's secret key, empty for none.
        """
        self.node = node
        self.line: Line | None = None
        self.intake: Intake[Message] | None = None
        self._store = store
        self._troubles = troubles
        self._party = party
        self._secret_key = secret_key
        self._next_dial = -inf
        self._deadline = inf
        self._opened_at = inf
        self._redial = Redial()

    def __repr__(self) -> str:
        return f"<Feed from {self.node.address}: {self.intake or 'dialling'}>"

    @property
    def due(self) -> float:
        """When something is to be done without anything being heard."""
        line = self.line
        if line is None:
            return self._next_dial
        return -inf if line.is_closed else self._deadline

    @property
    def has_stopped(self) -> bool:
        """Whether, after `intake.stop`, nothing more comes and everything is written."""
        if self.line is None or self.line.is_closed or self.intake is None:
            return True
        return self.intake.is_finished and self.line.is_flushed

    def poll_with(self, poller: select.poll, ready: dict[int, Callable[[float], None]]) -> None:
        """Have the link polled, and `progress` called when it is ready."""
        if self.line is not None and not self.line.is_closed:
            poller.register(self.line.fd, self.line.wants)
            ready[self.line.fd] = self.progress

    def tend(self, now: float) -> None:
        """Dial if it is time, and take note of a link that has ended or does not open."""
        line = self.line
        if line is None:
            if now >= self._next_dial:
                self._dial(now)
        elif line.failure is not None:  # seen when something was written
            self._lose(line.failure, now)
        elif now >= self._deadline:
            self._lose(LinkError(f"it accepted no link within {CONNECT_TIMEOUT:g} s"), now)

    def progress(self, now: float) -> None:
        """Do what the socket is ready for."""
        line = self.line
        if line is None:
            return
        envelopes = line.progress()
        if self.intake is None and line.is_open:
            self._opened(now)
        if envelopes and self.intake is not None:
            try:
                self.intake.receive(envelopes)
            except RemoteProtocolError as error:
                line.fail(error)
        if line.failure is not None:
            self._lose(line.failure, now)
        elif self.intake is not None:
            self._look_at(self.intake, now)

    def close(self) -> None:
        """Let go of the link; what it gave and nobody acknowledged comes again."""
        line, self.line = self.line, None
        if line is not None:
            line.close()
        intake, self.intake = self.intake, None
        if intake is not None:
            intake.lose()

    # Private methods

    def _dial(self, now: float) -> None:
        self._deadline, self._opened_at = now + CONNECT_TIMEOUT, inf
        try:
            self.line = Line(self.node.address, self._party, self._secret_key)
        except OSError as error:
            self._lose(link_error(error), now)

    def _opened(self, now: float) -> None:
        self._deadline, self._opened_at = inf, now
        self.intake = self._store.opened(self._send)

    def _send(self, requests: list[Request]) -> None:
        if self.line is None:
            raise AssertionError("the account of a link ends with it")
        for command, request_id in requests:
            self.line.queue(encode_frame(command, request_id))
        self.line.flush()

    def _lose(self, failure: GatewayError, now: float) -> None:
        address = str(self.node.address)
        if self.intake is None:
            self._troubles.not_linked(address, f"could not be reached: {failure}", failure)
        else:
            self._troubles.lost(address, failure)
        self._end(now)

    def _end(self, now: float) -> None:
        """Let go of the link, to dial again before long."""
        self.close()
        self._next_dial = now + self._redial.pause(now - self._opened_at)

    def _look_at(self, intake: Intake[Message], now: float) -> None:
        """Take note of what the gateway has answered."""
        if intake.state is IntakeState.CONSUMING:
            self._troubles.consuming(str(self.node.address))
        elif intake.refusal is not None:
            self._troubles.refused(str(self.node.address), intake.refusal)
            self._end(now)
            self._next_dial = now + ASK_AGAIN_PAUSE
