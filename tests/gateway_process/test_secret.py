from pathlib import Path

import pytest

from gateway_process.errors import SettingsError
from gateway_process.secret import Secret, read_secret_file


def test_secret_never_shows_itself() -> None:
    """No way of printing a secret by accident gives its text."""
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]} %s" % secret
    assert secret.reveal() == "hunter2"


def test_secret_is_false_when_empty() -> None:
    """No secret set is false, and shows as nothing."""
    assert (bool(Secret()), str(Secret()), repr(Secret())) == (False, "", "Secret('')")


def test_secrets_are_equal_by_text() -> None:
    """Equality and hash follow the text, and nothing else is a secret."""
    assert Secret("a") == Secret("a")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"


def test_secret_file_loses_its_last_newline(tmp_path: Path) -> None:
    """White space at the end of a key file is not part of the key; its beginning is."""
    file = tmp_path / "key"
    file.write_text(" hunter2 \r\n\n")
    file.chmod(0o600)
    assert read_secret_file(file, "--secret-key-file") == (Secret(" hunter2"), None)


def test_world_readable_secret_file_warns(tmp_path: Path) -> None:
    """A key file everybody can read works and warns with the remedy, without the key."""
    file = tmp_path / "key"
    file.write_text("hunter2")
    file.chmod(0o644)
    secret, warning = read_secret_file(file, "--secret-key-file")
    assert secret == Secret("hunter2")
    assert warning is not None
    assert f"chmod o-r {file}" in warning
    assert "hunter2" not in warning


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"\n", "is empty"), (b"\xff", "is not UTF-8"), (None, "cannot be read")],
)
def test_secret_file_says_what_is_wrong(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    """An empty, binary or missing key file is an error that names the setting and the file."""
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError, match=f"^--secret-key-file: '{file}' {problem}"):
        read_secret_file(file, "--secret-key-file")
