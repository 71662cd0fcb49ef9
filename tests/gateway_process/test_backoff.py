from gateway_process.backoff import HEALTHY, Backoff


def test_delays_double_up_to_the_longest() -> None:
    """A child that crashes again and again waits longer each time, and never too long."""
    backoff = Backoff()
    assert [backoff.delay(None, now) for now in range(7)] == [0.5, 1, 2, 4, 8, 10, 10]


def test_a_healthy_run_starts_over() -> None:
    """After 30 s of being ready, former crashes are forgotten; a little less does not count."""
    backoff = Backoff()
    backoff.delay(None, 0)
    assert backoff.delay(0, HEALTHY - 0.1) == 1
    assert backoff.delay(100, 100 + HEALTHY) == 0.5
