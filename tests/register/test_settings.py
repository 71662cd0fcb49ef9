"""What a register can be told, and what it refuses to be told."""

import pytest

from gateway_process.errors import SettingsError
from gateway_process.secret import Secret
from gateway_wire.addresses import Address
from register.settings import RegisterSettings

KEY = Secret("s3cret")
EVERYWHERE = Address("0.0.0.0", 1236)


def test_by_default_it_is_for_this_machine() -> None:
    """Both ports are on loopback, where the gateways' default looks for them."""
    settings = RegisterSettings()

    assert str(settings.listen) == "127.0.0.1:1236"
    assert str(settings.http) == "127.0.0.1:6787"


@pytest.mark.parametrize(
    ("given", "named", "remedy"),
    [
        ({"listen": EVERYWHERE}, "listen", "--secret-key-file"),
        ({"listen": EVERYWHERE, "api_key": KEY}, "listen", "--secret-key-file"),
        ({"http": EVERYWHERE}, "http", "--api-key-file"),
        ({"http": EVERYWHERE, "secret_key": KEY}, "http", "--api-key-file"),
    ],
)
def test_a_port_for_others_needs_its_own_secret(
    given: dict[str, object], named: str, remedy: str
) -> None:
    """The secret key guards the links, the API key HTTP; neither stands in for the other."""
    with pytest.raises(SettingsError, match=remedy) as caught:
        RegisterSettings(**given)  # type: ignore[arg-type]

    assert caught.value.setting == named


def test_with_secrets_or_on_demand_it_is_open() -> None:
    """Both secrets open both ports, and so does an administrator's word."""
    RegisterSettings(listen=EVERYWHERE, http=EVERYWHERE, secret_key=KEY, api_key=KEY)
    RegisterSettings(listen=EVERYWHERE, http=EVERYWHERE, insecure=True)
