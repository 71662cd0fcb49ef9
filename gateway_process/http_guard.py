"""Who may use an HTTP port: whoever holds the API key, or without one only this machine itself.

A port without a key trusts the machine, and browsers run on it too. A page from anywhere may send
requests to 127.0.0.1 (its `Origin` tells), a rebound DNS name may lead there (its `Host` tells), and a
proxy on the machine may pass on requests from anywhere (its `Forwarded` tells). So without a key a
request is served only if none of these tells of somebody else. Clients that open a websocket and are no
browser make up an `Origin` too, some from the host without its port (Ratchet's Pawl); for a websocket that
counts as the port's own. Pure: no HTTP library is known here.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway_process.secret import Secret
from gateway_wire.addresses import is_loopback

__all__ = ["Refusal", "refusal_of"]

BEARER: Final = "bearer"
_PROXY_HEADERS: Final = ("forwarded", "x-forwarded-", "x-real-ip")
_REMEDY: Final = "set an API key (--api-key-file) and send it as 'Authorization: Bearer KEY'"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not served.

    Attributes:
        status: the HTTP status: 401 with a `WWW-Authenticate: Bearer` header, 403, or 415.
        code: one word for programs.
        message: a sentence with the remedy.
    """

    status: int
    code: str
    message: str


def refusal_of(
    api_key: Secret, *, peer: str, method: str, headers: Mapping[str, str]
) -> Refusal | None:
    """Decide whether a request may be served.

    Args:
        api_key: the key that requests must carry; empty for none.
        peer: IP address of the other end of the connection.
        method: the request's method, such as `POST`.
        headers: the request's headers, looked up regardless of case (as HTTP libraries do).

    Returns:
        Why not, or None if it may.
    """
    return _of_caller(api_key, peer, headers) or _of_body(method, headers)


def _of_caller(api_key: Secret, peer: str, headers: Mapping[str, str]) -> Refusal | None:
    if api_key:
        return None if _holds(api_key, headers.get("Authorization", "")) else _UNAUTHORIZED
    told = _tells_of_others(peer, headers)
    if told:
        return Refusal(403, "forbidden", f"without an API key {told} is not served; {_REMEDY}")
    return None


_UNAUTHORIZED: Final = Refusal(
    401, "unauthorized", "the API key is missing or wrong; send 'Authorization: Bearer KEY'"
)


def _holds(api_key: Secret, authorization: str) -> bool:
    scheme, _, given = authorization.partition(" ")
    same = hmac.compare_digest(api_key.reveal().encode(), given.strip().encode("utf-8", "replace"))
    return same and scheme.lower() == BEARER


def _tells_of_others(peer: str, headers: Mapping[str, str]) -> str:
    host = headers.get("Host", "")
    origin = headers.get("Origin")
    if not is_loopback(peer):
        return "a request from another machine"
    if not is_loopback(_host_of(host)):
        return f"a request to the host {host!r}"
    if origin is not None and origin.lower() not in _own_origins(host, headers):
        return f"a request of a page from {origin!r}"
    if any(name.lower().startswith(_PROXY_HEADERS) for name in headers):
        return "a request that a proxy passed on"
    return ""


def _own_origins(host: str, headers: Mapping[str, str]) -> set[str]:
    """Return the origins, in lower case, that are those of the port itself."""
    hosts = {host.lower()}
    if headers.get("Upgrade", "").lower() == "websocket":
        hosts.add(host.lower().removesuffix(_port_of(host)))
    return {f"{scheme}://{each}" for scheme in ("http", "https") for each in hosts}


def _of_body(method: str, headers: Mapping[str, str]) -> Refusal | None:
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if method != "POST" or kind == "application/json":
        return None
    given = f"not {kind}" if kind else "and the request says none"
    text = f"the content type must be application/json, {given}"
    return Refusal(415, "unsupported_media_type", text)


def _port_of(host: str) -> str:
    """Return the port of a `Host` header with its colon, empty if there is none."""
    return host[len(f"[{_host_of(host)}]" if host.startswith("[") else _host_of(host)) :]


def _host_of(host: str) -> str:
    """Take the port and the brackets off a `Host` header."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
