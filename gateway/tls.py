"""The TLS context of `wss://` listeners."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from gateway_process.errors import StartupError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["server_context"]


def server_context(certfile: Path, keyfile: Path) -> ssl.SSLContext:
    """Read a certificate and its key.

    Args:
        certfile: Certificate chain in PEM, the server's own first.
        keyfile: Its private key in PEM, not encrypted.

    Returns:
        A context for TLS 1.2 and newer.

    Raises:
        StartupError: If they cannot be read or do not belong together; says which and why.
    """
    for flag, path in (("--certfile", certfile), ("--keyfile", keyfile)):
        try:
            path.read_bytes()
        except OSError as error:
            raise StartupError(
                f"{flag}: {path} cannot be read ({error.strerror}); check path and permissions"
            ) from error
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certfile, keyfile, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        raise StartupError(
            f"--certfile {certfile} and --keyfile {keyfile} are no certificate with its key"
            f" ({error}); give PEM files that belong together, the key not encrypted"
        ) from error
    return context


def _no_password() -> str:
    # Without this OpenSSL would ask on the terminal, and a daemon would hang.
    return ""
