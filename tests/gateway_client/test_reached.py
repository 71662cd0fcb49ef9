"""`Reached` is an int that says more."""

import copy
import json
import pickle

from gateway_client.reached import GatewayFailure, Reached

FAILURE = GatewayFailure("10.0.0.1:2900", "aaaaaaaaaaaa", "did not answer within 5 s")


def test_a_reached_is_the_number_everywhere() -> None:
    """It compares, adds, formats and serializes as its number."""
    reached = Reached(3, not_sent=(FAILURE,))
    assert reached == 3
    assert reached + 1 == 4
    assert f"{reached} {reached:03d}" == "3 003"
    assert str(reached) == "3"
    assert json.dumps({"n": reached}) == '{"n": 3}'


def test_a_complete_one_has_no_failures() -> None:
    """Without failures both tuples are empty."""
    assert Reached(0).not_sent == Reached(0).unknown == ()
    assert Reached(2).is_complete
    assert not Reached(2, unknown=(FAILURE,)).is_complete


def test_copies_and_pickles_keep_the_failures() -> None:
    """A copy and a pickle round trip keep number and failures."""
    reached = Reached(1, (FAILURE,), (FAILURE,))
    for twin in (copy.copy(reached), copy.deepcopy(reached), pickle.loads(pickle.dumps(reached))):
        assert (twin, twin.not_sent, twin.unknown) == (1, (FAILURE,), (FAILURE,))


def test_the_representation_shows_what_is_missing() -> None:
    """The repr is short when complete and names the failures otherwise."""
    assert repr(Reached(2)) == "Reached(2)"
    assert "not_sent=(GatewayFailure" in repr(Reached(2, (FAILURE,)))
    assert "unknown=" in repr(Reached(2, (), (FAILURE,)))


def test_a_failure_reads_as_a_sentence() -> None:
    """A failure's text names the gateway and what happened."""
    assert str(FAILURE) == "gateway 10.0.0.1:2900 did not answer within 5 s"
