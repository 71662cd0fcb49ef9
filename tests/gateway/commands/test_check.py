"""Checks of `gateway check`, against real daemons."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway_process.errors import ExitCode
from tests.support.certificates import certificate
from tests.support.cluster import ANY, GATEWAY_PORTS, gateway, register
from tests.support.daemons import Daemon, run

MESSAGE = "def on_message(client_id, message): ...\n"
REFUSED = "connection refused; start it with `register start`, or check --register"


def check(*arguments: str, **environment: str) -> tuple[int, list[str]]:
    """Run the command; give exit code and lines."""
    code, output, errors = run("gateway", "check", *arguments, environment=environment)
    assert errors == ""
    return code, output.splitlines()


def test_a_machine_where_nothing_runs_yet() -> None:
    """Free ports are well, a register that does not answer is a problem."""
    code, lines = check(*GATEWAY_PORTS, "--register", "127.0.0.1:1", "--processes", "2")
    assert code == ExitCode.FAILED
    assert lines[0] == "ok       settings: read"
    assert lines[1].split(":")[0] in {"ok       open files", "warning  open files"}
    assert lines[2:] == [
        f"problem  register 127.0.0.1:1: {REFUSED}",
        f"ok       listen ws://{ANY}: free",
        *[f"ok       start-port {ANY}: free", f"ok       http {ANY}: free"] * 2,
    ]


def test_a_cluster_that_runs(tmp_path: Path) -> None:
    """Every part answers: the register, its gateways, and the ports of this gateway."""
    made = certificate(tmp_path)
    with ExitStack() as stack:
        directory = stack.enter_context(register())
        ports = ("--listen", f"wss://{ANY}", *made.flags, "--http", ANY, "--start-port", "0")
        running = stack.enter_context(gateway(directory, ports=ports))
        ready = running.ready
        port = ready.internal.rpartition(":")[2]
        code, lines = check(
            *("--register", directory.ready.listen, "--listen", ready.ws, *made.flags),
            *("--http", ready.http, "--start-port", port),
        )
        assert [line for line in lines if "open files" not in line][1:] == [
            lines[2],
            f"ok       register {directory.ready.listen}: answers, and knows 1",
            lines[4],
            f"ok       listen {ready.ws}: answers websockets",
            f"ok       start-port {ready.internal}: answers",
            f"ok       http {ready.http}: answers, ready",
        ]
        assert lines[2].startswith(f"ok       certificate {made.certfile}: good until ")
        assert lines[4].startswith("ok       gateway ")
        assert lines[4].endswith(f" at {ready.internal}: answers")
        assert code == ExitCode.OK


def test_a_gateway_that_cannot_be_reached_is_named() -> None:
    """One that is listed and frozen is a problem; the other is not."""
    with ExitStack() as stack:
        directory = stack.enter_context(register())
        frozen, well = (stack.enter_context(gateway(directory)) for _ in range(2))
        frozen.freeze()
        code, lines = check(*GATEWAY_PORTS, "--register", directory.ready.listen)
        about = {line.split(" at ")[1].split(": ")[0]: line for line in lines if " at " in line}
        assert "no answer in 3 s" in about[frozen.ready.internal]
        assert about[well.ready.internal].startswith("ok ")
        assert code == ExitCode.FAILED


def test_ports_that_others_hold_are_problems() -> None:
    """Each names who holds it, and the flag that chooses another."""
    with register() as directory:
        taken = directory.ready.http
        code, lines = check(
            *("--register", directory.ready.listen, "--listen", f"ws://{taken}"),
            *("--http", taken, "--start-port", taken.rpartition(":")[2]),
        )
        held = f"{taken} is in use by"
        problems = [line for line in lines if line.startswith("problem")]
        assert [line.split(held)[0] for line in problems] == [
            f"problem  listen ws://{taken}: --listen: ",
            f"problem  start-port {taken}: --start-port: ",
            f"problem  http {taken}: --http: ",
        ]
        assert all(f"(pid {directory.pid})" in line for line in problems)
        assert code == ExitCode.FAILED


def test_keys_that_differ_are_a_problem() -> None:
    """The register's side and ours are named."""
    with register("--secret-key", "one") as directory:
        code, lines = check(
            *GATEWAY_PORTS, "--register", directory.ready.listen, "--secret-key", "two"
        )
    assert code == ExitCode.FAILED
    (line,) = (line for line in lines if line.startswith("problem"))
    assert line.startswith(f"problem  register {directory.ready.listen}: ")
    assert line.endswith("; give all processes the same --secret-key-file")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--ping-timeout", "30"], "--ping-timeout: 30.0 is longer than ping_interval"),
        (["--listen", "wss://127.0.0.1:0"], "--certfile: is missing for a wss:// listener"),
        (["--advertise", "0.0.0.0"], "--advertise: '0.0.0.0:0' is open to other machines"),
        (["--http", "0.0.0.0:0"], "--http: '0.0.0.0:0' is open to other machines"),
    ],
)
def test_wrong_settings_are_problems(arguments: list[str], told: str) -> None:
    """What a start would refuse is told like everything else, with exit code 1."""
    code, lines = check(*GATEWAY_PORTS, "--register", "127.0.0.1:1", *arguments)
    assert code == ExitCode.FAILED
    assert [line for line in lines if line.startswith(f"problem  settings: {told}")]


def test_an_unknown_variable_is_a_warning() -> None:
    """A misspelt variable is told, with the one that was probably meant."""
    code, lines = check(
        *GATEWAY_PORTS, "--register", "127.0.0.1:1", GATEWAYWORKER_GATEWAY__HTP="127.0.0.1:1"
    )
    assert code == ExitCode.FAILED
    assert lines[1].startswith("warning  settings: unknown variable GATEWAYWORKER_GATEWAY__HTP; ")


# With workers


def with_workers(folder: Path, text: str, *, section: str = 'events = "events"') -> str:
    """Write a module, and a file with a section of workers that says where it is; give the file."""
    (folder / "events.py").write_text(text)
    file = folder / "c.toml"
    file.write_text(f'[businessworker]\napp_dir = "{folder}"\n{section}\n')
    return str(file)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (MESSAGE, "ok       events events: on_message"),
        ("import os; os._exit(1)", "problem  events events: the process ended with exit code 1"),
        ("import nothing_like_it", "problem  events events: events was found, but imports"),
        ("def onMessage(): ...", "problem  events events: onMessage of events would never be"),
    ],
)
def test_the_events_of_a_file_are_imported(tmp_path: Path, text: str, line: str) -> None:
    """In a process of its own: whatever the code does, the rest is told."""
    file = with_workers(tmp_path, text)
    _, lines = check(*GATEWAY_PORTS, "--register", "127.0.0.1:1", "-c", file)
    assert lines[-1].startswith(line)
    assert f"ok       listen ws://{ANY}: free" in lines


def test_a_wrong_section_of_workers_is_a_problem(tmp_path: Path) -> None:
    """It is told as `businessworker start` would."""
    file = with_workers(tmp_path, MESSAGE, section='events = "events.py"')
    _, lines = check(*GATEWAY_PORTS, "--register", "127.0.0.1:1", "-c", file)
    assert lines[-1].startswith(
        f"problem  settings: {file}: [businessworker] events: 'events.py' does not name a module"
    )


def test_a_gateway_without_workers_is_told_where_they_are_meant(tmp_path: Path) -> None:
    """A warning where a file has workers, a problem where browsers need them, else nothing."""
    file = with_workers(tmp_path, MESSAGE)
    with register() as directory, gateway(directory) as running:
        http, at = running.ready.http, ("--register", directory.ready.listen)
        flags = (*GATEWAY_PORTS, *at, "--http", http)
        assert f"ok       http {http}: answers, ready" in check(*flags)[1]
        told = f"http {http}: answers, but no worker is linked to it; start one with"
        assert any(line.startswith(f"warning  {told}") for line in check(*flags, "-c", file)[1])
        required = check(*flags, "--require-worker")[1]
        assert any(line.startswith(f"problem  {told}") for line in required)
        with Daemon("businessworker", "start", "-c", file, *at):
            line = f"ok       http {http}: answers, ready, workers linked: 1"
            assert line in check(*flags, "-c", file, "--require-worker")[1]


def test_the_entry_module_is_imported(tmp_path: Path) -> None:
    """Its functions are named; what keeps a gateway from starting is a problem with its remedy."""
    (tmp_path / "chat_entry.py").write_text("def on_message(conn, message): ...\n")
    (tmp_path / "broken_entry.py").write_text("def on_message(message): ...\n")
    arguments = (*GATEWAY_PORTS, "--register", "127.0.0.1:1", f"--app-dir={tmp_path}")
    assert "ok       entry chat_entry: on_message" in check(*arguments, "--entry=chat_entry")[1]
    code, lines = check(*arguments, "--entry=broken_entry")
    assert code == ExitCode.FAILED
    (line,) = (line for line in lines if line.startswith("problem  entry broken_entry: "))
    assert line.endswith("write it as on_message(conn, message)")


def test_routes_that_contradict_each_other_are_a_problem() -> None:
    """As at a start: the settings are not looked at any further."""
    code, lines = check(*GATEWAY_PORTS, "--route=worker", "--route=/chat=queue:chat")
    told = (
        "--route: '/chat=queue:chat' is never reached: worker stands before it and matches the same"
    )
    assert (code, len(lines)) == (ExitCode.FAILED, 1)
    assert lines[0].startswith(f"problem  settings: {told}")
