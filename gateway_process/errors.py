"""Exit codes and the errors that carry them.

    ProcessError            one clear line for the person who started the process
    ├── SettingsError       a setting is wrong: exit code 2
    ├── StartupError        the settings are fine, starting failed: exit code 3
    ├── RunError            it ran and had to end, or could not do what it was told: exit code 1
    ├── NotRunning          there is no such instance: exit code 4
    └── ChildError          a child could not start: the child's own message and exit code
    BadValue(ValueError)    a text is not a value of its kind; becomes a SettingsError that names it

A message says what was wrong, with the value, and ends with the remedy. Secrets are never values.
"""

from enum import IntEnum
from typing import Final

__all__ = [
    "BadValue",
    "ChildError",
    "ExitCode",
    "NotRunning",
    "ProcessError",
    "RunError",
    "SettingsError",
    "StartupError",
]


class ExitCode(IntEnum):
    """What the exit code of every command and daemon means."""

    OK = 0
    """Stopped cleanly, or the command did what was asked."""
    FAILED = 1
    """Failed while running, or a stop was cut short (stop timeout, second signal)."""
    USAGE = 2
    """A flag, variable or file key is wrong; nothing was started. click uses the same code."""
    STARTUP = 3
    """The settings are fine but starting failed: port in use, no permission, already running."""
    NOT_RUNNING = 4
    """A command found no instance to speak to."""


class ProcessError(Exception):
    """An error that is told in one line and ends the process with `exit_code`."""

    exit_code: ExitCode = ExitCode.FAILED


class RunError(ProcessError):
    """A role that had started cannot go on, or not do what it was told."""


class StartupError(ProcessError):
    """Starting failed for a reason outside the settings' form; the message names the remedy."""

    exit_code = ExitCode.STARTUP


class NotRunning(ProcessError):
    """A command is about an instance that does not run."""

    exit_code = ExitCode.NOT_RUNNING


class ChildError(ProcessError):
    """A supervisor's child could not start.

    Args:
        message: what the child said.
        exit_code: what it ended with.
    """

    def __init__(self, message: str, exit_code: ExitCode) -> None:
        super().__init__(message)
        self.exit_code = exit_code


_NO_VALUE: Final = object()


class SettingsError(ProcessError):
    """A setting is wrong.

    A settings class raises it from `__post_init__` with the field's name as `setting`; the loader
    puts the name the user wrote (flag, variable or file key) in its place.

    Args:
        setting: field name, or the flag, variable or file key as the user wrote it.
        problem: what is wrong, to be read after the name and the value: "is below 1".
        remedy: what to do about it: "give a number from 1".
        value: the offending value; leave it out for secrets and where there is none.
    """

    exit_code = ExitCode.USAGE

    def __init__(
        self, setting: str, problem: str, remedy: str, *, value: object = _NO_VALUE
    ) -> None:
        super().__init__(setting, problem, remedy)
        self.setting = setting
        self.problem = problem
        self.remedy = remedy
        self.value = value

    def __str__(self) -> str:
        shown = "" if self.value is _NO_VALUE else f"{self.value!r} "
        return f"{self.setting}: {shown}{self.problem}; {self.remedy}"

    def named(self, setting: str) -> "SettingsError":
        """Give the same error about `setting`."""
        return SettingsError(setting, self.problem, self.remedy, value=self.value)


class BadValue(ValueError):
    """A text is not a value of its kind.

    Args:
        problem: what is wrong, to be read after the value: "has no port".
        remedy: what to write instead, with an example.
        value: the part of what was written that is wrong; left out where that is all of it.
    """

    def __init__(self, problem: str, remedy: str, *, value: object = None) -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy
        self.value = value

    def __str__(self) -> str:
        return f"{self.problem}; {self.remedy}"
