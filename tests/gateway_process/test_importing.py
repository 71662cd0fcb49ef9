"""Importing the application: not there, or there and broken."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway_process.errors import StartupError
from gateway_process.importing import import_application, look_in, told


@pytest.fixture
def app_dir(tmp_path: Path) -> Iterator[Path]:
    """Give a folder on the path with a package, and forget afterwards what was imported from it."""
    modules, path = set(sys.modules), sys.path.copy()
    look_in(tmp_path)
    write(tmp_path, "shop/__init__.py", "")
    write(tmp_path, "shop/events.py", "x = 1\n")
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def write(folder: Path, name: str, text: str) -> None:
    """Write a file."""
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)


def failure(name: str, app_dir: Path) -> str:
    """Import what cannot be imported, and give the message."""
    with pytest.raises(StartupError) as caught:
        import_application(name, app_dir)
    return str(caught.value)


def test_a_folder_is_looked_in_first_and_put_on_the_path_once(app_dir: Path) -> None:
    """However it is written, and wherever it stood before."""
    assert look_in(app_dir / "shop" / "..") == app_dir
    assert sys.path[0] == str(app_dir)
    assert sys.path.count(str(app_dir)) == 1


def test_a_module_is_imported(app_dir: Path) -> None:
    """Also one in a package."""
    assert import_application("shop.events", app_dir).x == 1


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("shop.evnts", "; did you mean 'shop.events'? If not, run this"),
        ("shopp.events", "; did you mean 'shop'? If not, run this"),
        ("zebra", ""),
        ("shop.events.more", ""),
    ],
)
def test_a_module_that_is_not_there_is_told_with_where_it_was_looked_for(
    app_dir: Path, name: str, near: str
) -> None:
    """The folder, the nearest name and the two remedies."""
    text = failure(name, app_dir)
    assert text.startswith(f"there is no module {name!r} in {app_dir} or elsewhere")
    assert near in text
    assert ("did you mean" in text) == bool(near)
    assert text.endswith("run this in the folder that holds it, or name that folder with --app-dir")


def test_a_folder_that_is_not_there_is_no_error_of_its_own(app_dir: Path) -> None:
    """The wrong --app-dir shows in the message."""
    assert f"in {app_dir / 'none'} or elsewhere" in failure("zebra", app_dir / "none")


def test_a_module_in_the_shadow_of_another_package_is_found(app_dir: Path) -> None:
    """A folder without `__init__.py` comes behind every package of that name; the file is named."""
    write(app_dir, "email/events.py", "")
    text = failure("email.events", app_dir)
    assert text.startswith(f"{app_dir / 'email' / 'events.py'} is there, but Python finds another")
    assert text.endswith("put an empty __init__.py into its folder, or rename it")


@pytest.mark.parametrize("file", ["json.py", "json/__init__.py", "time.py"])
def test_a_module_with_the_name_of_one_that_is_imported_already_is_told(
    app_dir: Path, file: str
) -> None:
    """Such as one of the standard library; it would look as if it had no handlers."""
    write(app_dir, file, "def on_message(client_id, message): ...\n")
    name = file[:4]
    there = f"{app_dir / file} is there, but Python finds another {name!r} before it; rename it"
    assert failure(name, app_dir) == there


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "\nimport redys\n",
            "app was found, but imports 'redys', which was not: ModuleNotFoundError: ",
        ),
        (
            "\nimport redys\n",
            "No module named 'redys' ({file}, line 2); install that",
        ),
        ("import shop.nothing\n", "app was found, but imports 'shop.nothing', which was not"),
        ("import app.part\n", "app was found, but imports 'app.part', which was not"),
        ("from shop import nothing\n", "app was found, but importing it failed: ImportError"),
        (
            "\n\n1 / 0\n",
            "importing it failed: ZeroDivisionError: division by zero ({file}, line 3)",
        ),
        ("def broken(:\n", "importing it failed: SyntaxError: invalid syntax ({file}, line 1)"),
        ("raise SystemExit(3)\n", "app was found, but ends the process when it is imported"),
        (
            "from gateway_client import Gateway\nGateway.send_to_all(1)\n",
            (
                "importing it failed: TypeError: a message is str, bytes, dict or list, not int: for JSON of"
                " anything else pass json.dumps(...), for text str(...) ({file}, line 2)"
            ),
        ),
        (
            "import ast\n\nast.literal_eval('a')\n",
            "importing it failed: ValueError: malformed node or string on line 1",
        ),
        ("import ast\n\nast.literal_eval('a')\n", "({file}, line 3)"),
    ],
)
def test_a_module_that_raises_is_told_with_file_and_line(
    app_dir: Path, text: str, message: str
) -> None:
    """Never as if the module itself were missing."""
    write(app_dir, "app.py", text)
    assert message.format(file=app_dir / "app.py") in failure("app", app_dir)


def test_an_error_far_away_names_the_line_that_raised(app_dir: Path) -> None:
    """The last line, not the first, is where to look."""
    write(app_dir, "deep.py", "\n\nint('x')\n")
    write(app_dir, "app.py", "import deep\n")
    assert f"({app_dir / 'deep.py'}, line 3)" in failure("app", app_dir)


def test_the_traceback_is_there_for_whoever_wants_it(
    app_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """At debug level."""
    write(app_dir, "app.py", "1 / 0\n")
    with caplog.at_level(logging.DEBUG):
        failure("app", app_dir)
    assert caplog.records[0].exc_info


def test_an_error_that_was_never_raised_has_no_place() -> None:
    """Then its text is all there is."""
    assert told(ValueError("why")) == "ValueError: why"
