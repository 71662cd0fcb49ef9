from gateway_process.settings import specs_of
from gateway_process.shared import MemberSettings, SharedSettings


def test_shared_settings_are_all_shared() -> None:
    """What every role has may stand at the top of a file and in unprefixed variables."""
    assert all(spec.says.shared for spec in specs_of(MemberSettings))


def test_register_is_a_member_s_setting() -> None:
    """A register itself has no register to dial."""
    names = {spec.name for spec in specs_of(SharedSettings)}
    assert {spec.name for spec in specs_of(MemberSettings)} - names == {"register"}
