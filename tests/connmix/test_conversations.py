"""What real clients of CONNMIX said and were answered, said again to a real register and gateway."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.connmix.conversation import Replay, read
from tests.connmix.stage import HERE, Stage

CONVERSATIONS: Final = sorted((HERE / "conversations").glob("*.jsonl"))
GROWING: Final = [file for file in CONVERSATIONS if '{"gateway": "starts"' in file.read_text()]
"""Those with a gateway more than the others; it is not forgotten so soon when it has stopped."""


def play(stage: Stage, file: Path) -> None:
    """Play a conversation from its begin to its end."""
    with Replay(stage) as replay:
        for step in read(file):
            replay.play(step)


def name_of(file: Path) -> str:
    """Name a test case."""
    return file.stem


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """A register and a gateway that most conversations share, one after another."""
    with Stage() as stage:
        yield stage


@pytest.mark.parametrize("file", sorted({*CONVERSATIONS} - {*GROWING}), ids=name_of)
def test_a_recorded_client_gets_the_answers_it_got(stage: Stage, file: Path) -> None:
    """Each request of the client is answered as it was, and browsers see what they saw."""
    play(stage, file)


@pytest.mark.parametrize("file", GROWING, ids=name_of)
def test_a_recorded_client_finds_a_gateway_that_is_started_later(file: Path) -> None:
    """The client is told of a gateway that has come, and is served there as by the first."""
    with Stage() as stage:
        play(stage, file)


def test_every_version_has_had_every_conversation() -> None:
    """No client is left out: the versions have the same conversations."""
    names = {file.stem.partition("-")[2] for file in CONVERSATIONS}
    versions = {"1.0.1", "1.0.4", "1.0.5"}

    assert {file.stem for file in CONVERSATIONS} == {
        f"{version}-{name}" for version in versions for name in names
    }
