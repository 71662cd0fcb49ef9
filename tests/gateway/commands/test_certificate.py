"""Checks of how a certificate is looked at."""

import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.commands.certificate import check_certificate, validity_of
from gateway.commands.findings import Level
from tests.support.certificates import certificate

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("days_from_now", "level", "told"),
    [
        (0, Level.OK, "good until "),
        (80, Level.WARNING, "expires on "),
        (91, Level.PROBLEM, "expired on "),
        (-1, Level.PROBLEM, "counts from "),
    ],
)
def test_the_dates_decide(tmp_path: Path, days_from_now: int, level: Level, told: str) -> None:
    """A certificate is well until two weeks before its end, and wrong outside of its time."""
    made = certificate(tmp_path, days=90)
    found = check_certificate(*made, now=datetime.now(UTC) + days_from_now * DAY)
    assert found.level is level
    assert found.subject == f"certificate {made.certfile}"
    assert found.text.startswith(told)


def test_the_dates_are_those_that_openssl_tells(tmp_path: Path) -> None:
    """Both times are read to the second, in either of their two forms."""
    for days in (10, 40_000):  # beyond 2049 a time has four digits of the year
        made = certificate(tmp_path, days=days)
        show = ["openssl", "x509", "-noout", "-dates", "-in", str(made.certfile)]
        shown = subprocess.run(show, check=True, capture_output=True, text=True).stdout
        dates = [ssl.cert_time_to_seconds(line.split("=")[1]) for line in shown.splitlines()]
        validity = validity_of(made.certfile.read_text())
        assert [date.timestamp() for date in validity] == dates


def test_a_key_that_does_not_belong_to_it_is_told(tmp_path: Path) -> None:
    """Certificate and key of two pairs are a problem, with the remedy."""
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
    certfile, keyfile = certificate(one).certfile, certificate(other).keyfile
    found = check_certificate(certfile, keyfile, datetime.now(UTC))
    assert found.level is Level.PROBLEM
    assert "give PEM files that belong together" in found.text


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """The message names the flag and the path."""
    made = certificate(tmp_path)
    made.keyfile.unlink()
    found = check_certificate(*made, now=datetime.now(UTC))
    assert found.level is Level.PROBLEM
    assert f"--keyfile: {made.keyfile} cannot be read" in found.text


def test_a_file_without_a_certificate_is_told() -> None:
    """Text that holds none is named as such."""
    with pytest.raises(ValueError, match="holds no certificate"):
        validity_of("-----BEGIN PRIVATE KEY-----")
