"""One short run of the whole: every case that can be made small, from the command line."""

import json
import re
from pathlib import Path

import pytest

from bench.main import main
from bench.programs import BenchError, Program
from tests.bench.compiler import needs_compiler


def test_a_program_that_ends_is_an_error() -> None:
    """The message names it, what was waited for, and its log."""
    with (
        Program("nothing", ["true"]) as program,
        pytest.raises(BenchError, match=r"nothing ended before 'ready'; see .*nothing\.log"),
    ):
        program.line("ready")


def test_the_last_words_of_a_program_are_told() -> None:
    """Why it ended is most often the last line that it wrote to stderr."""
    with (
        Program("loser", ["sh", "-c", "echo begins >&2; echo no luck >&2"]) as program,
        pytest.raises(BenchError, match=r"loser ended before 'ready': no luck; see .*loser\.log"),
    ):
        program.line("ready")


def test_the_cases_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with what it measures, and whether it belongs to the short set."""
    assert main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()

    assert any(re.fullmatch(r"spaced +CPU per delivery of .*\.", line) for line in lines)
    assert any(re.fullmatch(r"storm .*\. \(only with --full\)", line) for line in lines)


@needs_compiler
@pytest.mark.parametrize(
    "cases",
    [
        ["memory", "rounds"],
        ["consume"],
        ["storm", "groups", "calls", "php"],
        ["deflate", "churn", "hundred"],
    ],
)
def test_the_whole_runs(
    cases: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Registers, gateways, workers and crowds come and go, and a table is left."""
    result = tmp_path / "result.json"

    options = ["--connections", "20", "--seconds", "0.2", "--json", str(result)]
    assert main([*options, *cases]) == 0
    printed = capsys.readouterr().out
    assert all(f"python -m bench {case}\n" in printed for case in cases)
    rows = json.loads(result.read_text())["rows"]
    assert {row["case"] for row in rows} == set(cases)
    costs = [row["value"] for row in rows if row["unit"] not in {"KB", "MB", "%"}]
    assert all(cost > 0 for cost in costs)
