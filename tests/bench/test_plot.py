"""Pictures are drawn from a result file, the same from the same."""

from pathlib import Path

import pytest

from bench.table import Row, Series, write_json

pytest.importorskip("matplotlib", reason="only the full bench installs it")

from bench.plot import main


def test_pictures_are_small_and_the_same_from_the_same(tmp_path: Path) -> None:
    """Cost against connections and the latencies, as SVG that tells no time of day."""
    result = tmp_path / "result.json"
    over = "connections, all in one group"
    series = [
        Series("growth", "delivery, one message", "µs", over, ((1000, 9.0), (2000, 9.5))),
        Series("latency", "gateway", "ms", "percent", tuple((n, n / 10) for n in range(101))),
    ]
    write_json(result, [Row("spaced", "spaced: CPU per delivery", "µs", 9.0, 8.0)], None, series)
    for folder in "first", "second":
        assert main([str(result), str(tmp_path / folder)]) == 0

    for name in "cost.svg", "latency.svg":
        first, second = (tmp_path / folder / name for folder in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()
        assert len(first.read_bytes()) < 60_000


def test_a_result_without_data_draws_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And says so."""
    result = tmp_path / "result.json"
    write_json(result, [], None)

    assert main([str(result), str(tmp_path / "plots")]) == 0
    assert "the result has nothing for it" in capsys.readouterr().out
    assert not (tmp_path / "plots").exists()


@pytest.mark.parametrize("content", [None, "", "{}", '{"series": [{}], "rows": []}'])
def test_what_is_no_result_is_told(
    content: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is missing, or of something else, ends with one line that names it."""
    path = tmp_path / "other.json"
    if content is not None:
        path.write_text(content)

    with pytest.raises(SystemExit):
        main([str(path)])
    assert f"{path} is no result of the bench: " in capsys.readouterr().err
