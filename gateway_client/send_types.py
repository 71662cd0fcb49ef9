"""The types of the four sends, whose result depends on `confirm`.

`confirm=False` gives None, and a type checker should say so. A builder that is overloaded would lose
that on its way through `ParamSpec`, so the four are written out here, for both facades:
`Confirmed_co` is what a confirmed send gives, `Unconfirmed_co` what an unconfirmed one does.
"""

from __future__ import annotations

from typing import Literal, Protocol, TypeVar, overload

from gateway_wire.messages import Message
from gateway_wire.names import ClientIds, Names

__all__ = ["SendToAll", "SendToClient", "SendToGroup", "SendToUid"]

Confirmed_co = TypeVar("Confirmed_co", covariant=True)
Unconfirmed_co = TypeVar("Unconfirmed_co", covariant=True)


class SendToAll(Protocol[Confirmed_co, Unconfirmed_co]):
    """The type of `send_to_all`."""

    @overload
    def __call__(
        self,
        message: Message,
        client_ids: ClientIds | None = None,
        exclude_client_ids: ClientIds | None = None,
        *,
        confirm: Literal[True] = True,
        strict: bool = False,
        timeout: float | None = None,
    ) -> Confirmed_co: ...

    @overload
    def __call__(
        self,
        message: Message,
        client_ids: ClientIds | None = None,
        exclude_client_ids: ClientIds | None = None,
        *,
        confirm: Literal[False],
        strict: bool = False,
        timeout: float | None = None,
    ) -> Unconfirmed_co: ...

    @overload
    def __call__(
        self,
        message: Message,
        client_ids: ClientIds | None = None,
        exclude_client_ids: ClientIds | None = None,
        *,
        confirm: bool,
        strict: bool = False,
        timeout: float | None = None,
    ) -> Confirmed_co | Unconfirmed_co: ...


class SendToClient(Protocol[Confirmed_co, Unconfirmed_co]):
    """The type of `send_to_client`."""

    @overload
    def __call__(
        self,
        client_id: str,
        message: Message,
        *,
        confirm: Literal[True] = True,
        timeout: float | None = None,
    ) -> Confirmed_co: ...

    @overload
    def __call__(
        self,
        client_id: str,
        message: Message,
        *,
        confirm: Literal[False],
        timeout: float | None = None,
    ) -> Unconfirmed_co: ...

    @overload
    def __call__(
        self,
        client_id: str,
        message: Message,
        *,
        confirm: bool,
        timeout: float | None = None,
    ) -> Confirmed_co | Unconfirmed_co: ...


class SendToUid(Protocol[Confirmed_co, Unconfirmed_co]):
    """The type of `send_to_uid`."""

    @overload
    def __call__(
        self,
        uid: Names,
        message: Message,
        *,
        confirm: Literal[True] = True,
        strict: bool = False,
        timeout: float | None = None,
    ) -> Confirmed_co: ...

    @overload
    def __call__(
        self,
        uid: Names,
        message: Message,
        *,
        confirm: Literal[False],
        strict: bool = False,
        timeout: float | None = None,
    ) -> Unconfirmed_co: ...

    @overload
    def __call__(
        self,
        uid: Names,
        message: Message,
        *,
        confirm: bool,
        strict: bool = False,
        timeout: float | None = None,
    ) -> Confirmed_co | Unconfirmed_co: ...


class SendToGroup(Protocol[Confirmed_co, Unconfirmed_co]):
    """The type of `send_to_group`."""

    @overload
    def __call__(
        self,
        group: Names,
        message: Message,
        exclude_client_ids: ClientIds | None = None,
        *,
        confirm: Literal[True] = True,
        strict: bool = False,
        timeout: float | None = None,
    ) -> Confirmed_co: ...

    @overload
    def __call__(
        self,
        group: Names,
        message: Message,
        exclude_client_ids: ClientIds | None = None,
        *,
        confirm: Literal[False],
        strict: bool = False,
        timeout: float | None = None,
    ) -> Unconfirmed_co: ...

    @overload
    def __call__(
        self,
        group: Names,
        message: Message,
        exclude_client_ids: ClientIds | None = None,
        *,
        confirm: bool,
        strict: bool = False,
        timeout: float | None = None,
    ) -> Confirmed_co | Unconfirmed_co: ...
