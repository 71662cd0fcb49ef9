"""The rules of the directory, at chosen times."""

from dataclasses import dataclass

from gateway_wire.commands import Announce
from gateway_wire.limits import NODE_SILENCE, SETTLING_TIME
from register.directory import Directory, Verdict

NODE = "0123456789ab"
OTHER_NODE = "ba9876543210"


@dataclass(eq=False)
class Source:
    last_heard: float = 0.0


def announcement(
    node_id: str = NODE, *, generation: int = 0, port: int = 2900, keys: tuple[str, ...] = ()
) -> Announce:
    """Give what a gateway announces."""
    keys = (f"n:{node_id}", *keys)
    return Announce(node_id, "10.0.0.1", port, generation, [*keys], "10.0.0.1:6789")


def test_a_gateway_is_listed_as_it_announced_itself() -> None:
    """A snapshot holds each field of the announcement by its name."""
    directory: Directory[Source] = Directory(0.0)

    assert directory.announce(Source(), "a", announcement()) is Verdict.HELD

    assert directory.snapshot(0.0).nodes == [
        {
            "node_id": NODE,
            "host": "10.0.0.1",
            "port": 2900,
            "generation": 0,
            "keys": [f"n:{NODE}"],
            "api_server": "10.0.0.1:6789",
        }
    ]


def test_it_settles() -> None:
    """Answers are marked as settling until the settling time is over, not longer."""
    directory: Directory[Source] = Directory(100.0)

    assert directory.snapshot(100.0 + SETTLING_TIME - 0.1).settling
    assert not directory.snapshot(100.0 + SETTLING_TIME).settling


def test_a_link_that_ends_takes_its_gateway_along() -> None:
    """Withdrawing returns what is gone, and is harmless for a link that held nothing."""
    directory: Directory[Source] = Directory(0.0)
    source = Source()
    directory.announce(source, "a", announcement())

    assert directory.withdraw(source) == announcement()
    assert directory.withdraw(source) is None
    assert directory.nodes() == []


def test_a_second_process_with_the_node_id_is_a_duplicate() -> None:
    """Another instance with no higher generation changes nothing while the first one lives."""
    directory: Directory[Source] = Directory(0.0)
    first = Source()
    directory.announce(first, "a", announcement(port=1))

    assert directory.announce(Source(), "b", announcement(port=2)) is Verdict.DUPLICATE
    assert directory.nodes() == [announcement(port=1)]
    directory.withdraw(first)
    assert directory.announce(Source(), "b", announcement(port=2)) is Verdict.HELD


def test_the_higher_generation_wins() -> None:
    """A hand-over takes the node; the end of the older link no longer matters, nor may it return."""
    directory: Directory[Source] = Directory(0.0)
    old, new = Source(), Source()
    directory.announce(old, "a", announcement(generation=1))

    verdict = directory.announce(new, "b", announcement(generation=2))

    assert verdict is Verdict.SUPERSEDED
    assert directory.withdraw(old) is None
    assert directory.announce(Source(), "a", announcement(generation=1)) is Verdict.DUPLICATE
    assert directory.nodes() == [announcement(generation=2)]


def test_the_same_process_may_come_on_a_new_link() -> None:
    """A reconnect replaces the link; the late end of the old one does not drop the gateway."""
    directory: Directory[Source] = Directory(0.0)
    old, new = Source(), Source()
    directory.announce(old, "a", announcement())

    assert directory.announce(new, "a", announcement()) is Verdict.HELD
    assert directory.withdraw(old) is None
    assert len(directory) == 1
    assert directory.withdraw(new) == announcement()


def test_a_link_holds_one_node() -> None:
    """A gateway that chose a new node id announces it on its link and withdraws the former."""
    directory: Directory[Source] = Directory(0.0)
    source = Source()
    directory.announce(source, "a", announcement(NODE))

    directory.announce(source, "a", announcement(OTHER_NODE))

    assert directory.nodes() == [announcement(OTHER_NODE)]


def test_a_refused_second_node_leaves_the_first() -> None:
    """A link whose new announcement is a duplicate keeps the one it had."""
    directory: Directory[Source] = Directory(0.0)
    source = Source()
    directory.announce(source, "a", announcement(NODE))
    directory.announce(Source(), "b", announcement(OTHER_NODE))

    assert directory.announce(source, "a", announcement(OTHER_NODE)) is Verdict.DUPLICATE
    assert {each.node_id for each in directory.nodes()} == {NODE, OTHER_NODE}


def test_a_key_belongs_to_one_gateway() -> None:
    """Another process with a key of a living gateway is a duplicate, until that one is gone."""
    directory: Directory[Source] = Directory(0.0)
    first = Source()
    directory.announce(first, "a", announcement(NODE, keys=("c:9000",)))
    late = announcement(OTHER_NODE, generation=7, keys=("c:9000",))

    assert directory.announce(Source(), "b", late) is Verdict.DUPLICATE
    assert len(directory) == 1
    directory.withdraw(first)
    assert directory.announce(Source(), "b", late) is Verdict.HELD


def test_a_gateway_may_change_its_keys() -> None:
    """Those that it no longer announces are free for others; its own are none of a rival's."""
    directory: Directory[Source] = Directory(0.0)
    source = Source()
    directory.announce(source, "a", announcement(NODE, keys=("c:9000",)))

    assert directory.announce(source, "a", announcement(NODE, keys=("c:9001",))) is Verdict.HELD
    assert (
        directory.announce(Source(), "b", announcement(OTHER_NODE, keys=("c:9000",)))
        is Verdict.HELD
    )


def test_a_process_is_no_rival_of_itself() -> None:
    """One that comes on a new link with another node id and an old key takes the key along."""
    directory: Directory[Source] = Directory(0.0)
    old = Source()
    directory.announce(old, "a", announcement(NODE, keys=("c:9000",)))

    later = announcement(OTHER_NODE, keys=("c:9000",))
    assert directory.announce(Source(), "a", later) is Verdict.HELD
    directory.withdraw(old)

    third = announcement("c" * 12, keys=("c:9000",))
    assert directory.announce(Source(), "b", third) is Verdict.DUPLICATE


def test_silence_ends_a_gateway() -> None:
    """A link is told once nothing came on it for longer than the limit; others are not."""
    directory: Directory[Source] = Directory(0.0)
    silent, talking = Source(last_heard=1.0), Source(last_heard=1.0)
    directory.announce(silent, "a", announcement(NODE))
    directory.announce(talking, "b", announcement(OTHER_NODE))
    for now in range(1, 9):
        talking.last_heard = now
        assert directory.silent(now) == []

    assert directory.silent(1.0 + NODE_SILENCE + 0.5) == [silent]
    assert len(directory) == 2


def test_a_register_that_was_away_does_not_blame_the_gateways() -> None:
    """A look that comes late counts silence anew from itself, and the directory settles again."""
    directory: Directory[Source] = Directory(0.0)
    source = Source(last_heard=0.0)
    directory.announce(source, "a", announcement())
    assert directory.silent(1.0) == []
    assert not directory.is_settling(60.0)

    assert directory.silent(60.0) == []
    assert directory.is_settling(60.0 + SETTLING_TIME - 0.1)
    assert not directory.is_settling(60.0 + SETTLING_TIME)
    for now in range(61, 68):
        assert directory.silent(now) == []
    assert directory.silent(68.0) == [source]


def test_the_revision_tells_of_changes_only() -> None:
    """It grows when the list differs: not with an announcement that only says so again."""
    directory: Directory[Source] = Directory(0.0)
    source, newer = Source(), Source()
    revisions = [directory.revision]

    directory.announce(source, "a", announcement())
    revisions.append(directory.revision)
    directory.announce(newer, "a", announcement())
    directory.announce(Source(), "b", announcement())
    directory.withdraw(source)
    revisions.append(directory.revision)
    directory.announce(newer, "a", announcement(port=2901))
    revisions.append(directory.revision)
    directory.withdraw(newer)
    revisions.append(directory.revision)

    assert revisions == [0, 1, 1, 2, 3]


def test_it_says_what_it_holds() -> None:
    """The repr tells the number of gateways and the revision."""
    directory: Directory[Source] = Directory(0.0)
    directory.announce(Source(), "a", announcement())

    assert repr(directory) == "<Directory of 1 gateways, revision 1>"
