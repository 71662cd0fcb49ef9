"""Checks of the layout rules."""

import re

import pytest

from scripts.layout import ONE_MACHINE


@pytest.mark.parametrize(
    "line", ["cd /" + "root/x", 'open("/' + 'home/ann/key")', ".." + "/shared/x"]
)
def test_a_path_of_one_machine_is_seen(line: str) -> None:
    """Home folders, and folders beside the tree, exist on one machine only."""
    assert re.search(ONE_MACHINE, line)


@pytest.mark.parametrize(
    "line", ["/etc/gatewayworker/key", "net/root/", "a/home/page/", "/usr/bin"]
)
def test_a_path_of_every_machine_is_not(line: str) -> None:
    """System folders and folders of the tree are fine."""
    assert not re.search(ONE_MACHINE, line)
