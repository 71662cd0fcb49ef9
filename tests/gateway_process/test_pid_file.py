"""The lock of a pid file, as its owner and as those who look see it."""

import os
from pathlib import Path

import pytest

from gateway_process.errors import StartupError
from gateway_process.pid_file import is_free, lock_file, opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is to be."""
    return tmp_path / "web.pid"


def test_a_file_is_locked_once(path: Path) -> None:
    """The second one gets none, and who looks sees that it is owned, until the owner lets go."""
    owner = lock_file(path)
    assert owner is not None
    assert lock_file(path) is None
    with opened(path) as fd:
        assert fd is not None
        assert not is_free(fd)
        os.close(owner)
        assert is_free(fd)


def test_a_file_that_was_left_behind_is_taken_over(path: Path) -> None:
    """Its content is still there; what it says is for whoever writes it."""
    path.write_text("stale")
    owner = lock_file(path)
    assert owner is not None
    assert os.read(owner, 100) == b"stale"
    os.close(owner)


def test_a_file_that_is_gone_is_not_opened(path: Path) -> None:
    """Looking makes none, and does not follow a link either."""
    with opened(path) as fd:
        assert fd is None
    path.symlink_to("/etc/passwd")
    with opened(path) as fd:
        assert fd is None


def test_a_link_is_not_locked(path: Path) -> None:
    """Whoever may write in the folder could let root write anywhere."""
    path.symlink_to(path.parent / "other")
    with pytest.raises(StartupError, match="is a symbolic link, which is not followed; remove"):
        lock_file(path)
    assert not (path.parent / "other").exists()
