"""The errors of CONNMIX's API."""

from gateway.connmix.codes import Code, ConnmixError, bad_request


def test_the_numbers_are_connmixs() -> None:
    """They are a closed catalogue, which its clients' users know by number."""
    assert [each.value for each in Code] == [101, 201, 202, 203, 301, 401]


def test_an_error_tells_its_number_and_what_is_right() -> None:
    """The text of a log line."""
    error = ConnmixError(Code.SEND_FAILED, "the client 7 is not connected")

    assert str(error) == "401: the client 7 is not connected"
    assert bad_request("no").code is Code.BAD_REQUEST
