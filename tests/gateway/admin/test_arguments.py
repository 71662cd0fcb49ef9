"""From JSON to arguments."""

import pytest

from gateway.admin.arguments import arguments_of, builder_of, decode_body, positioned
from gateway.admin.problems import ApiError, Problem
from gateway_client.calls import METHODS
from gateway_wire.commands import check_session


def problem(method: str, given: dict[str, object]) -> tuple[Problem, str]:
    """Give what is wrong with the arguments of a method."""
    with pytest.raises(ApiError) as caught:
        arguments_of(METHODS[method], given)
    return caught.value.problem, str(caught.value)


def test_a_method_is_found_by_name() -> None:
    """The catalogue is the client library's own."""
    assert builder_of(METHODS, "send_to_uid") is METHODS["send_to_uid"]


@pytest.mark.parametrize("name", ["send_to_uidd", "sendToUid"])
def test_an_unknown_method_names_the_nearest(name: str) -> None:
    """A slip of the pen, and the PHP name, lead to ours."""
    with pytest.raises(ApiError, match="did you mean send_to_uid") as caught:
        builder_of(METHODS, name)
    assert caught.value.problem is Problem.UNKNOWN_METHOD


def test_a_method_that_is_like_none_is_just_unknown() -> None:
    """No suggestion is better than a wrong one."""
    with pytest.raises(ApiError, match=r"^there is no method 'xyz'$"):
        builder_of(METHODS, "xyz")


def test_no_body_is_an_empty_object() -> None:
    """A method without arguments needs no `{}`."""
    assert decode_body(b"") == {}
    assert decode_body(b' {"a": [1]} ') == {"a": [1]}


@pytest.mark.parametrize(
    "body", [b"{", b"[1]", b"null", b"\xff", b'{"a": NaN}', b"[" * 100_000, b"1" * 5_000]
)
def test_what_is_no_object_is_refused(body: bytes) -> None:
    """Broken, deep, not UTF-8, not standard JSON, or of another type: all are told, none crashes."""
    with pytest.raises(ApiError) as caught:
        decode_body(body)
    assert caught.value.problem is Problem.INVALID_JSON


def test_arguments_are_passed_by_name() -> None:
    """What needs no conversion is passed on as it is."""
    given = {"uid": 7, "message": {"type": "tick"}, "confirm": False, "timeout": 2}
    assert arguments_of(METHODS["send_to_uid"], given) == given


@pytest.mark.parametrize(
    ("name", "right"),
    [("uids", "did you mean uid?"), ("text", "it takes uid, message, confirm, strict, timeout")],
)
def test_an_unknown_argument_names_the_nearest_or_all(name: str, right: str) -> None:
    """A misspelt argument is not ignored."""
    what = problem("send_to_uid", {name: "7", "message": "x"})
    assert what == (Problem.UNKNOWN_ARGUMENT, f"send_to_uid has no argument {name!r}; {right}")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"message": "x"}, "send_to_uid needs the argument 'uid'"),
        ({"uid": "7"}, "send_to_uid needs the argument 'message' or 'message_base64'"),
    ],
)
def test_a_missing_argument_is_named(given: dict[str, object], text: str) -> None:
    """The answer says which one, and how a message may be given."""
    assert problem("send_to_uid", given) == (Problem.MISSING_ARGUMENT, text)


def test_base64_is_a_binary_message() -> None:
    """`message_base64` takes the place of `message`."""
    given = {"uid": "7", "message_base64": "AP8="}
    assert arguments_of(METHODS["send_to_uid"], given) == {"uid": "7", "message": b"\x00\xff"}


def test_base64_is_binary_data() -> None:
    """`data_base64` takes the place of `data`."""
    given = {"channel": "news", "data_base64": "AP8="}
    assert arguments_of(METHODS["publish"], given) == {"channel": "news", "data": b"\x00\xff"}
    what = problem("publish", {"channel": "news"})
    text = "publish needs the argument 'data' or 'data_base64'"
    assert what == (Problem.MISSING_ARGUMENT, text)


@pytest.mark.parametrize("channels", ["a", ["a"]])
def test_an_array_stands_for_arguments_that_come_one_by_one(channels: object) -> None:
    """One alone may stand for itself."""
    given = {"channels": channels, "client_id": "x", "timeout": 1}
    arguments = arguments_of(METHODS["subscribe"], given)
    assert positioned(METHODS["subscribe"], arguments) == (("x", "a"), {"timeout": 1.0})
    what, text = problem("subscribe", {"client_id": "x"})
    assert (what, text) == (Problem.MISSING_ARGUMENT, "subscribe needs the argument 'channels'")


def test_only_methods_with_a_message_take_a_binary_one() -> None:
    """Elsewhere `message_base64` is as unknown as any other name."""
    what, _ = problem("is_online", {"client_id": "x", "message_base64": ""})
    assert what is Problem.UNKNOWN_ARGUMENT


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"message": 1}, "message is a number: give text"),
        ({"message": True}, "message is true or false: give text"),
        ({"message_base64": "?"}, "message_base64 is not Base64"),
        ({"message_base64": "é"}, "message_base64 is not Base64"),
        ({"message_base64": None}, "message_base64 is null, not text in Base64"),
        ({"message": "x", "message_base64": "AA=="}, "exclude each other"),
        ({"message": "x", "confirm": "no"}, "confirm is text: give true or false"),
        ({"message": "x", "strict": 1}, "strict is a number: give true or false"),
        ({"message": "x", "timeout": 0}, "timeout is 0: give seconds"),
        ({"message": "x", "timeout": True}, "timeout is True: give seconds"),
        ({"message": "x", "timeout": 1e999}, "timeout is inf: give seconds"),
        ({"message": "x", "timeout": "5"}, "timeout is '5': give seconds"),
    ],
)
def test_an_argument_of_the_wrong_type_is_named(more: dict[str, object], text: str) -> None:
    """Messages and options are of the type that they are documented with."""
    what, message = problem("send_to_uid", {"uid": "7", **more})
    assert what is Problem.INVALID_ARGUMENT
    assert text in message


@pytest.mark.parametrize("value", [None, "maybe", ["raise"]])
def test_partial_is_one_of_two_words(value: object) -> None:
    """What to do with half an answer is said or left out."""
    what, message = problem("get_all_client_count", {"partial": value})
    assert what is Problem.INVALID_ARGUMENT
    assert 'give "raise" or "return"' in message


def test_no_timeout_is_the_usual_one() -> None:
    """`null` stands for the library's default."""
    assert arguments_of(METHODS["get_all_uid_count"], {"timeout": None}) == {"timeout": None}


def test_a_session_holds_bytes() -> None:
    """A map with the one key `$base64` is binary data, at any depth."""
    given = {"client_id": "x", "session": {"a": [{"$base64": "AP8="}], "b": {"$base64": 1, "c": 2}}}
    session = arguments_of(METHODS["set_session"], given)["session"]
    assert session == {"a": [b"\x00\xff"], "b": {"$base64": 1, "c": 2}}


def test_a_session_may_not_be_endlessly_deep() -> None:
    """What is too deep for a session is left to the library, which says so."""
    session: dict[str, object] = {}
    for _ in range(5_000):
        session = {"a": session}
    given = {"client_id": "x", "session": session}
    with pytest.raises(ValueError, match="nested deeper"):
        check_session(arguments_of(METHODS["set_session"], given)["session"])


def test_broken_bytes_of_a_session_are_told() -> None:
    """The message says where."""
    what, message = problem(
        "update_session", {"client_id": "x", "session": {"a": {"$base64": "?"}}}
    )
    assert what is Problem.INVALID_ARGUMENT
    assert message.startswith("$base64 in session is not Base64")


def test_names_of_a_batch_are_text() -> None:
    """1 and "1" are one name, so that no answer has a key twice; what is no name stays as it is."""
    given = {"uids": [1, "1", "a", True, None]}
    assert arguments_of(METHODS["is_uids_online"], given) == {"uids": ["1", "1", "a", True, None]}
    assert arguments_of(METHODS["is_uids_online"], {"uids": 5}) == {"uids": 5}
