"""The request with which a client opened its websocket, as an application's handlers receive it.

A worker's handlers and a gateway's entry module are given the same. What few of them look at is read
when it is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs, unquote

__all__ = ["Headers", "Request"]


class Headers(Mapping[str, str]):
    """Header values by name, whatever its case; values of a repeated name are joined by `, `."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def __repr__(self) -> str:
        return f"Headers({dict(self._values)!r})"

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class Request:
    """A websocket handshake.

    Attributes:
        path: The path, percent-decoded, without the query.
        query_string: The query as the browser sent it, without `?`; empty if there was none.
        headers: The headers.
        remote_addr: The browser's address.
        listener: The URL that it connected to, as the gateway's ready line names it.
    """

    __slots__ = ("headers", "listener", "path", "query_string", "remote_addr")

    def __init__(
        self,
        path: str,
        query: str,
        headers: Mapping[str, str],
        *,
        remote_addr: str,
        listener: str,
    ) -> None:
        """Keep what the gateway was told.

        Args:
            path: The path as the browser sent it.
            query: The query, without `?`.
            headers: Header values by lower-case name.
            remote_addr: The browser's address.
            listener: The URL that it connected to.
        """
        self.path = unquote(path)
        self.query_string = query
        self.headers = Headers(headers)
        self.remote_addr = remote_addr
        self.listener = listener

    def __repr__(self) -> str:
        return f"<Request {self.path} from {self.remote_addr}>"

    @property
    def query(self) -> dict[str, str]:
        """The query's values by name, decoded; the last of a repeated name counts."""
        return {name: values[-1] for name, values in self._query().items()}

    def query_values(self, name: str) -> list[str]:
        """Return all values that the query has for a name, in their order."""
        return self._query().get(name, [])

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies' values by name, as sent; the first of a repeated name counts.

        Browsers send the cookie of the longest path first (RFC 6265, section 5.4).
        """
        pairs = (part.partition("=") for part in self.headers.get("cookie", "").split(";"))
        found: dict[str, str] = {}
        for name, equals, value in pairs:
            if equals:
                found.setdefault(name.strip(), value.strip().strip('"'))
        return found

    def _query(self) -> dict[str, list[str]]:
        return parse_qs(self.query_string, keep_blank_values=True)
