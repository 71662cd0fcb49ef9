"""Every method of the client, as the plain function that makes its call.

`METHODS` is the catalogue: the facades list their methods from these functions, the HTTP API and
the documents find them by name. `SUBJECTS` is the same in the order of the documents.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gateway_client.calls.base import Call
from gateway_client.calls.binds import (
    bind_uid,
    join_group,
    leave_group,
    unbind_uid,
    ungroup,
)
from gateway_client.calls.clients import (
    batch_get_client_count_by_group,
    batch_get_client_id_by_uid,
    get_all_client_count,
    get_all_client_id_list,
    get_client_count_by_group,
    get_client_id_by_uid,
    get_client_id_list_by_group,
)
from gateway_client.calls.closes import (
    close_client,
    close_group,
    close_uid,
    destroy_client,
)
from gateway_client.calls.context import (
    publish,
    set_context,
    set_context_value,
    subscribe,
    unsubscribe,
)
from gateway_client.calls.groups import (
    get_all_group_client_id_count,
    get_all_group_client_id_list,
    get_all_group_id_list,
    get_all_group_uid_count,
    get_all_group_uid_list,
)
from gateway_client.calls.online import (
    is_online,
    is_uid_online,
    is_uids_online,
)
from gateway_client.calls.queues import get_all_queues
from gateway_client.calls.sends import (
    send_to_all,
    send_to_client,
    send_to_group,
    send_to_uid,
)
from gateway_client.calls.sessions import (
    get_all_client_sessions,
    get_client_sessions_by_group,
    get_session,
    set_session,
    update_session,
)
from gateway_client.calls.uids import (
    get_all_uid_count,
    get_all_uid_list,
    get_uid_by_client_id,
    get_uid_count_by_group,
    get_uid_list_by_group,
)

__all__ = [
    "METHODS",
    "SUBJECTS",
    "Builder",
    "Call",
    "batch_get_client_count_by_group",
    "batch_get_client_id_by_uid",
    "bind_uid",
    "close_client",
    "close_group",
    "close_uid",
    "destroy_client",
    "get_all_client_count",
    "get_all_client_id_list",
    "get_all_client_sessions",
    "get_all_group_client_id_count",
    "get_all_group_client_id_list",
    "get_all_group_id_list",
    "get_all_group_uid_count",
    "get_all_group_uid_list",
    "get_all_queues",
    "get_all_uid_count",
    "get_all_uid_list",
    "get_client_count_by_group",
    "get_client_id_by_uid",
    "get_client_id_list_by_group",
    "get_client_sessions_by_group",
    "get_session",
    "get_uid_by_client_id",
    "get_uid_count_by_group",
    "get_uid_list_by_group",
    "is_online",
    "is_uid_online",
    "is_uids_online",
    "join_group",
    "leave_group",
    "publish",
    "send_to_all",
    "send_to_client",
    "send_to_group",
    "send_to_uid",
    "set_context",
    "set_context_value",
    "set_session",
    "subscribe",
    "unbind_uid",
    "ungroup",
    "unsubscribe",
    "update_session",
]

Builder = Callable[..., Call[Any]]

SUBJECTS: Final[dict[str, tuple[Builder, ...]]] = {
    "Sends": (
        send_to_all,
        send_to_client,
        send_to_uid,
        send_to_group,
    ),
    "Closes": (
        close_client,
        destroy_client,
        close_uid,
        close_group,
    ),
    "Binds": (
        bind_uid,
        unbind_uid,
        join_group,
        leave_group,
        ungroup,
    ),
    "Online": (
        is_online,
        is_uid_online,
        is_uids_online,
    ),
    "Client queries": (
        get_client_id_by_uid,
        batch_get_client_id_by_uid,
        get_client_id_list_by_group,
        get_all_client_id_list,
        get_all_client_count,
        get_client_count_by_group,
        batch_get_client_count_by_group,
    ),
    "Uid queries": (
        get_uid_by_client_id,
        get_uid_list_by_group,
        get_uid_count_by_group,
        get_all_uid_list,
        get_all_uid_count,
    ),
    "Group queries": (
        get_all_group_id_list,
        get_all_group_uid_list,
        get_all_group_uid_count,
        get_all_group_client_id_list,
        get_all_group_client_id_count,
    ),
    "Sessions": (
        set_session,
        update_session,
        get_session,
        get_client_sessions_by_group,
        get_all_client_sessions,
    ),
    "Context and channels": (
        set_context,
        set_context_value,
        subscribe,
        unsubscribe,
        publish,
    ),
    "Queues": (get_all_queues,),
}
"""The methods by subject."""

METHODS: Final[dict[str, Builder]] = {
    build.__name__: build for builders in SUBJECTS.values() for build in builders
}
"""The methods by name."""
