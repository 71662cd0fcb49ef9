"""The secret key as GatewayWorker's own protocol shows it: in plain, from a PHP program to us.

Our own links prove that they have it and never send it (:mod:`gateway_wire.hello`). The register and the
gateways take it from PHP programs, which know no other way. Pure; no message here holds a key.
"""

from __future__ import annotations

import hmac

from gateway_wire.errors import AuthenticationFailed, ErrorCode, RemoteProtocolError

__all__ = ["check_plain_key"]


def check_plain_key(expected: str, given: object, us: str) -> None:
    """Check what a PHP program shows, in constant time.

    Args:
        expected: The cluster's secret key, empty for none.
        given: What came; empty for none.
        us: What this side is: "gateway".

    Raises:
        AuthenticationFailed: The keys differ, or only one side has one; it says which.
        RemoteProtocolError: It is no text.
    """
    if not isinstance(given, str):
        raise RemoteProtocolError("the secret_key that a PHP program shows is no text")
    if hmac.compare_digest(_bytes_of(expected), _bytes_of(given)):
        return
    if not given:
        text = f"this {us} has a secret key and the PHP program shows none: set its $secretKey"
        raise AuthenticationFailed(ErrorCode.KEY_MISSING, text)
    if not expected:
        text = f"the PHP program has a $secretKey and this {us} has none: give both the same"
        raise AuthenticationFailed(ErrorCode.KEY_UNEXPECTED, text)
    text = f"the $secretKey of the PHP program is not that of this {us}: give both the same"
    raise AuthenticationFailed(ErrorCode.KEY_WRONG, text)


def _bytes_of(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")  # JSON can write what UTF-8 cannot
