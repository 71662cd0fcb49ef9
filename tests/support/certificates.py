"""Certificates for tests of `wss://`, made by the system's OpenSSL."""

import ssl
import subprocess
from pathlib import Path
from typing import NamedTuple


class Certificate(NamedTuple):
    """A self-signed certificate for 127.0.0.1 and localhost, and its key, as PEM files."""

    certfile: Path
    keyfile: Path

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags that give it to a gateway."""
        return ("--certfile", str(self.certfile), "--keyfile", str(self.keyfile))

    def trusted(self) -> ssl.SSLContext:
        """Give a context that trusts this certificate and no other."""
        return ssl.create_default_context(cafile=self.certfile)


def certificate(folder: Path, *, days: int = 365) -> Certificate:
    """Make one; in a folder that has one already, it is replaced.

    Args:
        folder: Where the files are written.
        days: How long it counts, from now.
    """
    made = Certificate(folder / "cert.pem", folder / "key.pem")
    names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
    command = [
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
        *("-nodes", "-days", str(days), "-subj", "/CN=localhost", "-addext", names),
        *("-keyout", str(made.keyfile), "-out", str(made.certfile)),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return made
