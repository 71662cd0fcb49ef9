"""Checks of what the commands say about themselves."""

import pytest

from businessworker.settings import WorkerSettings
from gateway.settings import GatewaySettings
from gateway_process.settings import Settings, specs_of
from gateway_process.shared import MemberSettings
from gateway_wire.hello import SOFTWARE
from register.settings import RegisterSettings
from tests.support.daemons import run

EVERYWHERE = ["start", "stop", "restart", "reload", "status", "connections"]
"""The commands that every program has."""
OWN: dict[str, list[str]] = {
    "register": [],
    "gateway": ["dev", "check", "send", "queues"],
    "businessworker": [],
    "gatewayworker": [],
}


@pytest.mark.parametrize("program", OWN)
def test_a_program_names_its_commands_and_its_version(program: str) -> None:
    """`--help` lists each command with its first sentence; `--version` is the software's."""
    code, output, _ = run(program, "--help")
    assert code == 0
    wanted = [*EVERYWHERE, *OWN[program]]
    listed = output.partition("Commands:\n")[2].splitlines()
    assert sorted(line.split()[0] for line in listed) == sorted(wanted)
    assert all(len(line.split()) > 3 for line in listed)
    assert run(program, "--version") == (0, SOFTWARE.replace("/", " ") + "\n", "")


@pytest.mark.parametrize(
    ("command", "settings", "missing"),
    [
        (("gateway", "start"), GatewaySettings, set()),
        (("gateway", "check"), GatewaySettings, set()),
        (("gateway", "dev"), GatewaySettings, {"register", "name", "run_dir"}),
        (("register", "start"), RegisterSettings, set()),
        (("businessworker", "start"), WorkerSettings, set()),
        (("gatewayworker", "start"), MemberSettings, set()),
    ],
)
def test_help_is_complete(
    command: tuple[str, str], settings: type[Settings], missing: set[str]
) -> None:
    """Every setting stands there with its flag and its variable."""
    code, output, _ = run(*command, "--help")
    assert code == 0
    words = set(output.replace(",", " ").split())
    for spec in specs_of(settings):
        flags = {f"--{name.replace('_', '-')}" for name in spec.names}
        assert bool(flags & words) is (spec.name not in missing), spec.name


@pytest.mark.parametrize("program", OWN)
def test_an_unknown_command_is_told(program: str) -> None:
    """A mistake is one message, with exit code 2."""
    code, output, errors = run(program, "strat")
    assert (code, output) == (2, "")
    assert "No such command" in errors
    assert "start" in errors or "--help" in errors
