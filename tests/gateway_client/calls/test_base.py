"""How the answers of several gateways become one."""

from __future__ import annotations

from gateway_client import METHODS, calls
from gateway_client.calls.base import added_up, flag, joined, only, reached, united
from gateway_client.reached import Reached
from gateway_wire.commands.replies import COUNTS, LISTS, SESSIONS


def test_counts_of_connections_add_up() -> None:
    """A connection is on one gateway, so sums are exact."""
    assert reached([2, 3]) == 5
    assert isinstance(reached([1]), Reached)
    assert (reached([]), reached([1000]), added_up([1, 2])) == (0, 1000, 3)


def test_lists_of_names_are_united() -> None:
    """A name that several gateways list stands once, in the order it came."""
    assert united([["a", "b"], ["b", "c"], []]) == ["a", "b", "c"]


def test_maps_are_joined_by_the_rule_of_their_shape() -> None:
    """Counts add, lists grow, sessions stand side by side; what was given is not changed."""
    answers = [{"g": 1}, {"g": 2, "h": 1}]
    assert joined(COUNTS, answers) == {"g": 3, "h": 1}
    assert answers == [{"g": 1}, {"g": 2, "h": 1}]
    assert joined(LISTS, [{"g": ["a"]}, {"g": ["b"]}]) == {"g": ["a", "b"]}
    assert joined(SESSIONS, [{"a": {}}, {"b": {}}]) == {"a": {}, "b": {}}


def test_the_one_gateway_that_holds_a_client_is_believed() -> None:
    """What it says is the answer; nobody to ask means that the client is not there."""
    assert (flag([True]), flag([False]), flag([])) == (True, False, False)
    assert (only(["5"]), only([{}]), only([])) == ("5", {}, None)


def test_the_catalogue_holds_every_method_by_name() -> None:
    """`METHODS` finds what `calls` exports, and each call carries its method's name."""
    exported = {name for name in calls.__all__ if name[0].islower()}
    assert set(METHODS) == exported
    assert calls.get_all_client_count().name == "get_all_client_count"
