"""The command catalogue: everything that can be said on an internal link.

One small class per command, in one module per subject. :data:`COMMANDS` finds a class by its
code; ``docs/protocol.md`` draws its tables from it.
"""

from __future__ import annotations

from typing import Final

from gateway_wire.commands.base import BACKENDS, Command, CommandError, Role
from gateway_wire.commands.binds import BindUid, JoinGroups, LeaveGroups, UnbindUid, Ungroup
from gateway_wire.commands.directory import Announce, Nodes, Watch
from gateway_wire.commands.events import (
    Acknowledge,
    ClientAssigned,
    ClientClosed,
    ClientConnected,
    ClientMessage,
    ClientSession,
    LeaveEvents,
    PatchSession,
    TakeEvents,
)
from gateway_wire.commands.link import (
    Challenge,
    Error,
    Goodbye,
    Hello,
    Ping,
    Pong,
    Proof,
    Reply,
    ReplyPart,
    Welcome,
)
from gateway_wire.commands.queries import (
    ClientIdsByGroups,
    ClientIdsByUids,
    CountClients,
    CountClientsByGroups,
    CountUids,
    CountUidsByGroups,
    GetUid,
    IsOnline,
    ListAllClientIdsByGroup,
    ListAllUidsByGroup,
    ListClientIds,
    ListGroups,
    ListUids,
    OnlineUids,
    UidsByGroups,
)
from gateway_wire.commands.queues import (
    AcknowledgeMessages,
    Consume,
    ListQueues,
    QueueMessage,
    RejectMessages,
    StopConsuming,
)
from gateway_wire.commands.replies import ReplyShape
from gateway_wire.commands.sends import (
    CloseClient,
    CloseGroups,
    CloseUids,
    DestroyClient,
    SendToAll,
    SendToClients,
    SendToGroups,
    SendToUids,
)
from gateway_wire.commands.sessions import (
    AllSessions,
    GetSession,
    SessionsByGroups,
    SetSession,
    UpdateSession,
    check_session,
)

__all__ = [
    "BACKENDS",
    "CATALOGUE",
    "COMMANDS",
    "WORKER_EVENTS",
    "Acknowledge",
    "AcknowledgeMessages",
    "AllSessions",
    "Announce",
    "BindUid",
    "Challenge",
    "ClientAssigned",
    "ClientClosed",
    "ClientConnected",
    "ClientIdsByGroups",
    "ClientIdsByUids",
    "ClientMessage",
    "ClientSession",
    "CloseClient",
    "CloseGroups",
    "CloseUids",
    "Command",
    "CommandError",
    "Consume",
    "CountClients",
    "CountClientsByGroups",
    "CountUids",
    "CountUidsByGroups",
    "DestroyClient",
    "Error",
    "GetSession",
    "GetUid",
    "Goodbye",
    "Hello",
    "IsOnline",
    "JoinGroups",
    "LeaveEvents",
    "LeaveGroups",
    "ListAllClientIdsByGroup",
    "ListAllUidsByGroup",
    "ListClientIds",
    "ListGroups",
    "ListQueues",
    "ListUids",
    "Nodes",
    "OnlineUids",
    "PatchSession",
    "Ping",
    "Pong",
    "Proof",
    "QueueMessage",
    "RejectMessages",
    "Reply",
    "ReplyPart",
    "ReplyShape",
    "Role",
    "SendToAll",
    "SendToClients",
    "SendToGroups",
    "SendToUids",
    "SessionsByGroups",
    "SetSession",
    "StopConsuming",
    "TakeEvents",
    "UidsByGroups",
    "UnbindUid",
    "Ungroup",
    "UpdateSession",
    "Watch",
    "Welcome",
    "check_session",
]

CATALOGUE: Final[tuple[tuple[str, tuple[type[Command], ...]], ...]] = (
    (
        "Link",
        (Hello, Challenge, Proof, Welcome, Goodbye, Ping, Pong, Reply, ReplyPart, Error),
    ),
    ("Directory", (Announce, Watch, Nodes)),
    (
        "Sends and closes",
        (
            SendToAll,
            SendToClients,
            SendToUids,
            SendToGroups,
            CloseClient,
            DestroyClient,
            CloseUids,
            CloseGroups,
        ),
    ),
    ("Binds", (BindUid, UnbindUid, JoinGroups, LeaveGroups, Ungroup)),
    (
        "Queries",
        (
            IsOnline,
            OnlineUids,
            ClientIdsByUids,
            ClientIdsByGroups,
            ListClientIds,
            CountClients,
            CountClientsByGroups,
            GetUid,
            UidsByGroups,
            CountUidsByGroups,
            ListUids,
            CountUids,
            ListGroups,
            ListAllUidsByGroup,
            ListAllClientIdsByGroup,
        ),
    ),
    ("Sessions", (SetSession, UpdateSession, GetSession, SessionsByGroups, AllSessions)),
    (
        "Events",
        (
            TakeEvents,
            LeaveEvents,
            Acknowledge,
            PatchSession,
            ClientAssigned,
            ClientConnected,
            ClientMessage,
            ClientClosed,
            ClientSession,
        ),
    ),
    (
        "Queues",
        (
            Consume,
            StopConsuming,
            AcknowledgeMessages,
            RejectMessages,
            QueueMessage,
            ListQueues,
        ),
    ),
)
"""Every command by subject, in the order of the documents."""

COMMANDS: Final[dict[int, type[Command]]] = {
    each.code: each for _, commands in CATALOGUE for each in commands
}
"""The command class by code."""

WORKER_EVENTS: Final = frozenset(
    {ClientAssigned, ClientSession, ClientConnected, ClientMessage, ClientClosed}
)
"""What a gateway sends to a worker unasked; everything else on such a link is an answer."""
