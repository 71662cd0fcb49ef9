"""The crowd sees everything that is wrong with what it gets, and the C server sends what it should."""

import socket
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

import pytest

from bench.crowd import Crowd, message
from bench.programs import BenchError, Program, compiled
from gateway.edge.codec import WEBSOCKET, MessageReader
from tests.bench.compiler import needs_compiler


@needs_compiler
def test_every_browser_receives_every_message_in_order() -> None:
    """The C server sends, the C crowd counts, and both agree."""
    with Program("floor", [compiled("floor")]) as floor:
        port = int(floor.line("ready")["port"])
        with Crowd(port, 20) as crowd:
            for messages, size in ((10, 128), (3, 40), (5, 20_000)):
                crowd.expect(messages)
                floor.tell(f"rounds {messages} 0 {size}")

                done = floor.line("done")
                assert (done["sends"], done["connections"]) == (str(20 * messages), "20")
                assert crowd.result().deliveries == 20 * messages

        assert floor.cpu_ns() > 0
        assert floor.resident_bytes() > 100_000


@needs_compiler
def test_disorder_does_not_pass() -> None:
    """Messages that come twice, or not at all, end the run."""
    with Program("floor", [compiled("floor")]) as floor:
        port = int(floor.line("ready")["port"])
        with Crowd(port, 2) as crowd:
            crowd.expect(4)
            for _ in range(2):
                floor.tell("rounds 2 0 128")
                floor.line("done")
            with pytest.raises(BenchError, match="not what was sent"):
                crowd.result()


@needs_compiler
@pytest.mark.parametrize("under_way", [1, 7])
def test_every_text_is_answered_by_its_echo(under_way: int) -> None:
    """A crowd talks to the C server for a moment, several times, and says what it saw."""
    with Program("floor", [compiled("floor")]) as floor:
        port = int(floor.line("ready")["port"])
        with Crowd(port, 20) as crowd:
            for _ in range(2):
                result = crowd.rounds(0.05, under_way=under_way)

                assert result.rounds >= 20 * under_way
                assert result.p99_us >= result.p50_us > 0
                assert result.crowd_cpu_us > 0
                assert result.rate == result.rounds / result.seconds


def _swapped(texts: list[bytes]) -> list[bytes]:
    return texts[::-1]


def _shortened(texts: list[bytes]) -> list[bytes]:
    return [text[:-1] for text in texts]


def _of_another(texts: list[bytes]) -> list[bytes]:
    return [text.replace(b" 00000x", b" 00001x") for text in texts]


def _twice(texts: list[bytes]) -> list[bytes]:
    return [*texts, *texts]


@needs_compiler
@pytest.mark.parametrize(
    ("answers", "counter"),
    [
        (_swapped, "disorder"),
        (_twice, "disorder"),
        (_shortened, "mismatch"),
        (_of_another, "mismatch"),
    ],
)
def test_what_is_no_echo_does_not_pass(
    answers: Callable[[list[bytes]], list[bytes]], counter: str
) -> None:
    """Answers in another order, once too often, or of other texts end the run, by their names."""
    with (
        spoiled_echo(answers) as port,
        Crowd(port, 1) as crowd,
        pytest.raises(BenchError, match=rf"'{counter}': '[1-9]"),
    ):
        crowd.rounds(0.05, under_way=2)


@needs_compiler
def test_a_crowd_that_is_closed_does_not_pass() -> None:
    """A browser whose connection ends instead of an answer ends the run."""
    with (
        spoiled_echo(lambda _: []) as port,
        Crowd(port, 1) as crowd,
        pytest.raises(BenchError, match="'closed': '1'"),
    ):
        crowd.rounds(0.05)


@contextmanager
def spoiled_echo(answers: Callable[[list[bytes]], list[bytes]]) -> Iterator[int]:
    """Answer one browser with what `answers` makes of its texts; end where that is nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        thread = Thread(target=_spoil, args=(listening, answers))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            thread.join()


def _spoil(listening: socket.socket, answers: Callable[[list[bytes]], list[bytes]]) -> None:
    reader = MessageReader(1 << 16)
    connection, _ = listening.accept()
    with connection, suppress(ConnectionError):  # a crowd that has seen enough is gone
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        while data := connection.recv(4096):
            texts = [str(event).encode() for event in reader.feed(data)]
            spoiled = [WEBSOCKET.encode(text.decode()) for text in answers(texts)]
            if not spoiled:
                return
            connection.sendall(b"".join(spoiled))


@needs_compiler
def test_a_crowd_that_cannot_connect_is_an_error() -> None:
    """Nothing is measured with fewer browsers than were asked for."""
    with Program("floor", [compiled("floor")]) as floor:
        port = int(floor.line("ready")["port"])
    with pytest.raises(BenchError, match="3 of 3 browsers could not connect"):
        Crowd(port, 3)


def test_messages_have_their_number_and_their_size() -> None:
    """128 bytes, as load.c reads them."""
    assert len(message(7)) == 128
    assert message(7).startswith("0000000007 ")


@needs_compiler
def test_a_send_takes_as_many_messages_as_asked_in_the_mean() -> None:
    """Where that is no whole number, some take one more, and every message arrives once."""
    with Program("floor", [compiled("floor")]) as floor:
        port = int(floor.line("ready")["port"])
        with Crowd(port, 4) as crowd:
            crowd.expect(25)
            floor.tell("rounds 25 0 128 2.5")

            assert floor.line("done")["sends"] == str(4 * 10)
            assert crowd.result().deliveries == 4 * 25


@needs_compiler
@pytest.mark.parametrize("counts", [[1, 0, 1], [0, 1, 1]])
def test_messages_for_some_are_counted_and_added_up(counts: list[int]) -> None:
    """Numbers may be left out where a browser is not meant; another number instead is seen."""
    sent = [message(number) for number in (0, 2)]
    with talking(*map(WEBSOCKET.encode, sent)) as (port, go), Crowd(port, 1) as crowd:
        crowd.expect_some(counts)
        go()
        if counts == [1, 0, 1]:
            assert crowd.result().deliveries == 2
            assert len(crowd.quantiles_us()) == 101
        else:
            with pytest.raises(BenchError, match="'sum': '2'"):
                crowd.result()


@needs_compiler
def test_a_number_that_does_not_rise_is_disorder() -> None:
    """Also where numbers may be left out."""
    sent = [message(number) for number in (2, 2)]
    with talking(*map(WEBSOCKET.encode, sent)) as (port, go), Crowd(port, 1) as crowd:
        crowd.expect_some([0, 0, 2])
        go()
        with pytest.raises(BenchError, match="'disorder': '1'"):
            crowd.result()


@needs_compiler
@pytest.mark.parametrize("is_whole", [True, False])
def test_what_comes_compressed_is_inflated(*, is_whole: bool) -> None:
    """Each message on its own; one that cannot be inflated ends the run."""
    frames = [compressed(f'["{message(number)}"]', is_whole=is_whole) for number in (0, 1)]
    with (
        talking(*frames, head="Sec-WebSocket-Extensions: permessage-deflate\r\n") as (port, go),
        Crowd(port, 1, options=["deflate"]) as crowd,
    ):
        assert crowd.opened.compressed == 1
        crowd.expect(2)
        go()
        if is_whole:
            assert crowd.result().content_bytes == 2 * len(f'["{message(0)}"]')
        else:
            with pytest.raises(BenchError, match="'mismatch': '2'"):
                crowd.result()


@needs_compiler
def test_a_crowd_may_wait_for_its_init_messages_and_come_from_anywhere() -> None:
    """A browser is open when it has been told who it is; that message is no delivery."""
    with (
        talking(WEBSOCKET.encode(message(0)), init="{}") as (port, go),
        Crowd(port, 1, at_once=True, options=["init", "from=127.0.0.9"]) as crowd,
    ):
        crowd.expect(1)
        go()

        assert crowd.result().deliveries == 1
        assert crowd.opened.max_us >= crowd.opened.p50_us > 0


@needs_compiler
def test_what_nobody_answers_is_sent_whole() -> None:
    """Texts go out at a rate, and what a full socket does not take follows, in order."""
    got: list[bytes] = []
    with listening_to(got) as port, Crowd(port, 1) as crowd:
        assert crowd.send(10, rate=100).seconds >= 0.09
        sent = crowd.send(20_000, rate=1_000_000)

        assert sent.messages == 20_000
        assert sent.crowd_cpu_us > 0
    numbers = [int(text[:10]) for text in got]
    assert numbers == [*range(10), *range(20_000)]


@contextmanager
def listening_to(got: list[bytes]) -> Iterator[int]:
    """Give a port whose one browser is read from, through a small window, until it leaves."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        thread = Thread(target=_listen, args=(listening, got))
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            thread.join()


def _listen(listening: socket.socket, got: list[bytes]) -> None:
    reader = MessageReader(1 << 16)
    connection, _ = listening.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        while data := connection.recv(4096):
            got += [str(event).encode() for event in reader.feed(data)]


def compressed(text: str, *, is_whole: bool) -> bytes:
    """Give a compressed frame; one that is not whole lacks its last bytes."""
    deflate = zlib.compressobj(wbits=-15)
    data = deflate.compress(text.encode()) + deflate.flush(zlib.Z_SYNC_FLUSH)
    payload = data[: -4 if is_whole else -20]
    return bytes([0xC1, len(payload)]) + payload


@contextmanager
def talking(
    *frames: bytes, head: str = "", init: str | None = None
) -> Iterator[tuple[int, Callable[[], None]]]:
    """Give a port that one browser may connect to, and what has the frames sent to it."""
    go = Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        greeting = f"HTTP/1.1 101 Switching Protocols\r\n{head}\r\n".encode()
        if init is not None:
            greeting += WEBSOCKET.encode(init)
        thread = Thread(target=_talk, args=(listening, greeting, frames, go))
        thread.start()
        try:
            yield listening.getsockname()[1], go.set
        finally:
            go.set()
            thread.join()


def _talk(listening: socket.socket, greeting: bytes, frames: tuple[bytes, ...], go: Event) -> None:
    connection, _ = listening.accept()
    with connection, suppress(ConnectionError):
        connection.recv(4096)
        connection.sendall(greeting)
        go.wait()
        connection.sendall(b"".join(frames))
        connection.recv(4096)
