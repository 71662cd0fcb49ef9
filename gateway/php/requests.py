"""What a client's frame asks for, done, and answered as GatewayWorker 4.0 answers.

Most frames are a command of ours in other words, and the functions that execute ours do it
(`gateway.handlers`). What PHP asks in a way of its own is looked up in the hub. Who is not there is
skipped without a word, and so is whoever has an empty name, as in the original. In three things this
differs from it: a client that is meant twice receives once, `unbindUid` minds the uid, and a client that is
closed is told so (1000).

A client is named by its connection id, the end of its client id; those of one gateway begin alike.

Two kinds of errors: a frame that asks for nothing that there is, or says it badly, breaks the protocol
(`RemoteProtocolError`). What is refused, such as for the size of its message, costs that frame
(`CommandError`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from gateway.php.answers import LongAnswers, answer, short
from gateway.php.arguments import (
    ArgumentError,
    array_keys,
    array_values,
    connection_id_of,
    is_empty,
    json_of,
    key_of,
    last_message_of,
    message_of,
    name_of,
    names_of,
    numbers_of,
)
from gateway.php.frames import Command
from gateway.php.selection import rows_of, selected, session_of, still_here
from gateway.php.sessions import read_session, replaced_recursively, write_session
from gateway.php.values import PhpValueError, array_key, serialize
from gateway_wire.commands import (
    BindUid,
    CloseClient,
    DestroyClient,
    JoinGroups,
    LeaveGroups,
    SendToAll,
    SendToClients,
    SendToGroups,
    SendToUids,
    SetSession,
    UnbindUid,
    Ungroup,
)
from gateway_wire.errors import RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterable, Mapping

    from gateway.connection import Connection
    from gateway.executor import CommandTable
    from gateway.hub import Hub
    from gateway.php.frames import Frame
    from gateway_wire import commands

__all__ = ["Answer", "Requests"]

Answer: TypeAlias = "bytes | Generator[bytes, None, None] | None"
"""Bytes to write, or None where there is nothing to say. A long answer is written in parts: some may be empty,
which says that a turn's worth of work was done. What was asked for is done when the answer is given; only
the writing is still to come."""


class Requests:
    """Does what the frames of PHP's clients and workers ask of a gateway."""

    def __init__(self, hub: Hub, table: CommandTable, node: str) -> None:
        """Take what the frames act upon.

        Args:
            hub: Who is connected.
            table: What executes our commands.
            node: The 12 hex digits that all client ids of this gateway begin with.
        """
        self._hub = hub
        self._execute = table
        self._node = node
        self._answers = LongAnswers()
        self._table: Mapping[int, Callable[[Frame], Answer]] = {
            Command.SEND_TO_ONE: self._send_to_one,
            Command.SEND_TO_ALL: self._send_to_all,
            Command.KICK: self._kick,
            Command.DESTROY: self._destroy,
            Command.UPDATE_SESSION: self._update_session,
            Command.GET_ALL_CLIENT_SESSIONS: self._all_sessions,
            Command.IS_ONLINE: self._is_online,
            Command.BIND_UID: self._bind_uid,
            Command.UNBIND_UID: self._unbind_uid,
            Command.SEND_TO_UID: self._send_to_uid,
            Command.GET_CLIENT_ID_BY_UID: self._clients_of_uid,
            Command.BATCH_GET_CLIENT_ID_BY_UID: self._clients_of_uids,
            Command.JOIN_GROUP: self._join_group,
            Command.LEAVE_GROUP: self._leave_group,
            Command.SEND_TO_GROUP: self._send_to_group,
            Command.GET_CLIENT_SESSIONS_BY_GROUP: self._sessions_of_group,
            Command.GET_CLIENT_COUNT_BY_GROUP: self._count_of_group,
            Command.SELECT: self._select,
            Command.GET_GROUP_ID_LIST: self._groups,
            Command.UNGROUP: self._ungroup,
            Command.BATCH_GET_CLIENT_COUNT_BY_GROUP: self._counts_of_groups,
            Command.GET_SESSION_BY_CLIENT_ID: self._get_session,
            Command.SET_SESSION: self._set_session,
        }

    def __repr__(self) -> str:
        return f"<Requests of {self._node}>"

    def execute(self, frame: Frame) -> Answer:
        """Do what a frame asks for and return the answer.

        Raises:
            RemoteProtocolError: It asks for nothing that there is, or says it badly; nothing happened.
            CommandError: It is refused, and nothing happened. An answer that would be too large, or one
                too many, raises it while it is written.
        """
        function = self._table.get(frame.command)
        if function is None:
            raise RemoteProtocolError(f"{frame.name} is nothing that a gateway is asked for")
        try:
            return function(frame)
        except (ArgumentError, PhpValueError) as error:
            raise RemoteProtocolError(f"{frame.name}: {error}") from error

    def _do(self, command: commands.Command) -> object:
        return self._execute[type(command)](command)

    # Sending and closing.

    def _send_to_one(self, frame: Frame) -> None:
        self._do(SendToClients([self._client_id(frame.connection_id)], message_of(frame)))

    def _send_to_all(self, frame: Frame) -> None:
        choice = json_of(frame.ext) or {}
        message = message_of(frame)
        if not isinstance(choice, dict):
            raise ArgumentError("the clients to send to are an object")
        if (wanted := choice.get("connections")) is not None:
            self._do(SendToClients(self._client_ids(array_values(wanted)), message))
        else:
            self._do(SendToAll(message, self._excluded(choice)))

    def _send_to_uid(self, frame: Frame) -> None:
        uids = names_of(array_values(json_of(frame.ext)))
        self._do(SendToUids(uids, message_of(frame)))

    def _send_to_group(self, frame: Frame) -> None:
        choice = json_of(frame.ext)
        if not isinstance(choice, dict):
            raise ArgumentError("the groups to send to are an object")
        groups = names_of(array_values(choice.get("group")))
        self._do(SendToGroups(groups, message_of(frame), self._excluded(choice)))

    def _kick(self, frame: Frame) -> None:
        self._do(CloseClient(self._client_id(frame.connection_id), last_message_of(frame)))

    def _destroy(self, frame: Frame) -> None:
        self._do(DestroyClient(self._client_id(frame.connection_id)))

    # Uids and groups.

    def _bind_uid(self, frame: Frame) -> None:
        if uid := name_of(frame.ext):
            self._do(BindUid(self._client_id(frame.connection_id), uid))

    def _unbind_uid(self, frame: Frame) -> None:
        if uid := name_of(frame.ext):
            self._do(UnbindUid(self._client_id(frame.connection_id), uid))

    def _join_group(self, frame: Frame) -> None:
        if group := name_of(frame.ext):
            self._do(JoinGroups(self._client_id(frame.connection_id), [group]))

    def _leave_group(self, frame: Frame) -> None:
        if group := name_of(frame.ext):
            self._do(LeaveGroups(self._client_id(frame.connection_id), [group]))

    def _ungroup(self, frame: Frame) -> None:
        if group := name_of(frame.ext):
            self._do(Ungroup(group))

    # Questions.

    def _is_online(self, frame: Frame) -> Answer:
        return short(int(self._connection(frame) is not None))

    def _clients_of_uid(self, frame: Frame) -> Answer:
        return short(self._numbers_of_uid(name_of(frame.ext)))

    def _clients_of_uids(self, frame: Frame) -> Answer:
        return self._answers.array(
            serialize(key) + serialize(self._numbers_of_uid(str(key))) for key in _keys_in(frame)
        )

    def _count_of_group(self, frame: Frame) -> Answer:
        if not frame.ext:
            return short(len(self._hub.connections))
        return short(len(self._members(name_of(frame.ext))))

    def _counts_of_groups(self, frame: Frame) -> Answer:
        return self._answers.array(
            serialize(key) + serialize(len(self._members(str(key)))) for key in _keys_in(frame)
        )

    def _groups(self, _: Frame) -> Answer:
        groups = enumerate(list(self._hub.groups))
        return self._answers.array(
            serialize(at) + serialize(array_key(name)) for at, name in groups
        )

    def _select(self, frame: Frame) -> Answer:
        question = json_of(frame.ext)
        if not question:
            return short({})
        return self._answers.array(selected(question, self._hub, self._connections))

    # Sessions.

    def _get_session(self, frame: Frame) -> Answer:
        connection = self._connection(frame)
        return short(None) if connection is None else answer(write_session(connection.session))

    def _all_sessions(self, _: Frame) -> Answer:
        return self._sessions(self._hub.connections.values())

    def _sessions_of_group(self, frame: Frame) -> Answer:
        return self._sessions(self._members(name_of(frame.ext)))

    def _sessions(self, connections: Collection[Connection]) -> Answer:
        present = still_here(tuple(connections), self._hub)
        return self._answers.array(rows_of(present, session_of))

    def _set_session(self, frame: Frame) -> None:
        session = read_session(frame.ext)
        self._do(SetSession(self._client_id(frame.connection_id), session))

    def _update_session(self, frame: Frame) -> None:
        connection = self._connection(frame)
        if connection is not None:
            session = replaced_recursively(connection.session, read_session(frame.ext))
            self._do(SetSession(connection.client_id, session))

    # Who is meant.

    def _client_id(self, number: int) -> str:
        return f"{self._node}{number:08x}"  # the width is `CONNECTION_DIGITS`

    def _client_ids(self, values: Iterable[object]) -> list[str]:
        return [self._client_id(number) for number in numbers_of(values)]

    def _excluded(self, choice: Mapping[str, Any]) -> list[str] | None:
        exclude = choice.get("exclude")
        return self._client_ids(array_keys(exclude)) if exclude else None

    def _connection(self, frame: Frame) -> Connection | None:
        return self._hub.connections.get(self._client_id(frame.connection_id))

    def _connections(self, numbers: Iterable[int]) -> Collection[Connection]:
        return self._hub.of_clients(self._client_id(number) for number in numbers)

    def _members(self, group: str) -> Collection[Connection]:
        return () if is_empty(group) else self._hub.groups.get(group, ())

    def _numbers_of_uid(self, uid: str) -> list[int]:
        bound = () if is_empty(uid) else self._hub.uids.get(uid, ())
        return [connection_id_of(each.client_id) for each in bound]


def _keys_in(frame: Frame) -> Iterable[int | str]:
    """Return the names that a list holds, as keys of an array of PHP."""
    return dict.fromkeys(key_of(each) for each in array_values(json_of(frame.ext) or []))
