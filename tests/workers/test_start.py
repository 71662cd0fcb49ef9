"""Starts that fail, as their users see them: exit code, and one line that says what to do."""

from pathlib import Path

import pytest

from gateway_process.errors import ExitCode
from tests.support.cluster import closed_address, register
from tests.support.daemons import run

GOOD = "def on_message(client_id, message): ...\n"
CASES: dict[str, tuple[str, str, ExitCode, str]] = {
    # what is wrong: what is named, the module's text, exit code, what is said
    "no module named": ("", GOOD, ExitCode.USAGE, "nothing says where"),
    "a wrong module": (
        "handlrs", GOOD, ExitCode.STARTUP,
        "no module 'handlrs' in {folder} or elsewhere on Python's path; did you mean 'handlers'?",
    ),
    "an import error": (
        "handlers", "import not_installed_here\n" + GOOD, ExitCode.STARTUP,
        "handlers was found, but imports 'not_installed_here', which was not",
    ),
    "it raises": (
        "handlers", GOOD + "1 / 0\n", ExitCode.STARTUP,
        "importing it failed: ZeroDivisionError: division by zero ({folder}/handlers.py, line 2)",
    ),
    "a syntax error": (
        "handlers", "def on_message(:\n", ExitCode.STARTUP, "SyntaxError: ",
    ),
    "a wrong class": (
        "handlers:Event", "class Events:\n  " + GOOD, ExitCode.STARTUP, "Events",
    ),
    "no handlers": (
        "handlers", "x = 1\n", ExitCode.STARTUP, "handlers has none of the handlers",
    ),
    "a misspelt handler": (
        "handlers", "def onMessage(client_id, message): ...\n", ExitCode.STARTUP,
        "did you mean on_message?",
    ),
    "wrong arguments": (
        "handlers", "def on_message(message): ...\n", ExitCode.STARTUP,
        "write it as on_message(client_id, message)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_cannot_be_run_is_named_with_the_remedy(tmp_path: Path, case: str) -> None:
    """The start ends at once, with its own exit code, and says it in one line."""
    target, text, code, said = CASES[case]
    (tmp_path / "handlers.py").write_text(text)
    ended, out, err = run(
        "businessworker", "start", *filter(None, [target]), f"--app-dir={tmp_path}",
        f"--register={closed_address()}",
    )  # fmt: skip
    assert (ended, out) == (code, ""), err
    assert said.format(folder=tmp_path) in err
    assert "Traceback" not in err
    assert len(err.splitlines()) <= 2


WRONG_FLAGS: dict[str, tuple[str, str]] = {
    "--threads=0": ("businessworker", "--threads: '0' is below 1"),
    "--http=0.0.0.0:0": ("businessworker", "--api-key"),
    "--register=nowhere": ("businessworker", "--register: 'nowhere' has no port"),
    "--thread=8": ("businessworker", "--threads"),
    "--routing=fastest": ("gateway", "least-connections"),
}


@pytest.mark.parametrize("flag", WRONG_FLAGS)
def test_a_wrong_setting_is_named_with_the_remedy(tmp_path: Path, flag: str) -> None:
    """Nothing is started, and the exit code is that of wrong usage."""
    program, said = WRONG_FLAGS[flag]
    target = ["handlers"] if program == "businessworker" else []
    code, out, err = run(program, "start", *target, flag)
    assert (code, out) == (ExitCode.USAGE, "")
    assert said in err
    assert "Traceback" not in err


def test_an_on_worker_start_that_raises_ends_the_start(tmp_path: Path) -> None:
    """With the place and the error; no event was taken."""
    (tmp_path / "handlers.py").write_text(
        "def on_worker_start(worker):\n    raise OSError('no disk')\n"
    )
    with register() as directory:
        code, out, err = run(
            "businessworker", "start", "handlers", f"--app-dir={tmp_path}",
            f"--register={directory.ready.listen}",
        )  # fmt: skip
    assert (code, out) == (ExitCode.STARTUP, "")
    assert "on_worker_start of handlers raised OSError: no disk" in err
