"""What is typed is looked at before anything is started."""

from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from bench.arguments import browsers, check_files, result_file, seconds
from bench.main import main
from bench.programs import BenchError


def test_numbers_are_read() -> None:
    """A crowd is whole, a time may be a part of a second."""
    assert browsers("300") == 300
    assert seconds("0.5") == 0.5


@pytest.mark.parametrize("text", ["0", "-5", "15", "many", "1e3", ""])
def test_a_crowd_has_a_number_of_browsers(text: str) -> None:
    """Nothing is taken for the default, or divided to nobody."""
    with pytest.raises(ArgumentTypeError, match="give 16 or more"):
        browsers(text)


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "soon"])
def test_time_passes(text: str) -> None:
    """A case that goes on for no time would measure nothing and say yes."""
    with pytest.raises(ArgumentTypeError, match="give seconds above 0"):
        seconds(text)


def test_a_result_finds_its_folder(tmp_path: Path) -> None:
    """It is made where it is missing; what is there stays."""
    path = tmp_path / "new" / "result.json"

    assert result_file(str(path)) == path
    assert path.parent.is_dir()
    assert not path.exists()


def test_a_result_needs_a_place(tmp_path: Path) -> None:
    """Neither a folder nor something below a file can be written, and that is told at the start."""
    file = tmp_path / "file"
    file.touch()

    with pytest.raises(ArgumentTypeError, match="cannot be written"):
        result_file(str(tmp_path))
    with pytest.raises(ArgumentTypeError, match="no folder for it"):
        result_file(str(file / "result.json"))


def test_a_crowd_fits_into_the_limit_of_open_files() -> None:
    """Else what would help is told, instead of the first error of a program."""
    check_files(16)
    with pytest.raises(BenchError, match="smaller number of --connections, or raise the limit"):
        check_files(1 << 40)


def test_what_was_not_measured_is_not_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An earlier result stays, and there is no empty table."""
    path = tmp_path / "result.json"
    path.write_text("earlier")

    assert main(["spaced", "--connections", str(1 << 40), "--json", str(path)]) == 1
    printed = capsys.readouterr()
    assert "bench: spaced: " in printed.err
    assert not printed.out
    assert path.read_text() == "earlier"
