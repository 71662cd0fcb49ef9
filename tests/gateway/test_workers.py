"""Which worker gets the next client."""

from collections import Counter

from gateway.workers import Routing, Worker, choose
from gateway_wire.limits import NODE_SILENCE
from tests.gateway.worker_end import WorkerEnd

NOW = 1000.0


def workers(*clients: int, silent: tuple[int, ...] = ()) -> list[Worker]:
    """Give workers that have so many clients; those at the places `silent` are not heard."""
    made = []
    for number, count in enumerate(clients):
        heard = NOW - NODE_SILENCE if number in silent else NOW - 1
        worker = WorkerEnd(heard).worker("w", number)
        worker.clients = count
        made.append(worker)
    return made


def test_the_one_with_the_fewest_clients_is_chosen() -> None:
    """The first of them, if several have."""
    crew = workers(3, 1, 2, 1)

    assert choose(crew, Routing.LEAST_CONNECTIONS, NOW) is crew[1]


def test_one_that_leaves_is_not_chosen() -> None:
    """Nobody is, when all leave."""
    crew = workers(0, 5)
    crew[0].takes = False

    assert choose(crew, Routing.LEAST_CONNECTIONS, NOW) is crew[1]

    crew[1].takes = False

    assert choose(crew, Routing.LEAST_CONNECTIONS, NOW) is None
    assert choose([], Routing.RANDOM, NOW) is None


def test_one_that_is_silent_is_chosen_only_if_all_are() -> None:
    """A frozen process gets no new clients while another lives."""
    assert choose(crew := workers(0, 5, silent=(0,)), Routing.LEAST_CONNECTIONS, NOW) is crew[1]
    assert choose(crew := workers(0, 5, silent=(0, 1)), Routing.RANDOM, NOW) in crew


def test_chance_favours_nobody() -> None:
    """Of 1,000 choices among two each is chosen often, however many clients it has."""
    crew = workers(0, 500)
    chosen = Counter(choose(crew, Routing.RANDOM, NOW) for _ in range(1000))

    assert all(chosen[each] > 300 for each in crew)


def test_a_worker_says_who_it_is() -> None:
    """Logs name instance and process."""
    (worker,) = workers(7)
    worker.takes = False

    assert str(worker) == "w#0"
    assert repr(worker) == "<Worker w#0 leaving 7 clients, 0 unfinished>"
