"""What a gateway's settings refuse together; what each of them reads is its kind's matter."""

from pathlib import Path
from typing import Any

import pytest

from gateway.routes import Route
from gateway.settings import GatewaySettings
from gateway_process.addresses import ListenUrl
from gateway_process.errors import SettingsError
from gateway_process.loader import Loader
from gateway_process.settings import dump, restore, specs_of
from gateway_wire.addresses import Address

SECURE = (ListenUrl.parse("wss://127.0.0.1:0"),)


def routes(*texts: str) -> tuple[Route, ...]:
    """Read routes as they are written in flags."""
    return tuple(map(Route.parse, texts))


def test_the_defaults_are_the_documented_ones() -> None:
    """What stands in everybody's configuration by being left out does not change by accident."""
    settings = GatewaySettings()
    assert [str(url) for url in settings.listen] == ["ws://0.0.0.0:7272"]
    assert (str(settings.http), settings.start_port) == ("127.0.0.1:6789", 2900)
    assert [str(address) for address in settings.register] == ["127.0.0.1:1236"]
    assert (settings.ping_interval, settings.ping_timeout, settings.drain) == (25, 20, 5)
    assert (settings.max_message, settings.send_buffer) == (1 << 20, 2 << 20)
    assert (settings.send_buffer_total, settings.flush_interval) == (256 << 20, 0)
    assert (settings.init_message, settings.bind_timeout, settings.stop_timeout) == (True, 0, 25)
    assert (settings.routing.value, settings.require_worker) == ("least-connections", False)
    assert (settings.route, settings.entry, settings.entry_timeout) == ((), "", 5)
    assert (settings.queue_messages, settings.queue_bytes) == (10_000, 16 << 20)
    assert (settings.php_start_port, settings.connmix) == (None, False)
    assert (settings.queue_topics, settings.queue_tries) == (100, 5)


@pytest.mark.parametrize(
    ("given", "setting", "problem"),
    [
        ({"listen": (ListenUrl.parse("tcp://a:1"),)}, "listen", "is no listener"),
        ({"listen": SECURE}, "certfile", "is missing"),
        ({"listen": SECURE, "certfile": Path("c")}, "keyfile", "is missing"),
        ({"ping_interval": 10.0, "ping_timeout": 11.0}, "ping_timeout", "is longer than"),
        ({"max_message": 3 << 20}, "send_buffer", "is below max_message"),
        ({"send_buffer": 512 << 20}, "send_buffer_total", "is below send_buffer"),
        ({"start_port": 65535, "processes": 2}, "start_port", "leaves no port"),
        ({"php_start_port": 65535, "processes": 2}, "php_start_port", "leaves no port"),
        ({"php_start_port": 2903, "processes": 4}, "php_start_port", "meets the ports from 2900"),
        ({"php_start_port": 2900}, "php_start_port", "meets the ports from 2900 on"),
        ({"php_start_port": 0, "connmix": True}, "php_start_port", "and connmix each want"),
        ({"http": Address("127.0.0.1", 65534), "processes": 3}, "http", "leaves no port"),
        ({"drain": 25.0}, "drain", "is not below stop_timeout"),
        ({"route": routes("entry")}, "route", "leads to an entry module, and there is none"),
        ({"route": routes("worker"), "entry": "chat"}, "entry", "is reached by no route: worker"),
        ({"route": routes("worker", "/a=discard")}, "route", "is never reached: worker stands"),
        ({"route": routes("/a=worker", "/a=discard")}, "route", "is never reached: /a=worker"),
        (
            {"route": routes("/a=queue:a", "/b=queue:b"), "queue_topics": 1},
            "queue_topics",
            "is below the number of topics that routes lead to (2)",
        ),
    ],
)
def test_settings_that_do_not_fit_each_other_are_refused(
    given: dict[str, Any], setting: str, problem: str
) -> None:
    """The error names the setting to change, what is wrong with it, and the remedy."""
    with pytest.raises(SettingsError) as error:
        GatewaySettings(**given)
    assert error.value.setting == setting
    assert error.value.problem.startswith(problem)
    assert error.value.remedy


@pytest.mark.parametrize(
    "given",
    [
        {"ping_interval": 0.0, "ping_timeout": 20.0},
        {"start_port": 0, "processes": 512},
        {"start_port": 2900, "php_start_port": 2904, "processes": 4},
        {"listen": SECURE, "certfile": Path("c"), "keyfile": Path("k")},
        {"entry": "chat", "route": routes("/a=queue:a", "/b=queue:a"), "queue_topics": 1},
        {"entry": "chat", "route": routes("/a=entry", "queue:a")},
    ],
)
def test_settings_that_fit_are_taken(given: dict[str, Any]) -> None:
    """Without pings there is nothing to wait for; the kernel's ports do not run out by counting."""
    settings = GatewaySettings(**given)
    assert settings.needs_certificate == ("certfile" in given)


def test_a_child_is_handed_the_same_settings() -> None:
    """Everything survives the way to a child process."""
    settings = GatewaySettings(
        listen=(ListenUrl.parse("wss://[::1]:1"),),
        certfile=Path("/c"),
        keyfile=Path("/k"),
        ping_data='{"type":"beat"}',
        route=routes("/a=queue:a,b=worker", "discard"),
    )
    assert restore(GatewaySettings, dump(settings)) == settings


def test_every_setting_says_what_it_does() -> None:
    """Help is a sentence, and a default that is shown can be read back."""
    for spec in specs_of(GatewaySettings):
        assert spec.says.help.endswith(".")
        shown = spec.shown(spec.default)
        if shown and not spec.is_secret:
            assert spec.read(shown) == spec.default


def test_a_graceful_stop_has_a_deadline_of_its_own() -> None:
    """Not the stop timeout, which is for what comes after it."""
    assert GatewaySettings(drain_deadline=600.0, stop_timeout=30.0).drain_limit == 600.0


@pytest.mark.parametrize(
    ("given", "says"),
    [({}, True), ({"init_message": False}, False), ({"connmix": True}, False)],
)
def test_clients_of_connmix_are_not_told_their_client_id(given: dict[str, Any], says: bool) -> None:
    """They take the first message for one of the application's."""
    assert GatewaySettings(**given).says_client_id is says


def loaded(folder: Path, text: str = "", /, *flags: str, **environ: str) -> GatewaySettings:
    """Read a file, the values of `--route`, and variables."""
    file = folder / "cluster.toml"
    file.write_text(text)
    given = {"route": flags} if flags else {}
    loader = Loader(
        settings=GatewaySettings, role="gateway", flags=given, config=file, environ=environ
    )
    return loader.load().settings


TABLES = '[[{}]]\npath = "/chat"\nto = "queue:chat"\n[[{}]]\nto = "discard"\n'


def test_routes_are_read_alike_from_everywhere(tmp_path: Path) -> None:
    """Tables at the top of a file or in the section, a list of texts, a variable, and repeated flags."""
    expected = routes("/chat=queue:chat", "discard")
    text = "/chat=queue:chat,discard"
    variable = {"GATEWAYWORKER_GATEWAY__ROUTE": text}
    top, section = TABLES.format("route", "route"), TABLES.format("gateway.route", "gateway.route")
    assert loaded(tmp_path, "[gateway]\nprocesses = 2\n" + top).route == expected
    assert loaded(tmp_path, section).route == expected
    assert loaded(tmp_path, '[gateway]\nroute = ["/chat=queue:chat", "discard"]').route == expected
    assert loaded(tmp_path, "", **variable).route == expected
    assert loaded(tmp_path, "", "/chat=queue:chat", "discard").route == expected
    assert loaded(tmp_path, top, "worker", **variable).route == routes("worker")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[[route]]\nto = "queue:a"\npth = "/a"\n',
            "c.toml: route: {'to': 'queue:a', 'pth': '/a'} has the unknown key 'pth'; did you mean path?",
        ),
        (
            '[[route]]\nto = "worker"\npath = "/a"\n[[route]]\nto = "que:b"\n',
            "c.toml: route: {'to': 'que:b'} leads to 'que:b', which is no target; did you mean queue:b?",
        ),
        (
            '[gateway]\nroute = ["worker", "/a=discard"]\n',
            (
                "c.toml: [gateway] route: '/a=discard' is never reached: worker stands before it and"
                " matches the same; put it before that one, or remove it"
            ),
        ),
        ('[[routes]]\nto = "worker"\n', "c.toml: routes: is no setting; did you mean route?"),
        (
            TABLES.format("route", "gateway.route"),
            "c.toml: route: is the same setting as c.toml: [gateway] route; give one of them",
        ),
    ],
)
def test_a_wrong_route_is_told_alone_with_its_place(
    tmp_path: Path, text: str, message: str
) -> None:
    """Among many routes the error shows the one that is wrong, where it stands, and the remedy."""
    with pytest.raises(SettingsError) as error:
        loaded(tmp_path, text)
    assert str(error.value).replace(str(tmp_path / "cluster.toml"), "c.toml") == message
