"""Sessions: what a handler sees and changes, whatever is on the way between worker and gateway."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from businessworker.sessions import NO_SESSION, OpenSession, Patch, SessionCopy
from gateway_wire.errors import MessageTooLarge

KEYS = st.sampled_from(["a", "b", "c", 1, 2])
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats() | st.binary()
VALUES = st.recursive(
    SCALARS | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=5,
)
SESSIONS = st.dictionaries(KEYS, VALUES, max_size=4)


def copy_of(**session: Any) -> SessionCopy:
    """Make the copy of a session."""
    return NO_SESSION.renewed(session)


def seen(session: SessionCopy) -> dict[Any, Any]:
    """Give what a handler would see."""
    return dict(OpenSession(session))


def patch_of(session: SessionCopy, **changes: Any) -> Patch:
    """Make the patch of a handler that sets some keys."""
    opened = OpenSession(session)
    opened.update(changes)
    patch = opened.changes()
    assert patch is not None
    return patch


def test_an_untouched_session_is_unchanged() -> None:
    """A handler that only reads leaves nothing to send."""
    opened = OpenSession(copy_of(cart=[1, 2], name="ann"))
    assert opened["cart"] == [1, 2]
    assert opened.changes() is None


def test_a_change_deep_inside_is_found() -> None:
    """What is changed in a nested list or dict is a change of its top-level key."""
    opened = OpenSession(copy_of(cart={"items": [1]}, name="ann"))
    opened["cart"]["items"].append(2)
    patch = opened.changes()
    assert patch is not None
    command = patch.command("c")
    assert (command.client_id, command.changed, command.removed) == (
        "c",
        {"cart": {"items": [1, 2]}},
        [],
    )


def test_removed_keys_are_named() -> None:
    """A key that was there and is not any more is removed; one that came and went is nothing."""
    opened = OpenSession(copy_of(a=1, b=2))
    del opened["a"]
    opened["x"] = 1
    del opened["x"]
    patch = opened.changes()
    assert patch is not None
    assert (patch.changed, patch.removed) == ({}, ["a"])


def test_writing_the_same_value_is_no_change() -> None:
    """Only what differs travels."""
    opened = OpenSession(copy_of(a=[1]))
    opened["a"] = [1]
    assert opened.changes() is None


def test_true_is_not_one() -> None:
    """A value of another type is a change, though Python calls them equal."""
    opened = OpenSession(copy_of(a=1))
    opened["a"] = True
    assert opened.changes() is not None


def test_what_a_handler_keeps_does_not_reach_the_session() -> None:
    """A list that a handler kept from an earlier event is not the session's any more."""
    session = copy_of(cart=[1])
    kept = OpenSession(session)["cart"]
    kept.append(2)
    assert seen(session) == {"cart": [1]}


@pytest.mark.parametrize(
    ("value", "error", "place"),
    [
        ({1, 2}, TypeError, r"session\['x'\]\['deep'\]"),
        ((1, 2), TypeError, r"session\['x'\]\['deep'\]"),
        (2**64, ValueError, r"session\['x'\]\['deep'\]"),
        ("\udc00", ValueError, r"session\['x'\]\['deep'\]"),
    ],
)
def test_a_value_that_no_session_holds_is_named(
    value: object, error: type[Exception], place: str
) -> None:
    """The error says where the value stands."""
    opened = OpenSession(NO_SESSION)
    opened["x"] = {"deep": value}
    with pytest.raises(error, match=place):
        opened.changes()


def test_a_key_that_no_session_has_is_named() -> None:
    """Keys are str or int."""
    opened = OpenSession(NO_SESSION)
    opened[1.5] = 1
    with pytest.raises(TypeError, match=r"the key 1\.5"):
        opened.changes()


def test_a_session_that_grew_too_large_is_refused_as_a_whole() -> None:
    """The limit counts all keys, also those that the handler did not touch."""
    session = copy_of(old="x" * 700_000)
    opened = OpenSession(session)
    opened["new"] = "x" * 400_000
    with pytest.raises(MessageTooLarge, match="the session has 1,100,0"):
        opened.changes()


def test_the_limit_is_the_gateways() -> None:
    """The largest session that a gateway takes is taken here, and one byte more is not."""
    room = 1024 * 1024 - len(b"\x81") - len(b"\xa1k") - len(b"\xdb....")
    opened = OpenSession(NO_SESSION)
    opened["k"] = "x" * room
    assert opened.changes() is not None
    opened["k"] += "x"
    with pytest.raises(MessageTooLarge):
        opened.changes()


def test_own_writes_stay_over_what_the_gateway_said_before_it_had_them() -> None:
    """A session that was on its way while a patch was sent does not undo the patch."""
    session = copy_of(a=1, b=1)
    patch = patch_of(session, a=2)
    session = session.patched(patch)
    session = session.renewed({"a": 1, "b": 9})
    assert seen(session) == {"a": 2, "b": 9}
    session = session.settled(patch, taken=True)
    assert seen(session) == {"a": 2, "b": 9}


def test_what_the_gateway_says_after_it_had_a_patch_counts() -> None:
    """Another hand that wrote the same key later has the last word."""
    session = copy_of(a=1)
    patch = patch_of(session, a=2)
    session = session.patched(patch).settled(patch, taken=True).renewed({"a": 3})
    assert seen(session) == {"a": 3}


def test_a_refused_patch_is_taken_back() -> None:
    """The copy is again what the gateway has, and later patches stay."""
    session = copy_of(a=1, b=1)
    refused = patch_of(session, a=2)
    session = session.patched(refused)
    later = patch_of(session, b=2)
    session = session.patched(later).settled(refused, taken=False)
    assert seen(session) == {"a": 1, "b": 2}


def test_clients_without_a_session_share_one() -> None:
    """An empty session costs no memory, also when it has become empty."""
    session = copy_of(a=1)
    opened = OpenSession(session)
    opened.clear()
    patch = opened.changes()
    assert patch is not None
    assert session.patched(patch).settled(patch, taken=True) is NO_SESSION
    assert session.renewed({}) is NO_SESSION
    assert repr(patch) == "<Patch of [], without ['a']>"
    assert repr(session.patched(patch)) == "<SessionCopy of [], 1 patches on the way>"


@given(SESSIONS, st.data())
def test_an_open_session_is_a_dict(session: dict[Any, Any], data: st.DataObject) -> None:
    """Whatever is done to it, it is what a dict would be, in the same order, and so is the patch."""
    model = copy.deepcopy(session)
    base = NO_SESSION.renewed(session)
    opened = OpenSession(base)
    for _ in range(data.draw(st.integers(0, 6))):
        key, value = data.draw(KEYS), data.draw(VALUES)
        action = data.draw(st.sampled_from(["set", "pop", "popitem", "clear", "nest", "default"]))
        for target in (model, opened):
            _act(action, target, key, copy.deepcopy(value))
    assert repr(opened) == repr(model)
    assert [*reversed(opened)] == [*reversed(model)]
    patch = opened.changes()
    after = base if patch is None else base.patched(patch).settled(patch, taken=True)
    assert NO_SESSION.renewed(model).packed() == after.packed()


def _act(action: str, target: Any, key: object, value: object) -> None:
    if action == "set":
        target[key] = value
    elif action == "pop":
        target.pop(key, None)
    elif action == "popitem" and len(target):
        target.popitem()
    elif action == "clear":
        target.clear()
    elif action == "nest" and isinstance(target.get(key), list):
        target[key].append(value)
    elif action == "default":
        target.setdefault(key, value)


class Races(RuleBasedStateMachine):
    """Worker and gateway with a link between them, in both directions in order.

    The gateway's session is the truth. Another hand writes there, the worker's handlers write here;
    whatever order things travel in, a handler sees its own writes, and in the end both are alike.
    """

    def __init__(self) -> None:
        super().__init__()
        self.truth: dict[str, int] = {"a": 0}
        self.is_moved = False
        self.worker = NO_SESSION.renewed(self.truth)
        self.to_gateway: list[Patch] = []
        self.to_worker: list[tuple[Patch | None, Any]] = []
        self.clock = 0

    @rule(key=st.sampled_from("abc"), delete=st.booleans())
    def handler_writes(self, key: str, delete: bool) -> None:
        self.clock += 1
        opened = OpenSession(self.worker)
        if delete:
            opened.pop(key, None)
        else:
            opened[key] = self.clock
        expected = dict(opened)
        patch = opened.changes()
        if patch is not None:
            self.worker = self.worker.patched(patch)
            self.to_gateway.append(patch)
        assert seen(self.worker) == expected

    @rule(key=st.sampled_from("abc"))
    def another_hand_writes(self, key: str) -> None:
        self.clock += 1
        self.truth[key] = self.clock
        self.is_moved = True

    @precondition(lambda self: self.to_gateway)
    @rule(refuse=st.booleans())
    def gateway_takes_a_patch(self, refuse: bool) -> None:
        patch = self.to_gateway.pop(0)
        if not refuse:
            command = patch.command("c")
            self.truth.update(command.changed)
            for key in command.removed:
                self.truth.pop(key, None)
        self.to_worker.append((patch, not refuse))

    @rule()
    def an_event_comes(self) -> None:
        if self.is_moved:
            self.to_worker.append((None, dict(self.truth)))
            self.is_moved = False

    @precondition(lambda self: self.to_worker)
    @rule()
    def worker_hears(self) -> None:
        patch, word = self.to_worker.pop(0)
        if patch is None:
            self.worker = self.worker.renewed(word)
        else:
            self.worker = self.worker.settled(patch, taken=word)

    @invariant()
    def all_is_alike_when_nothing_is_on_the_way(self) -> None:
        if not (self.to_gateway or self.to_worker or self.is_moved):
            assert seen(self.worker) == self.truth

    def teardown(self) -> None:
        """Let everything arrive; then both must be alike."""
        while self.to_gateway:
            self.gateway_takes_a_patch(refuse=False)
        self.an_event_comes()
        while self.to_worker:
            self.worker_hears()
        assert seen(self.worker) == self.truth


def test_worker_and_gateway_agree_whatever_the_order() -> None:
    """No order in which patches, answers and sessions travel makes the copies differ for good."""
    Races.TestCase().runTest()
