"""How the limits stand to each other: what one promises another must allow."""

from gateway_wire import limits
from gateway_wire.aio import dialer
from gateway_wire.commands import SendToClients
from gateway_wire.frames import encode_frame
from gateway_wire.redial import REDIAL_MAX
from tests.gateway_wire.samples import CLIENT_ID


def test_the_largest_message_fits_a_frame_beside_targets() -> None:
    """A message of the ceiling can be sent to hundreds of connections in one command."""
    message = b"x" * limits.MAX_MESSAGE_CEILING

    frame = encode_frame(SendToClients([CLIENT_ID] * 1000, message), 2**32)

    assert len(frame) <= limits.MAX_FRAME
    assert limits.DEFAULT_MAX_MESSAGE <= limits.MAX_MESSAGE_CEILING


def test_a_full_part_fits_a_frame() -> None:
    """A part that is closed at its bytes has room for one more name of any length."""
    assert limits.MAX_FRAME // 4 + limits.MAX_ID_LENGTH < limits.MAX_FRAME


def test_a_session_fits_a_frame() -> None:
    """The largest session travels in one command."""
    assert limits.MAX_SESSION < limits.MAX_FRAME


def test_a_dead_gateway_is_gone_within_ten_seconds() -> None:
    """Silence, found at a look each second, ends below ten seconds after several missed signs."""
    assert limits.NODE_SILENCE + 1.0 < 10
    assert limits.NODE_SILENCE > 3 * limits.ANNOUNCE_INTERVAL


def test_a_restarted_register_is_complete_before_it_has_settled() -> None:
    """Every living gateway has redialled, and been heard once more, within the settling time."""
    assert REDIAL_MAX + dialer.CONNECT_TIMEOUT < limits.SETTLING_TIME


def test_several_large_messages_may_wait_on_a_link() -> None:
    """The bound of unsent bytes is far above one frame."""
    assert limits.MAX_UNSENT >= 4 * limits.MAX_FRAME
