"""Loading an application's handlers, and what is told when they cannot be what was meant."""

import functools
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from businessworker.events import Events, Worker, events_of, load_events
from gateway_process.errors import StartupError


@pytest.fixture
def app_dir(tmp_path: Path) -> Iterator[Path]:
    """Give an empty folder of an application, and forget afterwards what was imported from it."""
    path, modules = sys.path.copy(), set(sys.modules)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def load(app_dir: Path, target: str, **files: str) -> Events:
    """Write an application's files and load it."""
    for name, text in files.items():
        file = app_dir / (name.replace("__", "/") + ".py")
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return load_events(target, app_dir, {})


def call(events: Events, name: str, *args: object) -> Any:
    """Call a handler as an event would."""
    return getattr(events, name).function(*args)


MESSAGE = "def on_message(client_id, message): return 'seen ' + message\n"


def test_the_functions_of_a_module_are_handlers(app_dir: Path) -> None:
    """All are optional, and what is no handler is left alone."""
    events = load(app_dir, "shop.events", shop__events=MESSAGE + "def helper(): ...\n")
    assert call(events, "on_message", "a", "x") == "seen x"
    assert events.on_close is None
    assert [handler.place for handler in events.handlers] == ["on_message of shop.events"]


def test_the_application_comes_first_on_the_path(app_dir: Path) -> None:
    """Its module wins over an installed one of the same name."""
    assert sys.path[0] != str(app_dir)
    load(app_dir, "this", this=MESSAGE)
    assert sys.path[0] == str(app_dir)


def test_handlers_with_self_share_one_object(app_dir: Path) -> None:
    """A class is made once, before any event."""
    text = """
class Events:
    def __init__(self): self.seen = []
    def on_connect(self, client_id): self.seen.append(client_id)
    async def on_close(self, client_id, reason): self.seen.append(reason)
"""
    events = load(app_dir, "app:Events", app=text)
    call(events, "on_connect", "a")
    connect, close = events.handlers
    functions: list[Any] = [connect.function, close.function]
    assert functions[0].__self__ is functions[1].__self__
    assert functions[0].__self__.seen == ["a"]
    assert close.is_async
    assert connect.place == "on_connect of app:Events"


def test_handlers_without_self_are_called_on_the_class() -> None:
    """As in GatewayWorker; static and class methods, and a mixture with `self`, work too."""
    made: list[object] = []

    class Base:
        def on_close(self, client_id: str, reason: object) -> object:
            return self

    class Handlers(Base):
        def __init__(self) -> None:
            made.append(self)

        def on_connect(client_id: str) -> str:  # type: ignore[misc]  # noqa: N805
            return client_id

        @staticmethod
        def on_message(client_id: str, message: str) -> str:
            return message

        @classmethod
        def on_worker_start(cls, worker: object) -> object:
            return cls

    class Plain:
        def on_connect(client_id: str) -> str:  # type: ignore[misc]  # noqa: N805
            return client_id

        def __init__(self) -> None:
            raise AssertionError("nobody needs one")

    events = events_of(Handlers, "app:Handlers")
    assert call(events, "on_connect", "a") == "a"
    assert call(events, "on_message", "a", "x") == "x"
    assert call(events, "on_worker_start", None) is Handlers
    assert [call(events, "on_close", "a", None)] == made
    assert call(events_of(Plain, "app:Plain"), "on_connect", "a") == "a"


def test_self_may_have_another_name() -> None:
    """One argument more than the event has is taken for it."""

    class Handlers:
        def on_message(this, client_id: str, message: str) -> object:  # noqa: N805
            return this

    assert isinstance(call(events_of(Handlers, "app"), "on_message", "a", "x"), Handlers)


def test_an_object_may_hold_the_handlers(app_dir: Path) -> None:
    """It is used as it is."""
    text = "class E:\n  def on_connect(self, client_id): return self\nevents = E()\n"
    events = load(app_dir, "app:events", app=text)
    assert call(events, "on_connect", "a") is sys.modules["app"].events


def test_a_handler_that_is_none_is_absent() -> None:
    """A subclass may switch a handler off."""
    holder = SimpleNamespace(on_message=print, on_close=None)
    assert events_of(holder, "app").on_close is None


def test_a_worker_is_a_number_and_a_name() -> None:
    """What `on_worker_start` gets cannot be changed."""
    worker = Worker(2, "chat")
    assert (worker.id, worker.name) == (2, "chat")
    with pytest.raises(AttributeError):
        worker.id = 3  # type: ignore[misc]


def on(**handlers: object) -> SimpleNamespace:
    """Give an object with these handlers."""
    return SimpleNamespace(**handlers)


def _generator(client_id: str, message: str) -> Iterator[int]:
    yield 1


def _module_with_a_class() -> ModuleType:
    module = ModuleType("app")
    vars(module)["Chat"] = type("Chat", (), {"on_message": staticmethod(print)})
    return module


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: on(on_message=lambda client_id: None),
            r"on_message of app takes \(client_id\), but is called with 2; write it as on_message",
        ),
        (
            lambda: on(on_connect=lambda client_id, request: None),
            r"on_connect of app takes \(client_id, request\), but is called with 1",
        ),
        (lambda: on(on_message=_generator), "on_message of app has a yield in it"),
        (lambda: on(on_message=5), "on_message of app is 5 and cannot be called"),
        (lambda: on(on_mesage=print), "on_mesage of app .* did you mean on_message"),
        (lambda: on(onMessage=print), "onMessage of app .* did you mean on_message"),
        (
            lambda: on(on_message=print, onWebSocketConnect=print),
            "onWebSocketConnect of app .* did you mean on_websocket_connect",
        ),
        (on, r"app has none of the handlers on_worker_start, .*def on_message\("),
        (_module_with_a_class, "app has none of the handlers .*did you mean app:Chat?"),
    ],
)
def test_handlers_that_cannot_be_meant_are_refused(
    make: Callable[[], object], message: str
) -> None:
    """Each error names the handler and says how to write it."""
    with pytest.raises(StartupError, match=message):
        events_of(make(), "app")


def test_a_name_that_is_near_a_handler_that_is_there_is_fine() -> None:
    """An application may have an `on_messages` of its own beside `on_message`, or `one`, or a constant."""
    holder = on(on_message=print, on_messages=print, one=print, on_closed=7, once=print)
    assert [handler.name for handler in events_of(holder, "app").handlers] == ["on_message"]


def test_a_class_that_cannot_be_made_says_why(app_dir: Path) -> None:
    """The error names the line that raised."""
    text = """
class Events:
    def __init__(self):
        self.db = 1 / 0
    def on_connect(self, client_id): ...
"""
    expected = r"app:Events has handlers that take self, .*ZeroDivisionError: .*app\.py, line 4"
    with pytest.raises(StartupError, match=expected):
        load(app_dir, "app:Events", app=text)


def test_an_attribute_that_is_missing_is_named(app_dir: Path) -> None:
    """With the nearest that is there."""
    with pytest.raises(StartupError, match=r"app has no 'Event'; did you mean app:Events\?"):
        load(app_dir, "app:Event", app="class Events: ...")
    with pytest.raises(StartupError, match="app has no 'Zoo'; define it there"):
        load(app_dir, "app:Zoo")


def test_methods_whose_self_cannot_be_seen_are_called_on_an_object() -> None:
    """Behind a decorator that hides the parameters, and partial methods."""

    def bare(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            return function(*args)

        return call

    class Handlers:
        @bare
        def on_connect(self, client_id: str) -> str:
            return client_id

        def _say(self, what: str, client_id: str, message: str) -> str:
            return what + message

        on_message = functools.partialmethod(_say, "said ")

    events = events_of(Handlers, "app:Handlers")
    assert call(events, "on_connect", "a") == "a"
    assert call(events, "on_message", "a", "x") == "said x"


@pytest.mark.parametrize(
    ("wrong", "right"), [("on_open", "on_connect"), ("on_disconnect", "on_close")]
)
def test_names_of_other_libraries_are_told_ours(wrong: str, right: str) -> None:
    """Also beside handlers that are right; where ours is there too, it is a function of their own."""
    handlers = {"on_message": print, wrong: print}
    with pytest.raises(StartupError, match=f"{wrong} of app would never .* mean {right}"):
        events_of(SimpleNamespace(**handlers), "app")
    assert len(events_of(SimpleNamespace(**handlers, **{right: print}), "app").handlers) == 2
