"""The tables of the HTTP documents."""

from gateway.admin.metrics import CATALOGUE
from gateway.admin.problems import Problem
from gateway_client.calls import METHODS
from scripts.http_docs import methods, metrics, problems


def test_every_method_has_a_row() -> None:
    """Arguments that may be left out stand in brackets, options without code marks."""
    table = methods()
    assert all(f"| `{name}` |" in table for name in METHODS)
    assert "| `send_to_client` | `client_id`, `message`, [confirm], [timeout] | a number |" in table


def test_every_problem_has_a_row() -> None:
    """Each code stands with its status."""
    table = problems()
    assert all(f"| `{each.code}` | {each.status} |" in table for each in Problem)


def test_every_metric_has_a_row() -> None:
    """Ours and those of the process, with kind and label."""
    table = metrics()
    assert all(f"| `{each.full_name}` |" in table for each in CATALOGUE)
    assert "connections_closed_total` | counter | `reason` |" in table
    assert "process_open_fds` | gauge |  |" in table
