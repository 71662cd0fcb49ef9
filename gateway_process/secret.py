"""Secrets: a value that does not show itself, and the files it may stand in.

A `Secret` prints as `***` wherever a value may be printed by accident: `repr`, `str`, f-strings,
logs, dataclass reprs. Whoever needs the text calls `reveal()`, which is easy to search for.
"""

import hmac
import os
import stat
from pathlib import Path

from gateway_process.errors import SettingsError

__all__ = ["Secret", "read_secret_file"]


class Secret:
    """A text that must not be shown; false when empty (no secret is set)."""

    __slots__ = ("_text",)

    def __init__(self, text: str = "") -> None:
        self._text = text

    def reveal(self) -> str:
        """Give the text itself."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return "Secret('***')" if self._text else "Secret('')"

    def __str__(self) -> str:
        return "***" if self._text else ""


def read_secret_file(path: Path, source: str) -> tuple[Secret, str | None]:
    """Read a secret from a file; white space at its end is not part of it.

    Args:
        path: the file.
        source: the flag, variable or file key that named it, for messages.

    Returns:
        The secret, and a warning when every user of the machine may read the file.

    Raises:
        SettingsError: the file cannot be read, is not UTF-8 text, or is empty.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read().decode().rstrip()
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise SettingsError(
            source, problem, "check the path and the owner", value=str(path)
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(
            source, "is not UTF-8 text", "write the key as text", value=str(path)
        ) from error
    if not text:
        raise SettingsError(
            source, "is empty", "write the key into it or remove the setting", value=str(path)
        )
    return Secret(text), _too_open(path, mode, source)


def _too_open(path: Path, mode: int, source: str) -> str | None:
    if os.name != "posix" or not mode & stat.S_IROTH:
        return None
    return f"{source}: every user of this machine may read {path}; run: chmod o-r {path}"
