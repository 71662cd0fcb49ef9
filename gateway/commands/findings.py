"""What `gateway check` finds: one line each, with the remedy where something is wrong."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

__all__ = ["Finding", "Level", "ok", "problem", "warning"]


class Level(StrEnum):
    """How a finding is meant."""

    OK = "ok"
    """As it should be."""
    WARNING = "warning"
    """Works now, or may be meant so."""
    PROBLEM = "problem"
    """Does not work; makes the exit code 1."""


class Finding(NamedTuple):
    """One thing that was looked at.

    Attributes:
        level: How it is.
        subject: What it is, as its owner would name it: `register 127.0.0.1:1236`.
        text: What was found; of a warning or problem, with the remedy.
    """

    level: Level
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.level:<7}  {self.subject}: {self.text}"


def ok(subject: str, text: str) -> Finding:
    """Make a finding of something that is as it should be."""
    return Finding(Level.OK, subject, text)


def warning(subject: str, text: str) -> Finding:
    """Make a finding of something that should be looked after."""
    return Finding(Level.WARNING, subject, text)


def problem(subject: str, text: str) -> Finding:
    """Make a finding of something that does not work."""
    return Finding(Level.PROBLEM, subject, text)
