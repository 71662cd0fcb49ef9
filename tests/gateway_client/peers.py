"""A register and gateways that speak the protocol over real sockets, for the client's tests.

They are a second implementation of the other side, kept small: an in-memory table of connections, and
the faults that a real gateway hardly shows on demand. They run on a loop in a thread of their own, so
that blocking and asynchronous clients are tested alike.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from gateway_wire import commands as wire
from gateway_wire.addresses import Address
from gateway_wire.aio.link import AioLink, LinkLost
from gateway_wire.aio.listener import LinkListener
from gateway_wire.commands import Command, Role
from gateway_wire.errors import ErrorCode, GatewayError
from gateway_wire.frames import Envelope
from gateway_wire.hello import Party, new_instance
from tests.support.waiting import eventually

T = TypeVar("T")

PATIENCE = 20.0


class PeerLoop:
    """A loop in a thread, on which the peers live."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run something there and wait for its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE)

    def call(self, function: Callable[..., T], *args: Any) -> T:
        """Call a plain function there and wait for its result."""
        done: Future[T] = Future()
        self.loop.call_soon_threadsafe(lambda: done.set_result(function(*args)))
        return done.result(PATIENCE)

    def close(self) -> None:
        """Let what is closing finish, and end the thread."""
        self.run(asyncio.sleep(0.0))
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.loop.close()


def _bound(address: Address) -> socket.socket:
    sock = socket.socket()
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address.host, address.port))
    except OSError:
        sock.close()
        raise
    return sock


class Peer:
    """What registers and gateways share: a listener that can vanish and come back."""

    role = Role.GATEWAY

    def __init__(self, loop: PeerLoop, secret_key: str = "") -> None:
        self.secret_key = secret_key
        self.received: list[Command] = []
        self.openings = 0
        self._loop = loop
        self._arrived = threading.Condition()
        sock = _bound(Address("127.0.0.1", 0))
        self.address = Address(*sock.getsockname())
        self._loop.run(self._start(sock))

    def start(self) -> None:
        """Listen, at the same address as before; somebody's outgoing connection may hold it a while."""
        self._loop.run(self._start(eventually(lambda: _bound(self.address))))

    async def _start(self, sock: socket.socket) -> None:
        party = Party(self.role, new_instance())
        self.listener = LinkListener(party, self.secret_key, self)
        await self.listener.start(sock)

    def stop(self) -> None:
        """Vanish: refuse connections and cut those that are there."""
        self._loop.call(self.listener.stop_accepting)
        self.cut_links()

    def say_goodbye(self) -> None:
        """Refuse connections and end the links as a process does that stops."""
        self._loop.call(self.listener.stop_accepting)
        self._loop.call(lambda: self.listener.close_links(ErrorCode.STOPPING, "it stops"))

    def cut_links(self) -> None:
        """Cut every link and return when it is done."""
        self._loop.run(self._cut())

    async def _cut(self) -> None:
        for link in tuple(self.listener.links):
            link.abort(LinkLost("cut by the test"))
        while self.listener.links:  # noqa: ASYNC110 - a turn of the loop, no polling of others
            await asyncio.sleep(0)
        await asyncio.sleep(0)  # the transport closes the socket after it told its protocol

    def links(self) -> int:
        """Return how many links are open."""
        return self._loop.call(lambda: len(self.listener.links))

    def wait_for(self, is_there: Callable[[], bool]) -> None:
        """Wait until something is true of what was received."""
        with self._arrived:
            assert self._arrived.wait_for(is_there, PATIENCE), self.received

    def link_opened(self, _link: AioLink) -> None:
        with self._arrived:
            self.openings += 1
            self._arrived.notify_all()

    def link_received(self, link: AioLink, envelopes: list[Envelope]) -> None:
        for command, request_id, _ in envelopes:
            assert isinstance(command, Command)
            with self._arrived:
                self.received.append(command)
                self._arrived.notify_all()
            self.execute(link, command, request_id)

    def link_closed(self, _link: AioLink, _reason: GatewayError) -> None:
        with self._arrived:
            self._arrived.notify_all()

    def execute(self, link: AioLink, command: Command, request_id: int) -> None:
        raise NotImplementedError


class FakeRegister(Peer):
    """A register that says what the test tells it to."""

    role = Role.REGISTER

    def __init__(self, loop: PeerLoop, *gateways: FakeGateway, secret_key: str = "") -> None:
        self.nodes = [gateway.entry for gateway in gateways]
        self.settling = False
        self.is_mute = False
        super().__init__(loop, secret_key)

    def execute(self, link: AioLink, command: Command, request_id: int) -> None:
        del request_id
        if isinstance(command, wire.Watch) and not self.is_mute:
            link.send(wire.Nodes(self.settling, self.nodes))

    def tell(self, *gateways: FakeGateway, settling: bool = False) -> None:
        """Change the directory and tell every watcher."""
        self.nodes = [gateway.entry for gateway in gateways]
        self.settling = settling
        self._loop.call(self._tell)

    def _tell(self) -> None:
        for link in self.listener.links:
            if link.is_open:
                link.send(wire.Nodes(self.settling, self.nodes))
                link.flush()


class FakeGateway(Peer):
    """A gateway with a table of connections, and faults.

    Attributes:
        fault: What is done in place of an answer; None for none.
    """

    def __init__(self, loop: PeerLoop, node_id: str = "aaaaaaaaaaaa", secret_key: str = "") -> None:
        self.node_id = node_id
        self.generation = 0
        self.fault: Callable[[AioLink, Command, int], None] | None = None
        self.uids: dict[str, str | None] = {}
        self.groups: dict[str, set[str]] = {}
        self.sessions: dict[str, dict[Any, Any]] = {}
        self.consumers: list[AioLink] = []
        self.message_ids = itertools.count(1)
        super().__init__(loop, secret_key)

    @property
    def entry(self) -> dict[str, Any]:
        """What it announces."""
        return {
            "node_id": self.node_id,
            "host": self.address.host,
            "port": self.address.port,
            "generation": self.generation,
            "keys": ["n:" + self.node_id],
            "api_server": "",
        }

    def connect(self, number: int = 1, uid: str | None = None) -> str:
        """Let a browser connect; return its client id."""
        client_id = f"{self.node_id}{number:020x}"
        self.uids[client_id] = uid
        self.sessions[client_id] = {}
        return client_id

    def commands(self, kind: type[T]) -> list[T]:
        """Return the commands of one kind that were received."""
        return [command for command in self.received if isinstance(command, kind)]

    def execute(self, link: AioLink, command: Command, request_id: int) -> None:
        if self.fault is not None:
            self.fault(link, command, request_id)
            return
        if isinstance(command, wire.Consume):
            self.consumers.append(link)
        answer = self._answer(command)
        if request_id and link.is_open:
            link.send(wire.Reply(answer), request_id)

    # Queues: the test says what is sent to whom, and looks at what comes back.

    def push(
        self, *data: object, topic: str = "chat", client_id: str = "c" * 32, tries: int = 1
    ) -> list[int]:
        """Send messages to whoever began to consume last; return their ids."""
        self.wait_for(lambda: any(link.is_open for link in self.consumers))
        return self._loop.call(lambda: self._push(data, topic, client_id, tries))

    def _push(self, data: tuple[object, ...], topic: str, client_id: str, tries: int) -> list[int]:
        link = next(link for link in reversed(self.consumers) if link.is_open)
        uid, headers, session = self.uids.get(client_id), {"host": "h"}, {"n": 1}
        ids = [next(self.message_ids) for _ in data]
        for number, each in zip(ids, data, strict=True):
            link.send(
                wire.QueueMessage(number, topic, client_id, each, uid, headers, session, tries)
            )
        link.flush()
        return ids

    @property
    def acknowledged(self) -> list[int]:
        """The ids of the messages that were acknowledged, in order."""
        commands = self.commands(wire.AcknowledgeMessages)
        return [each for command in commands for each in command.message_ids]

    @property
    def given_back(self) -> list[tuple[list[int], bool]]:
        """What was given back at a time: the ids, and whether they count as tried."""
        return [(each.message_ids, each.tried) for each in self.commands(wire.RejectMessages)]

    def _consume(self, _: wire.Consume) -> None:
        """Agree."""

    def _stop_consuming(self, _: wire.StopConsuming) -> None:
        """Agree."""

    def _acknowledge_messages(self, _: wire.AcknowledgeMessages) -> None:
        """Agree."""

    def _reject_messages(self, _: wire.RejectMessages) -> None:
        """Agree."""

    def _answer(self, command: Command) -> Any:
        return getattr(self, "_" + command.wire_name)(command)

    # The commands, by wire name.

    def _of_uids(self, uids: list[str]) -> list[str]:
        return [each for each, uid in self.uids.items() if uid in uids]

    def _of_groups(self, groups: list[str]) -> list[str]:
        members = set[str]().union(*(self.groups.get(group, set()) for group in groups))
        return [each for each in self.uids if each in members]

    def _send_to_all(self, command: wire.SendToAll) -> int:
        return len(set(self.uids) - set(command.exclude_client_ids or ()))

    def _send_to_clients(self, command: wire.SendToClients) -> int:
        return len(set(self.uids) & set(command.client_ids))

    def _send_to_uids(self, command: wire.SendToUids) -> int:
        return len(self._of_uids(command.uids))

    def _send_to_groups(self, command: wire.SendToGroups) -> int:
        return len(set(self._of_groups(command.groups)) - set(command.exclude_client_ids or ()))

    def _close_client(self, command: wire.CloseClient) -> bool:
        return self.uids.pop(command.client_id, False) is not False

    def _destroy_client(self, command: wire.DestroyClient) -> bool:
        return self.uids.pop(command.client_id, False) is not False

    def _close_uids(self, command: wire.CloseUids) -> int:
        return len(self._of_uids(command.uids))

    def _close_groups(self, command: wire.CloseGroups) -> int:
        return len(self._of_groups(command.groups))

    def _bind_uid(self, command: wire.BindUid) -> bool:
        if command.client_id not in self.uids:
            return False
        self.uids[command.client_id] = command.uid
        return True

    def _unbind_uid(self, command: wire.UnbindUid) -> bool:
        return command.client_id in self.uids

    def _join_groups(self, command: wire.JoinGroups) -> bool:
        for group in command.groups:
            self.groups.setdefault(group, set()).add(command.client_id)
        return command.client_id in self.uids

    def _leave_groups(self, command: wire.LeaveGroups) -> bool:
        return command.client_id in self.uids

    def _ungroup(self, command: wire.Ungroup) -> int:
        return len(self.groups.pop(command.group, ()))

    def _is_online(self, command: wire.IsOnline) -> bool:
        return command.client_id in self.uids

    def _online_uids(self, command: wire.OnlineUids) -> list[str]:
        return [uid for uid in command.uids if self._of_uids([uid])]

    def _client_ids_by_uids(self, command: wire.ClientIdsByUids) -> dict[str, list[str]]:
        found = {uid: self._of_uids([uid]) for uid in command.uids}
        return {uid: ids for uid, ids in found.items() if ids}

    def _client_ids_by_groups(self, command: wire.ClientIdsByGroups) -> list[str]:
        return self._of_groups(command.groups)

    def _list_client_ids(self, _: wire.ListClientIds) -> list[str]:
        return list(self.uids)

    def _count_clients(self, _: wire.CountClients) -> int:
        return len(self.uids)

    def _count_clients_by_groups(self, command: wire.CountClientsByGroups) -> dict[str, int]:
        groups = self.groups if command.groups is None else command.groups
        return {group: len(self._of_groups([group])) for group in groups}

    def _get_uid(self, command: wire.GetUid) -> str | None:
        return self.uids.get(command.client_id)

    def _uids_of(self, groups: list[str]) -> list[str]:
        uids = {self.uids[each] for each in self._of_groups(groups)}
        return sorted(uid for uid in uids if uid is not None)

    def _uids_by_groups(self, command: wire.UidsByGroups) -> list[str]:
        return self._uids_of(command.groups)

    def _count_uids_by_groups(self, command: wire.CountUidsByGroups) -> dict[str, int]:
        groups = self.groups if command.groups is None else command.groups
        return {group: len(self._uids_of([group])) for group in groups}

    def _list_uids(self, _: wire.ListUids) -> list[str]:
        return sorted({uid for uid in self.uids.values() if uid is not None})

    def _count_uids(self, _: wire.CountUids) -> int:
        return len(self._list_uids(wire.ListUids()))

    def _list_groups(self, _: wire.ListGroups) -> list[str]:
        return list(self.groups)

    def _list_all_uids_by_group(self, _: wire.ListAllUidsByGroup) -> dict[str, list[str]]:
        return {group: self._uids_of([group]) for group in self.groups}

    def _list_all_client_ids_by_group(
        self, _: wire.ListAllClientIdsByGroup
    ) -> dict[str, list[str]]:
        return {group: self._of_groups([group]) for group in self.groups}

    def _set_session(self, command: wire.SetSession) -> bool:
        self.sessions[command.client_id] = command.session
        return command.client_id in self.uids

    def _update_session(self, command: wire.UpdateSession) -> bool:
        self.sessions.setdefault(command.client_id, {}).update(command.changes)
        return command.client_id in self.uids

    def _patch_session(self, command: wire.PatchSession) -> bool:
        self.sessions.setdefault(command.client_id, {}).update(command.changed)
        return command.client_id in self.uids

    def _list_queues(self, _: wire.ListQueues) -> dict[str, dict[str, int | float]]:
        return {}

    def _get_session(self, command: wire.GetSession) -> dict[Any, Any] | None:
        return self.sessions.get(command.client_id)

    def _sessions_by_groups(self, command: wire.SessionsByGroups) -> dict[str, dict[Any, Any]]:
        return {each: self.sessions[each] for each in self._of_groups(command.groups)}

    def _all_sessions(self, _: wire.AllSessions) -> dict[str, dict[Any, Any]]:
        return self.sessions


# Faults.


def mute(_link: AioLink, _command: Command, _request_id: int) -> None:
    """Never answer."""


def cut_link(link: AioLink, _command: Command, _request_id: int) -> None:
    """Cut the link in place of an answer."""
    link.abort(LinkLost("cut by the test"))


def refuse(code: ErrorCode, text: str = "no") -> Callable[[AioLink, Command, int], None]:
    """Answer with an error."""

    def fault(link: AioLink, _command: Command, request_id: int) -> None:
        if request_id:
            link.send(wire.Error(code.value, text), request_id)

    return fault


def answer_with(*parts: Any) -> Callable[[AioLink, Command, int], None]:
    """Answer with these values, the last one as the end of the answer."""

    def fault(link: AioLink, _command: Command, request_id: int) -> None:
        for part in parts[:-1]:
            link.send(wire.ReplyPart(part), request_id)
        link.send(wire.Reply(parts[-1]), request_id)

    return fault
