"""The register's commands about running instances, with real ones."""

import json

from gateway_process.errors import ExitCode
from tests.support.cluster import ANY, GATEWAY_PORTS
from tests.support.daemons import Daemon
from tests.support.instances import Instances
from tests.support.waiting import eventually


def test_a_register_in_the_background() -> None:
    """It is started, asked who is linked to it, reloaded and stopped by its commands."""
    with Instances() as instances:
        ready = instances.start("register", "--listen", ANY, "--http", ANY)
        with Daemon("gateway", "start", *GATEWAY_PORTS, "--register", ready.listen):
            done = instances("register", "connections", "--json")
            (row,) = json.loads(done.out)["rows"]
            assert (row["role"], row["peer"]) == ("register", "gateway")
            (process,) = json.loads(instances("register", "status", "--json").out)["processes"]
            assert (process["connections"], process["state"]) == (1, "ready")
        assert process["listening"] == {"listen": ready.listen, "http": ready.http}
        assert instances("register", "reload").code == ExitCode.OK
        eventually(lambda: "reloaded; changed: nothing" in instances.log("register"))
        assert instances("register", "stop").code == ExitCode.OK
        assert instances.running() == []


def test_a_page_without_connections_says_so() -> None:
    """A register that nobody has found yet."""
    with Instances() as instances:
        instances.start("register", "--listen", ANY, "--http", ANY)
        assert instances("register", "connections").out == "no connections\n"
