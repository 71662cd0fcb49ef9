"""Checks of the context that `wss://` listeners get."""

import ssl
import subprocess
from pathlib import Path

import pytest

from gateway.tls import server_context
from gateway_process.errors import StartupError
from tests.support.certificates import certificate


def test_it_serves_tls_1_2_and_newer_and_asks_for_no_certificate(tmp_path: Path) -> None:
    """Browsers prove nothing by a certificate; old protocols are not spoken."""
    context = server_context(*certificate(tmp_path))
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_NONE


@pytest.mark.parametrize("missing", ["certfile", "keyfile"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, missing: str) -> None:
    """Flag, path and reason stand in the message."""
    made = certificate(tmp_path)
    path: Path = getattr(made, missing)
    path.unlink()
    with pytest.raises(StartupError, match=f"--{missing}: {path} cannot be read .No such file"):
        server_context(*made)


def test_files_that_do_not_belong_together_are_told(tmp_path: Path) -> None:
    """The key of another certificate is refused at the start, not at the first handshake."""
    old = certificate(tmp_path).certfile.read_text()
    made = certificate(tmp_path)
    made.certfile.write_text(old)
    with pytest.raises(StartupError, match="give PEM files that belong together"):
        server_context(*made)


def test_an_encrypted_key_is_refused_and_never_asked_for(tmp_path: Path) -> None:
    """OpenSSL would ask on the terminal, and a daemon would hang."""
    made = certificate(tmp_path)
    locked = tmp_path / "locked.pem"
    command = ["openssl", "pkey", "-aes256", "-passout", "pass:x", "-in", str(made.keyfile)]
    subprocess.run([*command, "-out", str(locked)], check=True, capture_output=True)
    with pytest.raises(StartupError, match="the key not encrypted"):
        server_context(made.certfile, locked)
