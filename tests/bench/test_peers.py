"""Peers are measured beside the C loop: the driver, with those who need no installation, and the table."""

import io
import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench.crowd import Crowd, message
from bench.peers.catalogue import CONTESTANTS, Contestant, Kind
from bench.peers.installing import NCHAN, SERVERS, install
from bench.peers.main import main
from bench.peers.nchan import Nchan, read_answer
from bench.peers.report import Missing, Result, print_results, write_results
from bench.peers.trial import Figures, Pace
from bench.programs import HERE, BenchError, Program
from tests.bench.compiler import needs_compiler

SHORT = Pace(interval=0.02, spaced=2, stream_seconds=0.001, floor_rounds=2)


@needs_compiler
def test_ours_is_measured_beside_the_c_loop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A cluster and a C loop come up, deliver, and leave a line and an entry."""
    path = tmp_path / "peers.json"

    assert main(["ours", "--connections", "16", "--json", str(path)], SHORT) == 0
    assert "| gatewayworker " in capsys.readouterr().out
    [entry] = json.loads(path.read_text())["peers"]
    assert entry["connections"] == 16
    assert entry["figures"]["stream_rate"] > 0
    assert entry["figures"]["handshake_us"] > 0
    assert entry["floor"]["spaced_us"] > 0


def test_who_cannot_be_had_does_not_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without npm and node the result says so; with nobody measured the exit code does too."""
    monkeypatch.setenv("PATH", "")
    path = tmp_path / "peers.json"

    assert main(["ws", "--json", str(path)]) == 1
    [entry] = json.loads(path.read_text())["peers"]
    assert entry["name"] == "ws"
    assert entry["missing"]


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With those that there are."""
    with pytest.raises(SystemExit):
        main(["wss"])
    assert "'wss' is none of ours, uwebsockets" in capsys.readouterr().err


@needs_compiler
@pytest.mark.parametrize("server", ["aiohttp_server", "websockets_server"])
def test_a_server_obeys_its_orders(server: str) -> None:
    """One line is one message to everybody; an empty line is answered when all were handed over."""
    command = [sys.executable, "-P", "-m", f"bench.peers.servers.{server}"]
    with (
        Program(server, ["/usr/bin/env", f"PYTHONPATH={HERE.parent}", *command]) as program,
        Crowd(int(program.line("ready")["port"]), 5) as crowd,
    ):
        crowd.expect(3)
        program.tell("".join(f"{message(number)}\n" for number in range(3)))
        program.line("done")

        assert crowd.result().deliveries == 15


@needs_compiler
@pytest.mark.skipif(not NCHAN.exists(), reason="nginx has no Nchan here")
def test_nchan_takes_a_batch() -> None:
    """Posts that are pipelined reach every subscriber in their order."""
    [contestant] = [each for each in CONTESTANTS if each.kind is Kind.NGINX]
    with Nchan(contestant) as nchan, Crowd(nchan.port, 5) as crowd:
        crowd.expect(20)
        nchan.send([message(number) for number in range(20)])

        assert crowd.result().deliveries == 100


def test_an_answer_is_read_to_its_end() -> None:
    """The next one begins behind its body; one that is no success ends the run."""
    answers = io.BytesIO(
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 3\r\n\r\nabc"
        b"HTTP/1.1 201 Created\r\ncontent-length:0\r\n\r\n"
        b"HTTP/1.1 413 Request Entity Too Large\r\n\r\n"
    )
    read_answer(answers)
    read_answer(answers)

    with pytest.raises(BenchError, match="413 Request Entity"):
        read_answer(answers)


@pytest.mark.parametrize("contestant", CONTESTANTS, ids=lambda each: each.name)
def test_everybody_is_pinned_and_has_a_server(contestant: Contestant) -> None:
    """A package is one exact version, and its server lies in servers/."""
    assert (SERVERS / contestant.server).exists()
    if contestant.kind is Kind.PYTHON:
        pins = (SERVERS / "requirements.txt").read_text().split()
        assert sum(pin.startswith(f"{contestant.package}==") for pin in pins) == 1
    if contestant.kind is Kind.NODE:
        wanted = json.loads((SERVERS / "package.json").read_text())["dependencies"]
        locked = json.loads((SERVERS / "package-lock.json").read_text())["packages"]
        assert wanted[contestant.package] == locked[f"node_modules/{contestant.package}"]["version"]


def test_the_lock_names_no_place() -> None:
    """Packages come from whatever registry npm is set up for, and are what they were."""
    packages = json.loads((SERVERS / "package-lock.json").read_text())["packages"]
    installed = [package for path, package in packages.items() if path]

    assert all("resolved" not in package for package in installed)
    assert all(package["integrity"] for package in installed)


def test_ours_has_the_version_of_this_tree() -> None:
    """It needs no installation."""
    assert install(CONTESTANTS[0])[0].isdigit()


FIGURES = Figures(12.0, 30.0, 4.0, 200_000.0, 80.0, 60.0, 2.5)
FLOOR = Figures(8.0, 20.0, 8.0, 100_000.0, 40.0, 15.0, 0.0)


def test_the_table_has_ratios_and_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    """A line for the C loop, for who was measured, and for who was not."""
    print_results(
        [Result(CONTESTANTS[0], "1.0", 4000, FIGURES, FLOOR), Missing(CONTESTANTS[1], "no npm")]
    )
    lines = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in capsys.readouterr().out.splitlines()
    ]

    assert lines[2] == ["C loop of `send()`", "", "8.00", "20.0", "8.00", "100,000", "15.0", ""]
    assert lines[3] == [
        "gatewayworker 1.0",
        "4,000",
        "12.0 (1.50x)",
        "30.0 (1.50x)",
        "4.00 (0.50x)",
        "200,000 (2.00x)",
        "60.0 (4.00x)",
        "2.50",
    ]
    assert lines[4][0] == "uWebSockets.js: no npm"


def test_the_result_file_has_both_sides(tmp_path: Path) -> None:
    """The machine, the figures, those of the C loop in the same run, and reasons."""
    path = tmp_path / "new" / "peers.json"
    write_results(
        path,
        [Result(CONTESTANTS[0], "1.0", 4000, FIGURES, FLOOR), Missing(CONTESTANTS[1], "no npm")],
    )
    result = json.loads(path.read_text())

    assert result["machine"]["cpus"] >= 1
    assert result["peers"][0]["figures"]["spaced_us"] == 12
    assert result["peers"][0]["floor"]["spaced_us"] == 8
    assert result["peers"][1]["missing"] == "no npm"


@needs_compiler
def test_a_crowd_speaks_socket_io() -> None:
    """It joins, answers pings, and takes an event's text as a message."""
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor() as pool:
        listening.settimeout(10)
        greeted = pool.submit(_greet, listening)
        with (
            Crowd(listening.getsockname()[1], 1, options=["socket.io"]) as crowd,
            greeted.result(10) as connection,
        ):
            crowd.expect(2)
            connection.sendall(_frame("2"))
            assert _packet(connection) == "3"
            for number in range(2):
                connection.sendall(_frame(f'42["message","{message(number)[:31]}"]'))

            assert crowd.result().content_bytes == 2 * 31


def _greet(listening: socket.socket) -> socket.socket:
    """Take in one browser as Engine.IO and Socket.IO do."""
    connection, _ = listening.accept()
    assert connection.recv(4096).startswith(b"GET /socket.io/?EIO=4&transport=websocket ")
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + _frame('0{"sid":"a"}'))
    assert _packet(connection) == "40"
    connection.sendall(_frame('40{"sid":"b"}'))
    return connection


def _frame(text: str) -> bytes:
    return bytes([0x81, len(text)]) + text.encode()


def _packet(connection: socket.socket) -> str:
    """Read a short text as a browser sends it: masked."""
    head, size, *rest = connection.recv(4096)
    assert (head, size) == (0x81, 0x80 | len(rest[4:]))
    return bytes(byte ^ rest[index % 4] for index, byte in enumerate(rest[4:])).decode()
