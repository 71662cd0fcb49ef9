"""Who is known, and when somebody is forgotten."""

from typing import Any

from gateway_client.directory import ABSENT_KEPT, Directory
from gateway_wire.commands import Nodes


def entry(node_id: str, port: int = 1, generation: int = 0) -> dict[str, Any]:
    """A gateway as a register lists it."""
    return {
        "node_id": node_id,
        "host": "127.0.0.1",
        "port": port,
        "generation": generation,
        "keys": ["n:" + node_id],
    }


def says(*nodes: Any, settling: bool = False) -> Nodes:
    """What a register says."""
    return Nodes(settling, list(nodes))


def names(directory: Directory) -> list[str]:
    """The node ids that are known."""
    return sorted(node.node_id for node in directory.nodes)


def test_the_answers_of_all_registers_are_united() -> None:
    """What any register lists is known, and found by its key."""
    directory = Directory()
    directory.heard("r1", says(entry("a", 1)))
    directory.heard("r2", says(entry("b", 2)))
    assert names(directory) == ["a", "b"]
    found = directory.find("n:b")
    assert found is not None
    assert found.address == ("127.0.0.1", 2)


def test_a_gateway_is_dropped_when_every_answering_register_dropped_it() -> None:
    """One register that still lists it keeps it; one that is lost does not count."""
    directory = Directory()
    directory.heard("r1", says(entry("a")))
    directory.heard("r2", says(entry("a")))
    directory.heard("r1", says())
    assert not directory.dropped
    directory.lost("r2")
    assert [each.node_id for each in directory.dropped] == ["a"]
    directory.forget(directory.dropped)
    assert directory.find("n:a") is None


def test_without_any_answering_register_nobody_is_dropped() -> None:
    """When all registers are lost, what is known stays."""
    directory = Directory()
    directory.heard("r1", says(entry("a")))
    directory.lost("r1")
    assert names(directory) == ["a"]
    assert not directory.dropped
    assert not directory.is_answered


def test_a_register_that_settles_drops_nobody() -> None:
    """A register that has just started does not know everybody yet."""
    directory = Directory()
    directory.heard("r1", says(entry("a")))
    directory.heard("r1", says(settling=True))
    assert not directory.dropped
    directory.heard("r1", says())
    assert len(directory.dropped) == 1


def test_while_all_that_answer_settle_gateways_may_be_missing() -> None:
    """One register that has settled is enough; without an answer nothing is said."""
    directory = Directory()
    assert not directory.is_settling
    directory.heard("r1", says(settling=True))
    assert directory.is_settling
    directory.heard("r2", says())
    assert not directory.is_settling
    directory.lost("r2")
    assert directory.is_settling


def test_the_highest_generation_of_a_node_wins() -> None:
    """A hand-over moves the node; an older announcement that comes late does not move it back."""
    directory = Directory()
    directory.heard("r1", says(entry("a", 2, generation=1)))
    directory.heard("r2", says(entry("a", 1, generation=0)))
    assert [node.address.port for node in directory.nodes] == [2]
    directory.heard("r2", says(entry("a", 3, generation=2)))
    assert [node.address.port for node in directory.nodes] == [3]


def test_an_address_holds_one_process() -> None:
    """A new node at an address replaces the old one, even while a register still lists it."""
    directory = Directory()
    directory.heard("r1", says(entry("old", 1)))
    directory.heard("r2", says(entry("new", 1)))
    assert names(directory) == ["new"]
    directory.heard("r1", says(entry("old", 1)))
    assert names(directory) == ["new"]


def test_the_same_announcement_keeps_the_node_object() -> None:
    """Links hang on the node, so hearing the same again changes nothing."""
    directory = Directory()
    directory.heard("r1", says(entry("a")))
    node = directory.nodes[0]
    directory.heard("r1", says(entry("a")))
    assert directory.nodes == (node,)


def test_an_unknown_key_is_remembered_for_a_second() -> None:
    """A key that was looked up in vain is not looked up again for a while."""
    directory = Directory()
    assert not directory.is_absent("n:x", 10.0)
    directory.note_absent(["n:x"], 10.0)
    assert directory.is_absent("n:x", 10.0 + ABSENT_KEPT / 2)
    assert not directory.is_absent("n:x", 10.0 + ABSENT_KEPT)


def test_entries_that_cannot_be_read_are_left_out() -> None:
    """A malformed entry, and fields that are newer than we, cost nothing else."""
    directory = Directory()
    odd = [5, {}, entry("x") | {"port": "1"}, entry("y") | {"keys": 5}, entry("a") | {"new": 1}]
    directory.heard("r1", says(*odd))
    assert names(directory) == ["a"]


def test_gateways_can_be_taken_over_from_another_directory() -> None:
    """A child process starts with what its parent knew, and no register's answer."""
    parent, child = Directory(), Directory()
    parent.heard("r1", says(entry("a")))
    child.learn(parent.nodes)
    assert names(child) == ["a"]
    assert not child.is_answered
    assert repr(child) == "<Directory 127.0.0.1:1; 0 registers answer>"
