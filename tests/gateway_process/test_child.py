import sys

from gateway_process.child import command_line, inherited_fd
from tests.gateway_process.probing import Talk, children, probe


def test_command_line_of_a_child_is_known_again() -> None:
    """A child's arguments carry the channel's descriptor and nothing else."""
    command = command_line("gateway", 7)
    assert command[:4] == [sys.executable, "-P", "-m", "gateway"]
    assert inherited_fd(command[4:]) == 7


def test_other_arguments_are_no_child_s() -> None:
    """A user's command line is not taken for a child's."""
    assert inherited_fd(["start"]) is None
    assert inherited_fd(["start", "--processes", "2"]) is None


def test_secrets_reach_children_and_no_command_line() -> None:
    """A child knows the secret; its process list entry does not show it."""
    with probe("--processes", "2", "--secret-key", "hunter2") as daemon, Talk(daemon) as talk:
        assert talk.ask("secret") == "hunter2"
        lines = [" ".join(child.cmdline()) for child in children(daemon)]
    assert len(lines) == 2
    assert not any("hunter2" in line for line in lines)
    assert "everybody on this machine can read flags" in daemon.stderr
    assert "hunter2" not in daemon.stderr
