"""Consuming: what a consumer has of the gateways' messages, and what it owes them.

Pure: no sockets, no time, no waiting. A consumer has one `Store` of messages that nobody has looked at, and an
`Intake` for each link to a gateway, which holds the account of what the gateway gave on it:

- *in store*: it came, and waits in the store, in the order in which messages came;
- *out*: `Store.take` handed it out, and whoever got it says `acknowledge` or `give_back`;
- *settled*: acknowledged, given back, taken along by another that was given back, or lost with its link. Nothing can be
  said of it any more.

The gateway counts as ours what is in store or out, at most `prefetch` messages; all of these are in `Intake` by
their ids. The messages of one client on one topic are a lane. A message that is given back takes along those of its lane
behind it; and such as the gateway sent before it heard of that are dropped, since they come again: in between stands
the answer to `RejectMessages`.

A shell gives an intake all that its link brings (`Intake.receive`) and tells its end (`Intake.lose`); it is given what is
to be said when it calls `Store.flush`, and `on_unsent` says when there is something.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, Final, Generic, TypeAlias, TypeVar

from gateway_client.queue_message import Account, BaseMessage
from gateway_client.subscription import Subscription
from gateway_wire.commands import (
    AcknowledgeMessages,
    Command,
    Consume,
    Error,
    QueueMessage,
    RejectMessages,
    Reply,
    StopConsuming,
)
from gateway_wire.errors import RemoteProtocolError
from gateway_wire.frames import Envelope

__all__ = ["Intake", "IntakeState", "Request", "Store"]

M = TypeVar("M", bound=BaseMessage)

Request: TypeAlias = tuple[Command, int]
"""A command to be sent, and its request id; 0 asks for no answer."""

_Lane: TypeAlias = tuple[str, str]
"""A topic and a client."""


class IntakeState(Enum):
    """How far the conversation on one link has come."""

    ASKING = "asking"
    CONSUMING = "consuming"
    REFUSED = "refused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    LOST = "lost"


_FINISHED: Final = frozenset({IntakeState.REFUSED, IntakeState.STOPPED, IntakeState.LOST})


class Intake(Account, Generic[M]):
    """The account of one link: what its gateway gave, and what is to be said to it.

    Attributes:
        state: How far the conversation has come.
        refusal: What the gateway said in place of sending messages, or None.
    """

    __slots__ = (
        "_acknowledged",
        "_barred",
        "_held",
        "_is_unsent",
        "_requests",
        "_send",
        "_store",
        "_unsent",
        "_used_ids",
        "refusal",
        "state",
    )

    def __init__(self, store: Store[M], send: Callable[[list[Request]], None]) -> None:
        """Take account of a link that has just opened; `Store.opened` makes it.

        Args:
            store: Where messages go.
            send: Sends commands on the link, in their order, at the next `Store.flush`.
        """
        self.state = IntakeState.ASKING
        self.refusal: Error | None = None
        self._store = store
        self._send = send
        self._held: dict[int, M] = {}
        self._acknowledged: list[int] = []
        self._unsent: list[Request] = []
        self._is_unsent = False
        # Requests whose answer is to come, and of which lane one gave back: nothing of it counts until then.
        self._used_ids = 0
        self._requests: dict[int, Callable[[Error | None], None]] = {}
        self._barred: dict[_Lane, int] = {}
        asked = store.subscription
        self._ask(Consume(list(asked.topics), asked.prefetch, asked.name), self._consuming)

    def __repr__(self) -> str:
        return f"<Intake {self.state.value}, {len(self._held)} messages>"

    @property
    def facade(self) -> Any:
        """What replies are sent with."""
        return self._store.facade

    @property
    def is_finished(self) -> bool:
        """Whether nothing more comes or is awaited: it has stopped, was refused, or is lost."""
        return self.state in _FINISHED

    def holds(self, message: BaseMessage) -> bool:
        """Return whether a message is in store or out."""
        return self._held.get(message.message_id) is message

    def receive(self, envelopes: Iterable[Envelope]) -> None:
        """Take what the link brought.

        Raises:
            RemoteProtocolError: If the gateway says what it may not; the link is to be cut.
        """
        held, barred, store = self._held, self._barred, self._store
        waiting, make, prefetch = store.waiting, store.make, store.subscription.prefetch
        for command, request_id, _ in envelopes:
            if type(command) is not QueueMessage:
                self._receive_answer(command, request_id)
            elif not barred or (command.topic, command.client_id) not in barred:
                if len(held) >= prefetch or command.message_id in held:
                    raise RemoteProtocolError(f"it sent more than {prefetch}, or one twice")
                held[command.message_id] = message = make(command, self)
                waiting.append(message)

    def acknowledge(self, message: BaseMessage) -> bool:
        """Say that a message is dealt with.

        Returns:
            Whether it was ours; if not it is settled already, and nothing is said.
        """
        message_id = message.message_id
        if self._held.get(message_id) is not message:
            return False
        del self._held[message_id]
        self._acknowledged.append(message_id)
        self._has_unsent()
        return True

    def give_back(self, message: BaseMessage) -> bool:
        """Say that a message is to be sent again, with what is behind it in its lane.

        Returns:
            Whether it was ours; if not it is settled already, and nothing is said.
        """
        if not self.holds(message):
            return False
        lane = (message.topic, message.client_id)
        self._drop(self._lane_from(message, lane))
        self._barred[lane] = self._barred.get(lane, 0) + 1
        self._ask(RejectMessages([message.message_id]), lambda _: self._given_back(lane))
        return True

    def stop(self) -> None:
        """Have no more sent, and give back, as nobody has looked at it, what is in store and what still comes.

        When the answer has come, `is_finished` is true and the link may be closed.
        """
        if self.state in {IntakeState.ASKING, IntakeState.CONSUMING}:
            self.state = IntakeState.STOPPING
            self._ask(StopConsuming(), self._stopped)
            self._give_back_unseen()

    def lose(self) -> None:
        """Take note that the link has ended: all that it gave comes again."""
        self.state = IntakeState.LOST
        self._drop(list(self._held.values()))
        self._acknowledged.clear()
        self._unsent.clear()
        self._requests.clear()

    def take_unsent(self) -> list[Request]:
        """Return what is to be sent, in this order, and forget it."""
        self._is_unsent = False
        self._close_batch()
        unsent, self._unsent = self._unsent, []
        return unsent

    def send_unsent(self) -> None:
        """Send what is to be sent."""
        if self.state is not IntakeState.LOST:
            self._send(self.take_unsent())

    # Private methods

    def _ask(self, command: Command, answered: Callable[[Error | None], None]) -> None:
        """Say something whose answer matters, behind the acknowledgements so far."""
        self._close_batch()
        self._used_ids += 1
        self._requests[self._used_ids] = answered
        self._unsent.append((command, self._used_ids))
        self._has_unsent()

    def _close_batch(self) -> None:
        if self._acknowledged:
            self._unsent.append((AcknowledgeMessages(self._acknowledged), 0))
            self._acknowledged = []

    def _has_unsent(self) -> None:
        if not self._is_unsent:
            self._is_unsent = True
            self._store.has_unsent(self)

    def _receive_answer(self, answer: object, request_id: int) -> None:
        if not isinstance(answer, Reply | Error):
            raise RemoteProtocolError(f"{answer!r:.80} was sent to a consumer")
        answered = self._requests.pop(request_id, None)
        if answered is None:
            raise RemoteProtocolError(f"it answered {request_id}, which is not open")
        answered(answer if isinstance(answer, Error) else None)

    def _consuming(self, refusal: Error | None) -> None:
        self.refusal = refusal
        if self.state is IntakeState.ASKING:
            refused = refusal is not None
            self.state = IntakeState.REFUSED if refused else IntakeState.CONSUMING

    def _given_back(self, lane: _Lane) -> None:
        """What comes of a lane from now on is sent after the gateway took it back."""
        self._barred[lane] -= 1
        if not self._barred[lane]:
            del self._barred[lane]

    def _stopped(self, _: Error | None) -> None:
        self.state = IntakeState.STOPPED
        self._give_back_unseen()

    def _give_back_unseen(self) -> None:
        """Give back what is in store; to a gateway that was asked to stop, which does not send it here again."""
        unseen = [each for each in self._store.waiting if self.holds(each)]
        if unseen:
            self._drop(unseen)
            self._close_batch()
            ids = [each.message_id for each in unseen]
            self._unsent.append((RejectMessages(ids, tried=False), 0))
            self._has_unsent()

    def _lane_from(self, message: BaseMessage, lane: _Lane) -> list[M]:
        """Return a message and those behind it in its lane; they are held in the order in which they came."""
        found: list[M] = []
        for each in self._held.values():
            if each is message or (found and (each.topic, each.client_id) == lane):
                found.append(each)
        return found

    def _drop(self, messages: list[M]) -> None:
        """Settle messages, whether they are in store or out."""
        for each in messages:
            del self._held[each.message_id]
        self._store.drop_settled()


class Store(Generic[M]):
    """The messages of all gateways that nobody has looked at, oldest first.

    Attributes:
        subscription: What each gateway is asked for.
        make: Makes a message of what a gateway sent.
        facade: What replies are sent with.
        waiting: The messages.
    """

    __slots__ = ("_on_unsent", "_unsent", "facade", "make", "subscription", "waiting")

    def __init__(
        self,
        subscription: Subscription,
        make: Callable[[QueueMessage, Intake[M]], M],
        facade: object,
        on_unsent: Callable[[], None],
    ) -> None:
        """Make an empty one.

        Args:
            subscription: What each gateway is asked for.
            make: Makes a message of what a gateway sent.
            facade: What replies are sent with: the client object, or the class-level client.
            on_unsent: Called when there is something to be sent, and not again before the next `flush`.
        """
        self.subscription = subscription
        self.make = make
        self.facade = facade
        self.waiting: deque[M] = deque()
        self._on_unsent = on_unsent
        self._unsent: list[Intake[M]] = []

    def __repr__(self) -> str:
        return f"<Store of {', '.join(self.subscription.topics)}: {len(self.waiting)} messages>"

    def opened(self, send: Callable[[list[Request]], None]) -> Intake[M]:
        """Return the account of a link that has just opened; it asks for messages at the next `flush`.

        Args:
            send: Sends commands on the link, in their order.
        """
        return Intake(self, send)

    def take(self) -> M | None:
        """Hand out the oldest message, or None if there is none."""
        return self.waiting.popleft() if self.waiting else None

    def put_back(self, messages: Iterable[M]) -> None:
        """Take back messages that were handed out and that nobody has looked at, in their order."""
        kept = [each for each in messages if not each.is_settled]
        self.waiting.extendleft(reversed(kept))

    def flush(self) -> None:
        """Have each link send what is to be said on it."""
        unsent, self._unsent = self._unsent, []
        for intake in unsent:
            intake.send_unsent()

    # What intakes tell.

    def has_unsent(self, intake: Intake[M]) -> None:
        """Take note that something is to be said on a link."""
        self._unsent.append(intake)
        if len(self._unsent) == 1:
            self._on_unsent()

    def drop_settled(self) -> None:
        """Forget messages that were taken back."""
        kept = [each for each in self.waiting if not each.is_settled]
        if len(kept) < len(self.waiting):
            self.waiting.clear()  # and not another deque: an intake that receives holds this one
            self.waiting.extend(kept)
