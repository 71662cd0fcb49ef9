"""Rates and tables, from samples that stand here."""

from dataclasses import asdict, replace
from typing import Any

from gateway_process.inspection import ConnectionPage, ProcessStatus, State, Work
from gateway_process.instance import Instance
from gateway_process.status_view import (
    Sample,
    connection_lines,
    status_lines,
    status_object,
)

INSTANCE = Instance(
    name="web", program="gateway", package="gateway", pid=1, since=0, folder="/", stop_timeout=25
)
ONE = ProcessStatus(
    role="gateway",
    number=0,
    pid=10,
    state=State.READY,
    uptime=7500.0,
    memory=3 << 20,
    listening={"ws": ["ws://127.0.0.1:7272"], "http": "127.0.0.1:6789"},
    work=Work(connections=5, messages_in=100, messages_out=1000, send_failures=2, event_lag=0.25),
)
WORK = ONE.work or Work()
LATER = replace(ONE, work=replace(WORK, messages_in=120, messages_out=1500))
CRASHED = ProcessStatus(
    role="gateway",
    number=1,
    pid=0,
    state=State.CRASHED,
    uptime=0.0,
    restarts=3,
    last_failure="was killed by signal 9",
)


def test_rates_are_what_came_between_two_samples() -> None:
    """Messages a second are differences of the counters, by the time that really went by."""
    said = status_object(INSTANCE, Sample(10.0, [ONE]), Sample(12.0, [LATER]))
    (process,) = said["processes"]
    assert process["messages_in_per_second"] == 10.0
    assert process["messages_out_per_second"] == 250.0
    assert process["messages_out"] == 1500


def test_of_a_process_that_has_only_come_all_is_new() -> None:
    """A process that was not there before has counted from nothing, so no rate is below zero."""
    said = status_object(INSTANCE, Sample(1.0, [ONE]), Sample(2.0, [replace(ONE, pid=11)]))
    assert said["processes"][0]["messages_in_per_second"] == 100.0


def test_an_object_of_one_that_does_not_answer_has_the_same_keys() -> None:
    """A program need not ask which keys are there: `answers` says whether they mean anything."""
    said = status_object(INSTANCE, Sample(0.0, []), Sample(1.0, [ONE, CRASHED]))
    first, second = said["processes"]
    assert first.keys() == second.keys()
    assert (first["answers"], second["answers"], second["pid"]) == (True, False, 0)


def test_the_table_of_one_process() -> None:
    """One line for a process; no summary of one."""
    lines = status_lines(INSTANCE, Sample(0.0, [ONE]), Sample(1.0, [LATER]))
    assert lines[0].startswith("gateway web (pid 1, since ")
    assert [line.split() for line in lines[2:]] == [
        [
            "role",
            "#",
            "pid",
            "state",
            "uptime",
            "memory",
            "listening",
            "connections",
            "in/s",
            "out/s",
            "failures",
            "event",
            "lag",
            "restarts",
        ],
        [
            "gateway",
            "0",
            "10",
            "ready",
            "2h05m",
            "3.0M",
            "ws://127.0.0.1:7272",
            "127.0.0.1:6789",
            "5",
            "20",
            "500",
            "2",
            "0.2s",
            "0",
        ],
    ]


def test_several_have_a_summary_and_their_failures() -> None:
    """What adds up is added up; why a process ended before is told below."""
    lines = status_lines(INSTANCE, Sample(0.0, [ONE]), Sample(1.0, [LATER, CRASHED]))
    crashed, summary, failure = lines[-3:]
    assert crashed.split() == ["gateway", "1", "-", "crashed", "0s", *"-------", "3"]
    assert summary.split() == ["Summary", "2", "3.0M", "5", "20", "500", "2", "0.2s", "3"]
    assert failure == "gateway #1 failed before: was killed by signal 9"


def test_columns_stand_under_their_heads() -> None:
    """Words to the left, numbers to the right."""
    lines = status_lines(INSTANCE, Sample(0.0, [ONE]), Sample(1.0, [LATER, CRASHED]))
    head, first, second = lines[2:5]
    assert first.index("ready") == second.index("crashed") == head.index("state")
    end = head.index("pid") + len("pid")
    assert (first[:end].endswith(" 10"), second[:end].endswith("  -")) == (True, True)


def test_what_a_newer_instance_says_besides_is_left_out() -> None:
    """A command reads the answer of an instance that knows more than it does."""
    said = asdict(ONE) | {"mood": "fine", "work": asdict(WORK) | {"jokes": 3}}
    assert Sample.read(1.0, [said]) == Sample(1.0, [ONE])
    assert Sample.read(1.0, [said | {"work": None}]).processes == [replace(ONE, work=None)]


def test_connections_are_a_table_of_their_own_columns() -> None:
    """Columns are those of the rows; what a row lacks is a dash, and lists are joined."""
    rows: list[dict[str, Any]] = [
        {"client_id": "ab", "uid": None, "groups": ["x", "y"]},
        {"client_id": "cd", "node": 1},
    ]
    lines = connection_lines(ConnectionPage(rows=rows), "gateway connections")
    assert [line.split() for line in lines] == [
        ["client_id", "uid", "groups", "node"],
        ["ab", "-", "x,y", "-"],
        ["cd", "-", "-", "1"],
    ]


def test_each_role_has_a_table_of_its_own() -> None:
    """Several roles' connections have little in common; columns of numbers stand to the right."""
    rows: list[dict[str, Any]] = [
        {"role": "register", "number": 0, "peer": "gateway"},
        {"role": "businessworker", "number": 0, "events": 12, "trouble": ""},
        {"role": "businessworker", "number": 1, "events": 5, "trouble": "lost"},
    ]
    assert connection_lines(ConnectionPage(rows=rows), "gatewayworker connections") == [
        "role      number  peer",
        "register       0  gateway",
        "",
        "role            number  events  trouble",
        "businessworker       0      12  -",
        "businessworker       1       5  lost",
    ]


def test_a_page_says_how_to_get_the_next() -> None:
    """As a command for a shell, and who did not answer; nobody connected is said in words."""
    page = ConnectionPage(rows=[], next="7 at ::1", silent=["gateway #1"])
    assert connection_lines(page, "gateway connections --uid=5") == [
        "no connections",
        "no answer from gateway #1",
        "more: gateway connections --uid=5 --after '7 at ::1'",
    ]


def test_what_a_browser_said_cannot_steer_the_terminal() -> None:
    """A path or an address with control characters in it is shown without them."""
    page = ConnectionPage(rows=[{"path": "/\x1b[2J\n"}])
    assert connection_lines(page, "")[1] == "/?[2J?"
