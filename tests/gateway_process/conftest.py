"""What holds for the tests of how processes run."""

import logging

import pytest

from gateway_process.instance import RunDir
from tests.gateway_process.probing import ENVIRONMENT
from tests.support.daemons import new_run_dir


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Let the children of this very process find the role in `roles/probe`, and see what is told."""
    caplog.set_level(logging.INFO)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def run_dir() -> RunDir:
    """A run directory that is there."""
    made = RunDir(new_run_dir())
    made.make()
    return made
