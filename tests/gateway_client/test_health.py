"""Which gateways are left alone, and for how long."""

from gateway_client.health import REFUSED_PAUSE, SKIP_MAX, SKIP_MIN, Health


def test_one_that_refused_is_not_dialled_for_a_second() -> None:
    """It may still be asked on links that are open."""
    health = Health()
    health.refused("a", "could not be reached: refused", 10.0)
    assert "refused" in (health.why_not_dial("a", 10.5) or "")
    assert health.why_not_ask("a", 10.5) is None
    assert health.why_not_dial("a", 10.0 + REFUSED_PAUSE) is None


def test_one_that_timed_out_is_skipped_and_then_tried_by_one_caller() -> None:
    """After the pause the first caller tries it and the others go on skipping it."""
    health = Health()
    health.timed_out("a", "did not answer", 10.0)
    assert "left alone" in (health.why_not_ask("a", 10.5) or "")
    later = 10.0 + SKIP_MIN
    assert health.why_not_ask("a", later) is None
    assert "another call is trying it" in (health.why_not_ask("a", later) or "")


def test_the_pause_doubles_up_to_its_limit() -> None:
    """Each further timeout doubles the pause, up to ten seconds."""
    health, now, pauses = Health(), 0.0, []
    health.timed_out("a", "silent", now)
    pause = SKIP_MIN
    for _ in range(6):
        now += pause
        assert health.why_not_ask("a", now) is None
        health.timed_out("a", "silent", now)
        pause = min(pause * 2, SKIP_MAX)
        assert health.why_not_ask("a", now + pause - 0.01) is not None
        pauses.append(pause)
    assert pauses == [2, 4, 8, 10, 10, 10]


def test_callers_that_time_out_together_count_once() -> None:
    """Ten calls that were under way when a gateway froze are one timeout."""
    health = Health()
    for _ in range(10):
        health.timed_out("a", "silent", 10.0)
    assert health.why_not_ask("a", 10.0 + SKIP_MIN) is None


def test_an_answer_makes_everything_well() -> None:
    """After an answer a gateway is asked and dialled as ever."""
    health = Health()
    health.timed_out("a", "silent", 10.0)
    health.refused("b", "refused", 10.0)
    health.answered("a")
    health.answered("b")
    assert health.why_not_ask("a", 10.1) is None
    assert health.why_not_dial("b", 10.1) is None
    assert health.is_quiet


def test_a_trial_that_was_interrupted_is_left_to_the_next_caller() -> None:
    """Who gave up without learning anything lets another one try."""
    health = Health()
    health.timed_out("a", "silent", 10.0)
    assert health.why_not_ask("a", 11.0) is None
    health.let_go("a")
    assert health.why_not_ask("a", 11.0) is None
    assert repr(health) == "<Health 0 refused, 1 silent>"
