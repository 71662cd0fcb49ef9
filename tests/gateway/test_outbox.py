"""The outboxes: what leaves together, what waits, what it counts, and who is cut.

Most tests use pipes, where a test decides what a client takes; the rest is over real sockets.
"""

import asyncio

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.backlog import Nowhere
from gateway.connection import Connection
from gateway.outbox import FILL, FLUSH_AT, FRAME_STEPS, Encoded
from gateway_wire import close_codes
from tests.gateway.support import Lines, Pipe, Pipes, pipe_of, running

# What goes out


def test_a_message_is_encoded_once_per_encoding() -> None:
    """However many targets there are and however they are mixed, each encoding is asked once."""
    core, other = Pipes(), Lines("others", end=b"\r\n")
    encodings = [core.lines, other, core.lines, other, core.lines]
    connections = [core.connect(encoding=each) for each in encodings]

    assert core.outbox.offer(connections, "hello") == 5
    assert [core.lines.encoded, other.encoded] == [1, 1]

    core.outbox.flush()

    assert [pipe_of(each).received[5:] for each in connections] == [
        b"\n",
        b"\r\n",
        b"\n",
        b"\r\n",
        b"\n",
    ]


def test_what_is_encoded_already_is_written_as_it_is() -> None:
    """No encoding is asked, clients of every kind get the same bytes, and they wait like others."""
    core, other = Pipes(), Lines("others", end=b"\r\n")
    connections = [core.connect(encoding=each) for each in (core.lines, other)]
    raw = b"\x81\x02ok"
    for message in ("before", Encoded(raw), "after"):
        assert core.outbox.offer(connections, message) == 2
    core.outbox.flush()

    assert [pipe_of(each).writes for each in connections] == [
        [b"before\n" + raw + b"after\n"],
        [b"before\r\n" + raw + b"after\r\n"],
    ]
    assert [core.lines.encoded, other.encoded] == [2, 2]


def test_frames_that_wait_for_a_client_leave_in_one_write() -> None:
    """A flush costs a client one write, and what nobody was sent costs none."""
    core = Pipes()
    ann, bob = core.connect(), core.connect()
    for message in ("one", "two", "three"):
        core.outbox.offer([ann], message)

    assert pipe_of(ann).writes == []

    core.outbox.flush()

    assert pipe_of(ann).writes == [b"one\ntwo\nthree\n"]
    assert pipe_of(bob).writes == []
    assert core.outbox.counters.flushes == 1


def test_a_single_frame_is_written_as_it_is() -> None:
    """Two clients that get one frame get one object: a large broadcast is memory once."""
    core = Pipes()
    ann, bob = core.connect(), core.connect()
    core.outbox.offer([ann, bob], "hello")
    core.outbox.flush()

    assert pipe_of(ann).writes[0] is pipe_of(bob).writes[0]


def test_a_full_outbox_is_written_at_once() -> None:
    """What one turn brings does not pile up here: at `FLUSH_AT` bytes an outbox is written."""
    core = Pipes()
    ann = core.connect()
    for _ in range(FLUSH_AT // 1000 + 1):
        core.outbox.offer([ann], "x" * 999)

    (data,) = pipe_of(ann).writes
    assert FLUSH_AT < len(data) < FLUSH_AT + 1000


def test_a_large_frame_is_not_copied_behind_a_small_one() -> None:
    """Joining is for small frames: a large one stays the object that other clients have too."""
    core = Pipes()
    ann, bob = core.connect(), core.connect()
    core.outbox.offer([ann], "small")
    core.outbox.offer([ann, bob], "x" * FLUSH_AT)
    core.outbox.flush()

    small, large = pipe_of(ann).writes
    assert small == b"small\n"
    assert pipe_of(bob).writes == [large]
    assert pipe_of(bob).writes[0] is large


def test_a_flush_stops_after_so_many_clients() -> None:
    """The rest is written by the next ones, first filled first, with what has come meanwhile."""
    core = Pipes()
    crowd = [core.connect() for _ in range(5)]
    core.outbox.offer(crowd, "one")

    assert not core.outbox.flush(2)
    assert [len(pipe_of(each).writes) for each in crowd] == [1, 1, 0, 0, 0]

    core.outbox.offer(crowd, "two")
    assert not core.outbox.flush(3)
    assert core.outbox.flush(2)

    assert [pipe_of(each).writes for each in crowd[:2]] == [[b"one\n", b"two\n"]] * 2
    assert [pipe_of(each).writes for each in crowd[2:]] == [[b"one\ntwo\n"]] * 3


def test_a_flush_does_not_stop_while_too_much_waits() -> None:
    """Frames count once, whoever gets them; a broadcast to many is little, a different one each is not."""
    core = Pipes()
    crowd = [core.connect() for _ in range(FILL // FLUSH_AT * 2 + 2)]
    core.outbox.offer(crowd, "x" * (FLUSH_AT // 2))

    assert not core.outbox.flush(1)

    for each in crowd:
        core.outbox.offer([each], "x" * (FLUSH_AT // 2))

    assert core.outbox.flush(1)

    core.outbox.offer(crowd, "hello")

    assert not core.outbox.flush(1)


def test_the_flush_is_asked_for_when_something_waits() -> None:
    """One call per flush that is needed, and none for a message without a target."""
    core = Pipes()
    ann = core.connect()
    core.outbox.offer([], "nobody")

    assert core.wakes == 0

    core.outbox.offer([ann], "one")
    core.outbox.offer([ann], "two")

    assert core.wakes == 1

    core.outbox.flush()
    core.outbox.offer([ann], "three")

    assert core.wakes == 2


# Clients that do not take it


def test_a_blocked_client_gets_nothing_more_until_it_has_taken_all() -> None:
    """What comes meanwhile waits here, and leaves in order when the client has read."""
    core = Pipes()
    ann = core.connect(capacity=3)
    core.outbox.offer([ann], "one")
    core.outbox.flush()
    for message in ("two", "three"):
        assert core.outbox.offer([ann], message) == 1
    core.outbox.flush()

    assert pipe_of(ann).writes == [b"one\n"]
    assert core.outbox.waiting_bytes == len("one\ntwo\nthree\n")
    assert core.outbox.blocked_connections == 1

    pipe_of(ann).take(1000)

    assert pipe_of(ann).writes == [b"one\n", b"two\nthree\n"]
    assert core.outbox.waiting_bytes == 0
    assert core.outbox.blocked_connections == 0


def test_a_client_that_was_blocked_is_like_any_other_again() -> None:
    """Its frames leave together again."""
    core = Pipes()
    ann = core.connect(capacity=0)
    core.outbox.offer([ann], "one")
    core.outbox.flush()
    pipe_of(ann).take(1000)
    core.outbox.offer([ann], "two")
    core.outbox.offer([ann], "three")
    core.outbox.flush()

    assert pipe_of(ann).writes == [b"one\n", b"two\nthree\n"]


def test_an_encoding_that_fails_costs_its_own_clients_alone() -> None:
    """What others were to get is written all the same, now and later."""
    core = Pipes()
    ann, bob = core.connect(), core.connect(encoding=Speechless("speechless"))

    with pytest.raises(RuntimeError, match="no words"):
        core.outbox.offer([ann, bob], "one")
    assert core.wakes == 1

    core.outbox.flush()
    core.outbox.offer([ann], "two")
    core.outbox.flush()

    assert pipe_of(ann).writes == [b"one\n", b"two\n"]


def test_an_edge_that_fails_costs_its_own_client_alone() -> None:
    """Those behind it are written to with the next flush."""
    core = Pipes()
    ann, bob, eve = (core.connect() for _ in range(3))
    core.outbox.offer([ann, bob, eve], "one")
    bob.edge = Broken(core.lines)

    with pytest.raises(RuntimeError, match="broken"):
        core.outbox.flush()
    core.outbox.flush()

    assert pipe_of(ann).writes == pipe_of(eve).writes == [b"one\n"]


class Speechless(Lines):
    """An encoding that knows no message."""

    def encode(self, message: str | bytes) -> bytes:
        raise RuntimeError("no words")


class Broken(Pipe):
    """An edge that cannot be written to."""

    def write(self, data: bytes) -> None:
        raise RuntimeError("broken")


def test_an_encoding_may_make_nothing_of_a_message() -> None:
    """A frame without bytes waits and leaves like others."""
    core = Pipes()
    ann = core.connect(capacity=0, encoding=Lines(end=b""))
    for message in ("one", "", "two"):
        core.outbox.offer([ann], message)
        core.outbox.flush()
    pipe_of(ann).take(1000)

    assert pipe_of(ann).received == b"onetwo"
    assert core.outbox.waiting_bytes == 0


def test_a_large_backlog_leaves_in_pieces() -> None:
    """A client that reads slowly never makes the transport hold much of its own."""
    core = Pipes()
    ann = core.connect(capacity=0)
    sent = [f"{number:0999}" for number in range(500)]
    for message in sent:
        core.outbox.offer([ann], message)
    core.outbox.flush()
    while pipe_of(ann).is_stuck:
        pipe_of(ann).take(10_000)

    assert core.received(ann) == sent
    assert max(map(len, pipe_of(ann).writes)) < 2 * FLUSH_AT
    assert core.outbox.waiting_bytes == 0


def test_a_frame_that_waits_for_many_counts_once() -> None:
    """In outboxes and in transports alike, a shared frame is memory once."""
    core = Pipes()
    clients = [core.connect(capacity=0) for _ in range(10)]
    core.outbox.offer(clients, "x" * 99)
    core.outbox.flush()
    core.outbox.offer(clients, "y" * 49)

    assert core.outbox.waiting_bytes == 150
    assert [each.waiting for each in clients] == [150] * 10

    for each in clients[1:]:
        pipe_of(each).take(1000)

    assert core.outbox.waiting_bytes == 150

    pipe_of(clients[0]).take(1000)

    assert core.outbox.waiting_bytes == 0


def test_a_large_broadcast_cuts_nobody_who_reads() -> None:
    """That no transport could send it whole makes it neither waste nor a reason to cut."""
    core = Pipes(send_buffer=2_000_000, send_buffer_total=2_000_000)
    clients = [core.connect(capacity=1000) for _ in range(100)]

    assert core.outbox.offer(clients, "x" * 1_000_000) == 100

    core.outbox.flush()

    assert core.outbox.waiting_bytes == 1_000_001
    assert core.cut == []


def test_an_empty_outbox_takes_any_message() -> None:
    """`send_buffer` counts what waits after a write was tried, so one message is never too large."""
    core = Pipes(send_buffer=1000)
    ann = core.connect(capacity=10)

    assert core.outbox.offer([ann], "x" * 100_000) == 1
    assert core.cut == []


def test_a_client_over_its_limit_is_cut() -> None:
    """Not reading costs the client that does it, and only that one."""
    core = Pipes(send_buffer=1000)
    slow, quick = core.connect(capacity=0), core.connect()
    core.outbox.offer([slow, quick], "x" * 499)
    core.outbox.flush()

    assert core.outbox.offer([slow, quick], "x" * 499) == 2
    assert core.outbox.offer([slow, quick], "x") == 1
    assert core.cut == [slow]
    assert core.outbox.counters.slow == 1
    assert pipe_of(slow).aborted == close_codes.SLOW.reason()
    assert core.outbox.waiting_bytes == 0
    assert list(core.hub.connections.values()) == [quick]


def test_a_client_that_was_cut_takes_nothing_more() -> None:
    """Its edge may still speak; what it says changes nothing."""
    core = Pipes(send_buffer=10)
    slow = core.connect(capacity=0)
    pipe = pipe_of(slow)
    core.outbox.offer([slow], "one")
    core.outbox.flush()
    core.outbox.offer([slow], "x" * 10)

    assert core.cut == [slow]
    assert core.outbox.offer([slow], "more") == 0

    core.outbox.finish(slow, b"farewell")
    core.outbox.write_paused(slow)
    pipe.take(1000)
    core.outbox.flush()
    core.clients.lost(pipe, close_codes.SLOW.reason())

    assert pipe.writes == [b"one\n"]
    assert core.outbox.waiting_bytes == 0
    assert core.outbox.blocked_connections == 0


def test_over_the_total_the_fullest_are_cut_first() -> None:
    """Memory is taken back where most of it is."""
    core = Pipes(send_buffer=1000, send_buffer_total=1000)
    clients = [core.connect(capacity=0) for _ in range(3)]
    for connection, size in zip(clients, (100, 700, 100), strict=True):
        core.outbox.offer([connection], "x" * (size - 1))
    core.outbox.flush()

    assert core.outbox.offer([clients[0]], "x" * 200) == 1
    assert core.cut == [clients[1]]
    assert core.outbox.waiting_bytes == 401


def test_a_cut_waits_for_the_end_of_the_walk() -> None:
    """A broadcast over the hub's own index may cut any of those it walks over."""
    core = Pipes(send_buffer=100)
    for number in range(4):
        core.connect(capacity=0 if number % 2 else 1000, groups=["g"])
    core.outbox.offer(core.hub.of_groups(["g"]), "x" * 60)
    core.outbox.flush()

    assert core.outbox.offer(core.hub.of_groups(["g"]), "y" * 60) == 2
    assert len(core.cut) == 2
    assert len(core.hub.connections) == 2


def test_a_write_beside_the_outbox_can_block_it() -> None:
    """After a ping that did not leave, what waits is counted and kept like anything else."""
    core = Pipes()
    ann = core.connect(capacity=0)
    core.outbox.offer([ann], "one")
    pipe_of(ann).write_beside(2)
    core.outbox.flush()

    assert pipe_of(ann).writes == []
    assert core.outbox.waiting_bytes == len("one\n")

    pipe_of(ann).take(1000)

    assert pipe_of(ann).writes == [b"one\n"]
    assert core.outbox.waiting_bytes == 0


def test_a_cut_beside_the_outbox_comes_with_the_next_flush() -> None:
    """A ping that blocks a client may be what passes the total, with no walk to end."""
    core = Pipes(send_buffer=1000, send_buffer_total=1000)
    ann, bob = core.connect(capacity=0), core.connect(capacity=0)
    core.outbox.offer([bob], "x" * 899)
    core.outbox.flush()
    core.outbox.offer([ann], "x" * 199)
    wakes = core.wakes
    pipe_of(ann).write_beside(2)

    assert core.cut == []
    assert core.wakes > wakes

    core.outbox.flush()

    assert core.cut == [bob]


# Farewells


def test_a_farewell_goes_behind_what_waits() -> None:
    """A client that reads slowly still gets everything, and the farewell last."""
    core = Pipes()
    ann, bob = core.connect(), core.connect(capacity=0)
    for each in (ann, bob):
        core.outbox.offer([each], "one")
        core.outbox.flush()
        core.outbox.offer([each], "two")
        core.outbox.finish(each, b"farewell")
    core.outbox.flush()

    assert core.outbox.waiting_bytes == len("one\ntwo\nfarewell")

    pipe_of(bob).take(1000)

    assert pipe_of(ann).received == pipe_of(bob).received == b"one\ntwo\nfarewell"
    assert core.outbox.waiting_bytes == 0


def test_a_farewell_alone_is_written_with_the_next_flush() -> None:
    """It asks for the flush itself."""
    core = Pipes()
    ann = core.connect()
    core.outbox.finish(ann, b"farewell")
    core.outbox.flush()

    assert core.wakes == 1
    assert pipe_of(ann).writes == [b"farewell"]


def test_an_edge_is_told_when_its_client_has_been_given_everything() -> None:
    """Once, with the next flush: also an edge without a farewell, and one that nothing waits for."""
    core = Pipes()
    ann, bob = core.connect(), core.connect()
    core.outbox.offer([ann], "last")
    for each in (ann, bob):
        core.outbox.finish(each, b"")

    assert [pipe_of(each).finished for each in (ann, bob)] == [0, 0]

    core.outbox.flush(1)
    core.outbox.flush()

    assert [pipe_of(each).finished for each in (ann, bob)] == [1, 1]
    assert [pipe_of(each).writes for each in (ann, bob)] == [[b"last\n"], []]


def test_an_edge_whose_client_reads_slowly_is_told_when_it_has_read() -> None:
    """Not before the last byte was given to its transport, and never once it is cut."""
    core = Pipes()
    ann, bob = core.connect(capacity=0), core.connect(capacity=0)
    for each in (ann, bob):
        core.outbox.offer([each], "one")
        core.outbox.flush()
        core.outbox.offer([each], "two")
        core.outbox.finish(each, b"")
    core.outbox.flush()
    core.outbox.forget(bob)

    assert pipe_of(ann).finished == 0

    pipe_of(ann).take(1000)
    core.outbox.flush()

    assert pipe_of(ann).received == b"one\ntwo\n"
    assert [pipe_of(each).finished for each in (ann, bob)] == [1, 0]


def test_many_that_are_closed_without_reading_are_looked_at_once_each() -> None:
    """Who has not read is told when it has, however often others are written to meanwhile."""
    core = Pipes()
    crowd = [core.connect(capacity=0) for _ in range(50)]
    core.outbox.offer(crowd, "one")
    core.outbox.flush()
    for each in crowd:
        core.outbox.finish(each, b"farewell")
    core.outbox.flush()
    for each in crowd[::-1]:
        assert pipe_of(each).finished == 0
        pipe_of(each).take(1000)
        assert pipe_of(each).finished == 1


def test_a_farewell_counts_as_what_it_is() -> None:
    """Many clients that are closed without reading cannot pass the total either."""
    core = Pipes(send_buffer=1000, send_buffer_total=1000)
    ann = core.connect(capacity=0)
    core.outbox.offer([ann], "x" * 990)
    core.outbox.flush()
    core.outbox.finish(ann, b"farewell of more than nine bytes")
    core.outbox.flush()

    assert core.cut == [ann]


@pytest.mark.parametrize(
    ("frames", "step"), [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3), (256, 8), (257, 9), (3000, 9)]
)
def test_writes_are_counted_by_their_frames(frames: int, step: int) -> None:
    """Each step counts up to twice as many frames as the one before, the last all above."""
    core = Pipes()
    ann = core.connect()
    for _ in range(frames):
        core.outbox.offer([ann], "x")
    core.outbox.flush()

    assert core.outbox.counters.flushes_by_frames[step] == core.outbox.counters.flushes == 1
    assert core.outbox.counters.frames_written == frames


def test_counters_tell_what_was_done() -> None:
    """Deliveries count per connection, writes and bytes as transports were given them."""
    core = Pipes()
    ann, bob = core.connect(), core.connect(capacity=0)
    core.outbox.offer([ann, bob], "one")
    core.outbox.offer([ann, bob], "two")
    core.outbox.flush()
    counters = core.outbox.counters

    assert (counters.deliveries, counters.flushes, counters.bytes_written) == (4, 2, 16)
    assert counters.frames_written == 4
    assert counters.flushes_by_frames == [0, 2, *[0] * (FRAME_STEPS - 2)]
    assert (counters.blocked, counters.slow) == (1, 0)
    assert repr(core.outbox) == "<Outbox 0 dirty, 1 blocked, 8 B>"


# Everything together, against a model

SIZES = st.sampled_from([1, 100, 30_000, FLUSH_AT, 150_000])


class OutboxMachine(RuleBasedStateMachine):
    """Offers, reads and ends at random; a model knows what each client must have got and what waits."""

    SEND_BUFFER = 300_000
    TOTAL = 600_000

    def __init__(self) -> None:
        super().__init__()
        self.core = Pipes(send_buffer=self.SEND_BUFFER, send_buffer_total=self.TOTAL)
        self.expected: dict[Connection, bytes] = {}
        self.number = 0
        self.wakes_at_flush = 0

    @rule(capacity=st.sampled_from([0, 1000, 100_000, 10_000_000]))
    def connect(self, capacity: int) -> None:
        """A client connects."""
        self.expected[self.core.connect(capacity=capacity)] = b""

    @precondition(lambda self: self.expected)
    @rule(data=st.data(), size=SIZES)
    def offer(self, data: st.DataObject, size: int) -> None:
        """Some clients are sent a message."""
        targets = data.draw(st.sets(st.sampled_from(list(self.expected))))
        self.number += 1
        message = f"{self.number:0{size}}"
        reached = self.core.outbox.offer(targets, message)
        self.forget_who_was_cut()
        here = targets & self.expected.keys()

        assert len(here) <= reached <= len(targets)

        for connection in here:
            self.expected[connection] += message.encode() + b"\n"

    @rule()
    def flush(self) -> None:
        """A turn of the loop ends."""
        self.core.outbox.flush()
        self.wakes_at_flush = self.core.wakes
        self.forget_who_was_cut()

    @precondition(lambda self: self.expected)
    @rule(data=st.data(), capacity=st.sampled_from([1, 1000, 200_000]))
    def read(self, data: st.DataObject, capacity: int) -> None:
        """A client takes something."""
        pipe_of(data.draw(st.sampled_from(list(self.expected)))).take(capacity)
        self.forget_who_was_cut()

    @precondition(lambda self: self.expected)
    @rule(data=st.data())
    def ping(self, data: st.DataObject) -> None:
        """An edge writes something of its own, as it does only where nothing waits."""
        pipe = pipe_of(data.draw(st.sampled_from(list(self.expected))))
        if not pipe.is_stuck:
            pipe.write_beside(2)

    @precondition(lambda self: self.expected)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        """A client is said goodbye, and stays until it has it."""
        connection = data.draw(st.sampled_from(list(self.expected)))
        self.core.outbox.finish(connection, b"farewell\n")
        self.expected[connection] += b"farewell\n"

    @precondition(lambda self: self.expected)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        """A client is gone."""
        connection = data.draw(st.sampled_from(list(self.expected)))
        self.core.clients.lost(connection.edge, close_codes.CONNECTION_LOST.reason())
        del self.expected[connection]

    def forget_who_was_cut(self) -> None:
        for connection in self.core.cut:
            self.expected.pop(connection, None)
        self.core.cut.clear()

    def alive(self) -> list[Connection]:
        """Give those that are not about to be cut by the next flush."""
        return [each for each in self.expected if not isinstance(each.pending, Nowhere)]

    @invariant()
    def nothing_is_lost_or_reordered(self) -> None:
        """What a client was written, and what waits for it, is what it was sent."""
        for connection in self.alive():
            sent = pipe_of(connection).received + b"".join(connection.pending)
            assert sent == self.expected[connection]

    @invariant()
    def what_waits_is_counted(self) -> None:
        """Bytes wait for a blocked client alone; each object counts once, and the total is bounded."""
        waiting: dict[int, int] = {}
        for connection in self.alive():
            pipe = pipe_of(connection)
            frames = [pipe.held, *connection.pending] if pipe.is_stuck else []
            waiting |= {id(frame): len(frame) for frame in frames}

            assert connection.blocked == pipe.is_stuck
            assert connection.waiting == sum(map(len, frames))

        assert self.core.outbox.waiting_bytes == sum(waiting.values()) <= self.TOTAL

    @invariant()
    def what_can_be_written_will_be(self) -> None:
        """A flush was asked for since the last one if one is needed."""
        if any(each.pending and not each.blocked for each in self.expected):
            assert self.core.wakes > self.wakes_at_flush


OutboxMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40)
TestOutbox = OutboxMachine.TestCase


# Over real sockets


async def test_a_slow_client_gets_everything_once_it_reads() -> None:
    """Nothing is lost or reordered between outbox, transport and socket."""
    async with running() as core:
        connection, peer = await core.connect()
        sent = [f"{number:0100}" for number in range(10_000)]
        for message in sent:
            core.outbox.offer([connection], message)

        assert connection.blocked
        assert [await peer.line() for _ in sent] == sent
        assert core.outbox.waiting_bytes == 0
        assert not connection.blocked


async def test_a_client_that_never_reads_is_cut() -> None:
    """It is gone from the hub at once, and its socket is reset; one that reads goes on."""
    async with running(send_buffer=100_000) as core:
        slow, peer = await core.connect()
        quick, reader = await core.connect()
        while slow.client_id in core.hub.connections:
            core.outbox.offer([slow], "x" * 999)
        core.outbox.offer([quick], "still here")

        assert await reader.line() == "still here"
        assert core.outbox.waiting_bytes == 0

        await peer.rest()

        assert core.clients.counters.closed == {"slow": 1}


async def test_a_large_message_reaches_a_small_socket() -> None:
    """A message far larger than what a socket holds arrives whole, between its neighbours."""
    async with running() as core:
        connection, peer = await core.connect()
        for message in ("before", "x" * 1_000_000, "after"):
            core.outbox.offer([connection], message)

        async with asyncio.timeout(30):
            lengths = [len(await peer.line()) for _ in range(3)]
        assert lengths == [6, 1_000_000, 5]


@pytest.mark.parametrize("size", [0, 1, FLUSH_AT - 1, FLUSH_AT, 2 * FLUSH_AT])
async def test_messages_of_any_size_arrive(size: int) -> None:
    """The sizes at which the outbox does something else make no difference to the client."""
    async with running() as core:
        connection, peer = await core.connect()
        for _ in range(3):
            core.outbox.offer([connection], "x" * size)

        assert [len(await peer.line()) for _ in range(3)] == [size] * 3
