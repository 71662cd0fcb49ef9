"""The methods of the asyncio clients, one line each."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeAlias, TypeVar

from gateway_client import calls, inside
from gateway_client.calls import current
from gateway_client.calls.base import Call
from gateway_client.calls.current import CurrentCall
from gateway_client.facade import Method, method_of
from gateway_client.options import check_options
from gateway_client.reached import Reached
from gateway_client.send_types import SendToAll, SendToClient, SendToGroup, SendToUid

__all__ = ["AsyncCurrentMethods", "AsyncMethods", "awaiting"]

P = ParamSpec("P")
R = TypeVar("R")

Sent: TypeAlias = Coroutine[Any, Any, Reached]
Written: TypeAlias = Coroutine[Any, Any, None]


def awaiting(build: Callable[P, Call[R]]) -> Method[P, Coroutine[Any, Any, R]]:
    """Make the awaitable method of a call."""

    async def method(self: Any, *args: P.args, **kwargs: P.kwargs) -> R:
        if kwargs:
            check_options(kwargs)
        result: R = await self._run(build(*args, **kwargs))
        return result

    return method_of(build, method, "{}")


def _to_current_client(build: Callable[P, CurrentCall]) -> Method[P, Coroutine[Any, Any, None]]:
    """Make the method of a call to the current client; awaiting it never gives up the turn."""

    async def method(_self: Any, *args: P.args, **kwargs: P.kwargs) -> None:
        inside.tell_current_client(build(*args, **kwargs))

    return method_of(build, method, "None")


def _send(method: Any) -> Any:
    return method


class AsyncMethods:
    """Every method of the client, to be awaited."""

    __slots__ = ()

    # Sends
    send_to_all: SendToAll[Sent, Written] = _send(awaiting(calls.send_to_all))
    send_to_client: SendToClient[Sent, Written] = _send(awaiting(calls.send_to_client))
    send_to_uid: SendToUid[Sent, Written] = _send(awaiting(calls.send_to_uid))
    send_to_group: SendToGroup[Sent, Written] = _send(awaiting(calls.send_to_group))

    # Closes
    close_client = awaiting(calls.close_client)
    destroy_client = awaiting(calls.destroy_client)
    close_uid = awaiting(calls.close_uid)
    close_group = awaiting(calls.close_group)

    # Binds
    bind_uid = awaiting(calls.bind_uid)
    unbind_uid = awaiting(calls.unbind_uid)
    join_group = awaiting(calls.join_group)
    leave_group = awaiting(calls.leave_group)
    ungroup = awaiting(calls.ungroup)

    # Online
    is_online = awaiting(calls.is_online)
    is_uid_online = awaiting(calls.is_uid_online)
    is_uids_online = awaiting(calls.is_uids_online)

    # Client queries
    get_client_id_by_uid = awaiting(calls.get_client_id_by_uid)
    batch_get_client_id_by_uid = awaiting(calls.batch_get_client_id_by_uid)
    get_client_id_list_by_group = awaiting(calls.get_client_id_list_by_group)
    get_all_client_id_list = awaiting(calls.get_all_client_id_list)
    get_all_client_count = awaiting(calls.get_all_client_count)
    get_client_count_by_group = awaiting(calls.get_client_count_by_group)
    batch_get_client_count_by_group = awaiting(calls.batch_get_client_count_by_group)

    # Uid queries
    get_uid_by_client_id = awaiting(calls.get_uid_by_client_id)
    get_uid_list_by_group = awaiting(calls.get_uid_list_by_group)
    get_uid_count_by_group = awaiting(calls.get_uid_count_by_group)
    get_all_uid_list = awaiting(calls.get_all_uid_list)
    get_all_uid_count = awaiting(calls.get_all_uid_count)

    # Group queries
    get_all_group_id_list = awaiting(calls.get_all_group_id_list)
    get_all_group_uid_list = awaiting(calls.get_all_group_uid_list)
    get_all_group_uid_count = awaiting(calls.get_all_group_uid_count)
    get_all_group_client_id_list = awaiting(calls.get_all_group_client_id_list)
    get_all_group_client_id_count = awaiting(calls.get_all_group_client_id_count)

    # Sessions
    set_session = awaiting(calls.set_session)
    update_session = awaiting(calls.update_session)
    get_session = awaiting(calls.get_session)
    get_client_sessions_by_group = awaiting(calls.get_client_sessions_by_group)
    get_all_client_sessions = awaiting(calls.get_all_client_sessions)

    # Context and channels
    set_context = awaiting(calls.set_context)
    set_context_value = awaiting(calls.set_context_value)
    subscribe = awaiting(calls.subscribe)
    unsubscribe = awaiting(calls.unsubscribe)
    publish = awaiting(calls.publish)

    # Queues
    get_all_queues = awaiting(calls.get_all_queues)


class AsyncCurrentMethods:
    """The methods that speak to the client whose event is being handled."""

    __slots__ = ()

    send_to_current_client = _to_current_client(current.send_to_current_client)
    close_current_client = _to_current_client(current.close_current_client)
    destroy_current_client = _to_current_client(current.destroy_current_client)
