from dataclasses import dataclass

import click
import pytest

from gateway_process.addresses import ListenUrl
from gateway_process.errors import ExitCode, StartupError
from gateway_process.flags import run_command, settings_options
from gateway_process.kinds import Size
from gateway_process.loader import Loader
from gateway_process.secret import Secret
from gateway_process.settings import setting
from gateway_process.shared import MemberSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Toy(MemberSettings):
    listen: tuple[ListenUrl, ...] = setting((ListenUrl.parse("ws://0.0.0.0:7272"),), "Where.")
    advertise: str = setting("auto", "What others dial.", aliases=("lan_ip",))
    init_message: bool = setting(True, "Tell the client its id.")
    room: Size = setting(2 << 20, "How much.", metavar="BYTES")


seen: list[Toy] = []


@click.command()
@settings_options(Toy, "gateway")
@click.argument("outcome", default="")
def toy(loader: Loader[Toy], outcome: str) -> int:
    """Run a toy."""
    if outcome == "fail":
        raise StartupError("port 1 is in use")
    if outcome == "abort":
        raise click.Abort
    seen.append(loader.load().settings)
    return ExitCode.OK


def settings(*args: str) -> Toy:
    """Give the settings a command line leads to."""
    assert run_command(toy, "toy", args) == ExitCode.OK
    return seen.pop()


def test_without_flags_defaults_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flag that is not given is not given: the default comes from the declaration."""
    monkeypatch.delenv("GATEWAYWORKER_RUN_DIR")  # the tests' own
    assert settings() == Toy()


def test_every_flag_reaches_its_setting() -> None:
    """Values, repeated and comma-separated lists, switches, aliases and secrets arrive."""
    got = settings(
        "--listen", "ws://a:1", "--listen", "wss://b:2,ws://c:3", "--lan-ip", "10.0.0.1",
        "--no-init-message", "--room", "1KiB", "--api-key", "x", "--register-address", "r:1",
    )  # fmt: skip
    assert [str(url) for url in got.listen] == ["ws://a:1", "wss://b:2", "ws://c:3"]
    assert (got.advertise, got.init_message, got.room) == ("10.0.0.1", False, 1024)
    assert (got.api_key, str(got.register[0])) == (Secret("x"), "r:1")


def test_empty_text_is_a_value() -> None:
    """`--advertise ""` is given, and empty."""
    assert settings("--advertise", "").advertise == ""


def test_help_shows_default_and_variable(capsys: pytest.CaptureFixture[str]) -> None:
    """Each flag's help ends with its default and its variable; secrets have no default."""
    assert run_command(toy, "toy", ["--help"]) == ExitCode.OK
    text = " ".join(capsys.readouterr().out.split())
    assert "--room BYTES How much. [default: 2MiB; env: GATEWAYWORKER_GATEWAY__ROOM]" in text
    assert "--init-message / --no-init-message" in text
    assert "--advertise, --lan-ip TEXT" in text
    assert "Read --secret-key from this file. [env: GATEWAYWORKER_SECRET_KEY_FILE]" in text
    assert "-c, --config FILE" in text


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["--lisen", "x"], ExitCode.USAGE, "Did you mean '--listen'?"),
        (["--room", "big"], ExitCode.USAGE, "toy: --room: 'big' is not a size in bytes; give"),
        (["-c", "/nowhere"], ExitCode.USAGE, "toy: --config: '/nowhere' cannot be read"),
        (["fail"], ExitCode.STARTUP, "toy: port 1 is in use\n"),
        (["abort"], ExitCode.FAILED, ""),
    ],
)
def test_errors_are_told_in_words_with_their_exit_code(
    capsys: pytest.CaptureFixture[str], args: list[str], code: ExitCode, message: str
) -> None:
    """Each way a command fails has its exit code and says what was wrong, without a traceback."""
    assert run_command(toy, "toy", args) == code
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
