"""The bench measures what it says: its C programs, its table, and one short run of the whole."""

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest

from bench.crowd import Crowd, message
from bench.main import main
from bench.programs import BenchError, Program, compiled
from bench.table import Bound, Row, print_table, write_json
from gateway.edge.codec import WEBSOCKET, MessageReader

needs_compiler = pytest.mark.skipif(not shutil.which("cc"), reason="the bench compiles C programs")


@needs_compiler
def test_every_browser_receives_every_message_in_order() -> None:
    """The C server sends, the C crowd counts, and both agree."""
    with Program("floor", [compiled("floor")]) as floor:
        port = int(floor.line("ready")["port"])
        with Crowd(port, 20) as crowd:
            for messages, size in ((10, 128), (3, 40), (5, 20_000)):
                crowd.expect(messages)
                floor.tell(f"rounds {messages} 0 {size}")

                assert floor.line("done") == {"sends": str(20 * messages), "connections": "20"}
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


def test_a_program_that_ends_is_an_error() -> None:
    """The message names it, what was waited for, and its log."""
    with (
        Program("nothing", ["true"]) as program,
        pytest.raises(BenchError, match=r"nothing ended before 'ready'; see .*nothing\.log"),
    ):
        program.line("ready")


def test_messages_have_their_number_and_their_size() -> None:
    """128 bytes, as load.c reads them."""
    assert len(message(7)) == 128
    assert message(7).startswith("0000000007 ")


def test_a_bound_holds_or_not() -> None:
    """Of the value, or of its ratio to the floor; without a bound there is no verdict."""
    assert Row("c", "w", "u", 2.0).is_as_expected is None
    assert Row("c", "w", "u", 2.0, None, Bound(2)).is_as_expected
    assert not Row("c", "w", "u", 2.1, None, Bound(2)).is_as_expected
    assert not Row("c", "w", "u", 2.0, None, Bound(3, at_least=True)).is_as_expected
    assert Row("c", "w", "u", 30.0, 20.0, Bound(1.6, of_ratio=True)).is_as_expected


def test_the_table_has_a_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    """With the floor, the ratio, what is expected, and the command that measures it again."""
    print_table([Row("spaced", "cost", "µs", 12.34, 8.0, Bound(1.6, of_ratio=True))])
    line = capsys.readouterr().out.splitlines()[1]

    assert line.split() == [
        "cost",
        "12.3",
        "µs",
        "8.00",
        "1.54x",
        "≤",
        "1.60x",
        "yes",
        "python",
        "-m",
        "bench",
        "spaced",
    ]


def test_the_result_file_has_everything(tmp_path: Path) -> None:
    """Machine, rows, ratios and verdicts, for programs to read."""
    row = Row("spaced", "cost", "µs", 12.0, 8.0, Bound(1.6, of_ratio=True))
    write_json(tmp_path / "new" / "result.json", [row], 10)
    result = json.loads((tmp_path / "new" / "result.json").read_text())

    assert result["connections"] == 10
    assert result["machine"]["cpus"] >= 1
    assert result["rows"][0]["ratio"] == 1.5
    assert result["rows"][0]["as_expected"] is True


@needs_compiler
def test_the_whole_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Registers, gateways, workers and crowds come and go, and a table is left."""
    result = tmp_path / "result.json"

    assert main(["--connections", "10", "--json", str(result), "memory", "rounds"]) == 0
    assert "resident memory per idle connection" in capsys.readouterr().out
    rows = json.loads(result.read_text())["rows"]
    assert {row["case"] for row in rows} == {"memory", "rounds"}
    assert all(row["value"] > 0 for row in rows if row["case"] == "rounds")
