"""How routes are read, and which one a connection takes."""

import pytest

from gateway.destination import Destination, Nowhere
from gateway.edge.interface import ConnectRequest
from gateway.routes import Route, Routes, Target, topics_of
from gateway_process.errors import BadValue
from gateway_wire.limits import MAX_ID_LENGTH


@pytest.mark.parametrize(
    ("raw", "route"),
    [
        ("queue:chat", Route(None, Target.QUEUE, "chat")),
        ("/chat=queue:chat", Route("/chat", Target.QUEUE, "chat")),
        (" /chat = queue:chat ", Route("/chat", Target.QUEUE, "chat")),
        ("/chat=queue:a=b", Route("/chat", Target.QUEUE, "a=b")),
        ("queue:/a=worker", Route(None, Target.QUEUE, "/a=worker")),
        ("/=worker", Route("/", Target.WORKER)),
        ("discard", Route(None, Target.DISCARD)),
        ("/admin/%C3%A4=entry", Route("/admin/%C3%A4", Target.ENTRY)),
        ({"path": "/chat", "to": "queue:chat"}, Route("/chat", Target.QUEUE, "chat")),
        ({"to": "worker"}, Route(None, Target.WORKER)),
    ],
)
def test_a_route_is_read_and_written_back(raw: object, route: Route) -> None:
    """Text and tables say the same, and what is written from a route is read as that route."""
    assert Route.parse(raw) == route
    assert Route.parse(str(route)) == route


@pytest.mark.parametrize(
    ("raw", "problem", "remedy"),
    [
        ("", "leads to ''", "write queue:TOPIC, worker"),
        ("/chat", "leads nowhere", "write /chat=queue:TOPIC"),
        ("/chat=", "leads to ''", "write queue:TOPIC"),
        ("chat=worker", "has the path 'chat'", "write /chat"),
        ("/a?b=worker", "has '?' in its path", "give the path alone"),
        ("/ä=worker", "has 'ä' in its path", "give the path alone, percent-encoded"),
        ("queue:", "names no topic", "write queue:TOPIC"),
        ("queue", "names no topic", "write queue:TOPIC"),
        ("queue:" + "x" * (MAX_ID_LENGTH + 1), "names a topic of more than", "give a shorter"),
        ("queu:chat", "leads to 'queu:chat'", "did you mean queue:chat?"),
        ("/a=workers", "leads to 'workers'", "did you mean worker?"),
        ("lua:chat", "leads to 'lua:chat'", "write queue:TOPIC, worker"),
        (7, "is no route", "write queue:TOPIC"),
        ({"path": "/a"}, "leads nowhere", "write [[route]]"),
        ({"to": 1}, "has a `to` that is not text", "write [[route]]"),
        ({"path": 1, "to": "worker"}, "has a `path` that is not text", "write [[route]]"),
        ({"path": "/a", "target": "worker"}, "has the unknown key 'target'", "remove it"),
        ({"paht": "/a", "to": "worker"}, "has the unknown key 'paht'", "did you mean path?"),
    ],
)
def test_a_wrong_route_says_what_is_wrong_and_what_to_write(
    raw: object, problem: str, remedy: str
) -> None:
    """Each part has a message of its own, with the nearest right word where there is one."""
    with pytest.raises(BadValue) as error:
        Route.parse(raw)
    assert error.value.problem.startswith(problem)
    assert error.value.remedy.startswith(remedy)


def chosen(path: str, *texts: str) -> str:
    """Say which route a connection takes that asks for a path; `otherwise` if none."""
    places: dict[Destination, str] = {}

    def destination(route: Route) -> Destination:
        place = Nowhere()
        places[place] = str(route)
        return place

    otherwise = Nowhere()
    routes = Routes([Route.parse(text) for text in texts], destination, otherwise)
    request = ConnectRequest(path, "", {}, "127.0.0.1", 1, "ws://127.0.0.1:1", bool(path))
    return places.get(routes.choose(request), "otherwise")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a", "/a=worker"),
        ("/a/", "queue:rest"),
        ("/a/b", "queue:rest"),
        ("/A", "queue:rest"),
        ("/b", "/b=discard"),
        ("/", "queue:rest"),
        ("", "queue:rest"),
    ],
)
def test_a_path_matches_itself_and_nothing_else(path: str, expected: str) -> None:
    """A path is compared character for character; without a path a route takes all, devices too."""
    assert chosen(path, "/a=worker", "/b=discard", "queue:rest") == expected


def test_what_no_route_matches_goes_elsewhere() -> None:
    """Without a route for everybody there is a place for the rest."""
    assert chosen("/b", "/a=worker") == "otherwise"
    assert chosen("", "/a=worker") == "otherwise"
    assert chosen("/a") == "otherwise"


def test_topics_are_named_once() -> None:
    """Several routes may lead onto one queue."""
    texts = ("/a=queue:x", "/b=queue:y", "/c=worker", "queue:x")
    assert topics_of(map(Route.parse, texts)) == ["x", "y"]
