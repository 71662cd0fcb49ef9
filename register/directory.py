"""Who is alive: the rules of the directory, without input, output or a clock.

Theory: a gateway is listed while the link on which it announced itself lives and it was heard on
that link within `Times.silence`. A link holds one node, so announcing another on it withdraws the
first. Of two processes with one node id the higher generation wins (a hand-over); with no higher
generation the newcomer is a duplicate, unless it is the same process on a new link. A key belongs to one
node too: who announces that of another living process is a duplicate, whatever its generation.

Nothing here sends: whoever asks compares `revision` to know whether watchers must be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from gateway_wire.commands import Nodes
from gateway_wire.limits import NODE_SILENCE, SETTLING_TIME

if TYPE_CHECKING:
    from gateway_wire.commands import Announce

__all__ = ["DEFAULT_TIMES", "Directory", "Source", "Times", "Verdict"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long things take, in seconds; the defaults are the protocol's.

    Attributes:
        settling: From the start until the directory counts as complete.
        silence: Without a byte before a gateway is dropped.
        look: Between two looks for silent gateways; `silence` and this stay below 10 s.
        late: What a look may come late before silence is counted anew from it, and the directory
            settles again. A register that was itself stopped for a while (suspended machine,
            SIGSTOP) has not yet read what gateways sent meanwhile, and they may have dropped their
            links to it; it must not take its own absence for theirs.
    """

    settling: float = SETTLING_TIME
    silence: float = NODE_SILENCE
    look: float = 1.0
    late: float = 1.0


DEFAULT_TIMES: Final = Times()


class Source(Protocol):
    """A link as the directory sees it: what an announcement came from. Compared by identity."""

    @property
    def last_heard(self) -> float:
        """Time of the last byte that came on it, on the clock of every `now` here."""
        ...


S = TypeVar("S", bound=Source)


class Verdict(Enum):
    """What became of an announcement."""

    HELD = "held"
    """The directory holds it: a new gateway, or one it knows that says so again."""
    SUPERSEDED = "superseded"
    """The directory holds it in the place of an older generation of the node."""
    DUPLICATE = "duplicate"
    """Another living process has this node id and no lower generation, or a key; nothing changed."""


@dataclass(frozen=True, slots=True)
class _Entry(Generic[S]):
    announce: Announce
    instance: str
    source: S


class Directory(Generic[S]):
    """The gateways that are alive.

    Attributes:
        revision: Grows with each change of what :meth:`snapshot` lists.
        times: How long things take.
    """

    __slots__ = (
        "_by_key",
        "_by_source",
        "_entries",
        "_looked",
        "_settled_at",
        "_silence_from",
        "revision",
        "times",
    )

    def __init__(self, now: float, times: Times = DEFAULT_TIMES) -> None:
        """Begin with no gateway, settling.

        Args:
            now: Seconds on a monotonic clock, as all times here.
            times: How long things take.
        """
        self.revision = 0
        self.times = times
        self._entries: dict[str, _Entry[S]] = {}
        self._by_source: dict[S, str] = {}
        # The node id of each key.
        self._by_key: dict[str, str] = {}
        self._settled_at = now + times.settling
        self._looked = now
        # No silence is counted from before this moment: see Times.late.
        self._silence_from = now

    def __repr__(self) -> str:
        return f"<Directory of {len(self._entries)} gateways, revision {self.revision}>"

    def __len__(self) -> int:
        return len(self._entries)

    def is_settling(self, now: float) -> bool:
        """Whether gateways that live may not yet have announced themselves."""
        return now < self._settled_at

    def nodes(self) -> list[Announce]:
        """Return what each gateway announced, in the order of their coming."""
        return [entry.announce for entry in self._entries.values()]

    def node_of(self, source: S) -> str | None:
        """Return the id of the gateway that was announced on a link, if one was."""
        return self._by_source.get(source)

    def snapshot(self, now: float) -> Nodes:
        """Return the whole directory as watchers are told it."""
        return Nodes(self.is_settling(now), [_as_map(each) for each in self.nodes()])

    def announce(self, source: S, instance: str, announce: Announce) -> Verdict:
        """Take an announcement.

        Args:
            source: The link it came on.
            instance: The process it came from, by which a reconnect is told from a stranger.
            announce: What it said; its fields were checked.
        """
        known = self._entries.get(announce.node_id)
        if self._has_rival(announce, instance):
            return Verdict.DUPLICATE
        if known is None or known.instance == instance:
            verdict = Verdict.HELD
        elif announce.generation > known.announce.generation:
            verdict = Verdict.SUPERSEDED
        else:
            return Verdict.DUPLICATE
        if self._by_source.get(source, announce.node_id) != announce.node_id:
            self.withdraw(source)
        self._hold(_Entry(announce, instance, source), known)
        return verdict

    def withdraw(self, source: S) -> Announce | None:
        """Drop what was announced on a link that has ended.

        Returns:
            The gateway that is gone, or None if the link held none (any more).
        """
        node_id = self._by_source.pop(source, None)
        if node_id is None:
            return None
        self.revision += 1
        announce = self._entries.pop(node_id).announce
        self._drop_keys(announce)
        return announce

    def silent(self, now: float) -> list[S]:
        """Return the links on which a gateway was silent for too long.

        They are still listed: whoever asks cuts them, and withdraws each as any that ended. Ask
        every `times.look` seconds.
        """
        if now - self._looked > self.times.look + self.times.late:
            self._silence_from = now
            self._settled_at = now + self.times.settling
        self._looked = now
        before = now - self.times.silence
        if self._silence_from >= before:
            return []
        return [source for source in self._by_source if source.last_heard < before]

    def _has_rival(self, announce: Announce, instance: str) -> bool:
        """Return whether a key belongs to another node of another process."""
        owners = {self._by_key.get(key, announce.node_id) for key in announce.keys}
        owners.discard(announce.node_id)
        return any(self._entries[each].instance != instance for each in owners)

    def _drop_keys(self, announce: Announce) -> None:
        for key in announce.keys:
            if self._by_key.get(key) == announce.node_id:
                del self._by_key[key]

    def _hold(self, entry: _Entry[S], known: _Entry[S] | None) -> None:
        if known is not None:
            self._by_source.pop(known.source, None)
            self._drop_keys(known.announce)
        self._entries[entry.announce.node_id] = entry
        self._by_source[entry.source] = entry.announce.node_id
        self._by_key.update(dict.fromkeys(entry.announce.keys, entry.announce.node_id))
        if known is None or known.announce != entry.announce:
            self.revision += 1


def _as_map(announce: Announce) -> dict[str, Any]:
    return dict(zip(announce.field_names, announce.to_fields(), strict=True))
