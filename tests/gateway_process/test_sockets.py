import errno
import os
import socket

import pytest

from gateway_process.errors import SettingsError, StartupError
from gateway_process.secret import Secret
from gateway_process.sockets import address_of, bind, explain, refuse_open_without_secret
from gateway_wire.addresses import Address

ANY = Address("127.0.0.1", 0)


def close(sockets: list[socket.socket]) -> None:
    """Close them all."""
    for sock in sockets:
        sock.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_bind_listens_on_every_form_of_address(host: str) -> None:
    """IPv4, IPv6 and names are bound, and connections queue up at once."""
    (sock,) = bind(Address(host, 0), "--listen")
    with sock, socket.create_connection((host, address_of(sock).port)):
        assert address_of(sock).is_loopback


def test_one_process_does_not_share_its_port() -> None:
    """With one process SO_REUSEPORT is not set."""
    (sock,) = bind(ANY, "--listen")
    with sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 0


def test_several_processes_share_one_chosen_port() -> None:
    """Port 0 for three processes is one port with three sockets."""
    sockets = bind(ANY, "--listen", count=3)
    assert len({address_of(sock) for sock in sockets}) == 1
    assert all(sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) for sock in sockets)
    close(sockets)


def test_a_socket_that_does_not_listen_yet_refuses_connections() -> None:
    """A port that opens later is bound, and closed to browsers."""
    (sock,) = bind(ANY, "--listen", listening=False)
    with sock, pytest.raises(ConnectionRefusedError):
        socket.create_connection((address_of(sock).host, address_of(sock).port))


@pytest.mark.parametrize("first", [1, 2])
@pytest.mark.parametrize("second", [1, 2])
def test_port_in_use_is_seen_however_it_is_shared(first: int, second: int) -> None:
    """A second program on a port is told who holds it, also when either side shares ports."""
    sockets = bind(ANY, "--listen", count=first)
    address = address_of(sockets[0])
    with pytest.raises(StartupError) as caught:
        bind(address, "--listen", count=second)
    close(sockets)
    assert str(caught.value).startswith(f"--listen: {address} is in use by ")
    assert f"(pid {os.getpid()})" in str(caught.value)
    assert str(caught.value).endswith("stop it or choose another port")


def test_foreign_address_names_the_remedy() -> None:
    """An address this machine does not have is told so."""
    with pytest.raises(StartupError, match=r"192\.0\.2\.1:0 is not an address of this machine"):
        bind(Address("192.0.2.1", 0), "--advertise-bind")


def test_unknown_name_names_the_remedy() -> None:
    """A name that does not resolve is told so."""
    with pytest.raises(StartupError, match="no name that resolves"):
        bind(Address("no such name", 1), "--listen")


def test_privileged_port_names_the_remedy() -> None:
    """What the system does not permit is told with the way around it."""
    told = str(explain(OSError(errno.EACCES, "denied"), Address("0.0.0.0", 443), "--listen"))
    assert told.startswith("--listen: 0.0.0.0:443 is not permitted")
    assert "CAP_NET_BIND_SERVICE" in told
    assert "another port" in str(explain(OSError(errno.EACCES, "no"), Address("a", 8080), "-l"))


def test_other_failures_carry_the_system_s_words() -> None:
    """An error nobody foresaw is told as the system told it."""
    error = OSError(errno.EAFNOSUPPORT, "Address family not supported")
    assert "Address family not supported" in str(explain(error, Address("::1", 1), "--http"))


def test_open_listener_without_secret_is_refused() -> None:
    """What other machines reach needs a secret, loopback, or --insecure."""

    def check(host: str, secret: str = "", *, insecure: bool = False) -> None:
        refuse_open_without_secret(
            Address(host, 80),
            "http",
            secret=Secret(secret),
            secret_setting="api_key",
            insecure=insecure,
        )

    check("127.0.0.1")
    check("0.0.0.0", "x")
    check("0.0.0.0", insecure=True)
    with pytest.raises(SettingsError) as caught:
        check("0.0.0.0")
    assert str(caught.value) == (
        "http: '0.0.0.0:80' is open to other machines with no api key;"
        " give --api-key-file FILE, listen on 127.0.0.1, or allow it with --insecure"
    )
