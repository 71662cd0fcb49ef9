"""Whether the certificate of `wss://` listeners can be used, and for how long.

The standard library tells a certificate's dates only after a handshake that trusts it, which one of a
private authority, or one that has expired, never gets. So the two dates are read from the DER
themselves: RFC 5280, 4.1, where `validity` is the fifth field of `tbsCertificate` (the optional
version counted, the first being 0).
"""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from gateway.commands.findings import Finding, ok, problem, warning
from gateway.tls import server_context
from gateway_process.errors import StartupError

__all__ = ["Validity", "check_certificate", "validity_of"]

SOON: Final = timedelta(days=14)
"""What is left when a renewal must have failed: ACME clients renew 30 days before the end."""

_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17
_REMEDY: Final = "renew it; a reload (SIGHUP) of the gateway reads it anew"


class Validity(NamedTuple):
    """From when to when a certificate counts."""

    start: datetime
    end: datetime


def check_certificate(certfile: Path, keyfile: Path, now: datetime) -> Finding:
    """Look at the server's own certificate.

    Args:
        certfile: Chain in PEM, the server's own first.
        keyfile: Its key.
        now: The time, with a time zone.
    """
    subject = f"certificate {certfile}"
    try:
        server_context(certfile, keyfile)
        start, end = validity_of(certfile.read_text("ascii", "replace"))
    except (StartupError, ValueError, IndexError) as error:
        return problem(subject, str(error))
    if now < start:
        return problem(subject, f"counts from {start:%Y-%m-%d %H:%M} UTC only; check the clock")
    if now > end:
        return problem(subject, f"expired on {end:%Y-%m-%d}; {_REMEDY}")
    if end - now < SOON:
        return warning(subject, f"expires on {end:%Y-%m-%d}; {_REMEDY}")
    return ok(subject, f"good until {end:%Y-%m-%d}")


def validity_of(pem: str) -> Validity:
    """Read the dates of the first certificate in a PEM file.

    Raises:
        ValueError: There is none, or its dates cannot be read.
    """
    match = _PEM.search(pem)
    if match is None:
        raise ValueError("holds no certificate; give one in PEM")
    (_, certificate), *_ = _elements(ssl.PEM_cert_to_DER_cert(match[0]))
    (_, to_be_signed), *_ = _elements(certificate)
    fields = _elements(to_be_signed)
    number = 4 if fields[0][0] == _VERSION else 3
    start, end = (_time(tag, value) for tag, value in _elements(fields[number][1]))
    return Validity(start, end)


def _elements(data: bytes) -> list[tuple[int, bytes]]:
    """Split DER into (tag, value) of each element that stands side by side."""
    found = []
    position = 0
    while position < len(data):
        tag, length = data[position], data[position + 1]
        position += 2
        if length & 0x80:  # the long form: as many bytes of length follow
            size = length & 0x7F
            length = int.from_bytes(data[position : position + size])
            position += size
        found.append((tag, data[position : position + length]))
        position += length
    return found


def _time(tag: int, value: bytes) -> datetime:
    """Read a UTCTime (two digits of the year, 1950 to 2049) or a GeneralizedTime."""
    text = value.decode("ascii")
    if tag == _UTC_TIME:
        text = f"{'19' if text[:2] >= '50' else '20'}{text}"
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)
