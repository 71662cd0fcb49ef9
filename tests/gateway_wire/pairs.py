"""Two sides of a link without a network: what one queues, a test carries to the other."""

from typing import Any

from gateway_wire.commands import Command, Goodbye, Hello, Role
from gateway_wire.errors import ErrorCode
from gateway_wire.frames import BadCommand, FrameDecoder, decode_body
from gateway_wire.hello import Party
from gateway_wire.limits import MAX_FRAME
from gateway_wire.link import Link
from gateway_wire.state import Side

KEY = "of the cluster"
CLIENT = Party(Role.CLIENT, "c" * 16, "test/1")
GATEWAY = Party(Role.GATEWAY, "d" * 16, "test/2", ("shiny",))
REGISTER = Party(Role.REGISTER, "e" * 16)
HELLO = Hello(1, 1, "client", [], "test/1", "c" * 16, bytes(32))


def dialer(key: str = "", party: Party = CLIENT) -> Link:
    """Give a dialling side; its hello is queued."""
    return Link(Side.DIALER, party, key)


def acceptor(key: str = "", party: Party = GATEWAY) -> Link:
    """Give an accepting side."""
    return Link(Side.ACCEPTOR, party, key)


def join(one: Link, other: Link) -> None:
    """Carry bytes to and fro until neither side has anything to say."""
    while one.unsent or other.unsent:
        other.receive_data(one.data_to_send())
        one.receive_data(other.data_to_send())


def joined(key: str = "", client: Party = CLIENT, server: Party = GATEWAY) -> tuple[Link, Link]:
    """Give both sides of an open link."""
    one, other = dialer(key, client), acceptor(key, server)
    join(one, other)
    assert one.is_open
    assert other.is_open
    return one, other


def said(link: Link) -> list[tuple[Command | BadCommand, int]]:
    """Take what a side has to say, decoded."""
    bodies = FrameDecoder(MAX_FRAME).feed(link.data_to_send())
    return [decode_body(body)[:2] for body in bodies]


def goodbye_of(link: Link) -> Goodbye:
    """Take a side's last words."""
    (*_, (last, _)) = said(link)
    assert isinstance(last, Goodbye)
    return last


def failure(link: Link, kind: type[Exception], code: ErrorCode) -> Any:
    """Give why a link is over, checked for kind and code."""
    assert link.is_closed
    assert type(link.failure) is kind
    assert getattr(link.failure, "code", None) is code
    return link.failure
