"""What came out is judged, printed and written as it is."""

import json
from pathlib import Path

import pytest

from bench.table import Bound, Row, Series, number, print_series, print_table, write_json


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


def test_series_over_the_same_sizes_share_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """The sizes stand in its head; a series that is too long for a terminal is left out."""
    print_series(
        [
            Series("growth", "handshake", "µs", "connections", ((1000, 60.5), (2000, 61.0))),
            Series("growth", "memory", "KB", "connections", ((1000, 2.2), (2000, 2.1))),
            Series("latency", "gateway", "ms", "percent", tuple((n, 1.0) for n in range(101))),
        ]
    )
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]

    assert lines == [
        [],
        ["python", "-m", "bench", "growth,", "over", "connections"],
        ["1,000", "2,000"],
        ["handshake", "60.5", "61.0", "µs"],
        ["memory", "2.20", "2.10", "KB"],
    ]


def test_the_result_file_has_everything(tmp_path: Path) -> None:
    """Machine, rows, ratios and verdicts, for programs to read."""
    row = Row("spaced", "cost", "µs", 12.0, 8.0, Bound(1.6, of_ratio=True))
    series = Series("growth", "memory", "KB", "connections", ((1000, 2.2), (2000, 2.1)))
    write_json(tmp_path / "new" / "result.json", [row], 10, [series])
    result = json.loads((tmp_path / "new" / "result.json").read_text())

    assert result["connections"] == 10
    assert result["machine"]["cpus"] >= 1
    assert result["rows"][0]["ratio"] == 1.5
    assert result["rows"][0]["as_expected"] is True
    assert result["series"][0]["points"] == [[1000, 2.2], [2000, 2.1]]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.00"), (9.996, "10.0"), (99.97, "100"), (-172.0, "-172"), (1234.5, "1,234")],
)
def test_a_number_has_the_digits_that_matter(value: float, text: str) -> None:
    """Three of them, with what rounding makes of a value and below zero as above."""
    assert number(value) == text
