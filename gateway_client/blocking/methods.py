"""The methods of the blocking clients, one line each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from gateway_client import calls, inside
from gateway_client.calls import current
from gateway_client.calls.base import Call
from gateway_client.calls.current import CurrentCall
from gateway_client.facade import Method, method_of
from gateway_client.options import check_options
from gateway_client.reached import Reached
from gateway_client.send_types import SendToAll, SendToClient, SendToGroup, SendToUid

__all__ = ["BlockingCurrentMethods", "BlockingMethods", "blocking"]

P = ParamSpec("P")
R = TypeVar("R")


def blocking(build: Callable[P, Call[R]]) -> Method[P, R]:
    """Make the blocking method of a call."""

    def method(self: Any, *args: P.args, **kwargs: P.kwargs) -> R:
        if kwargs:
            check_options(kwargs)
        result: R = self._run(build(*args, **kwargs))
        return result

    return method_of(build, method, "{}")


def _to_current_client(build: Callable[P, CurrentCall]) -> Method[P, None]:
    """Make the method of a call to the current client."""

    def method(_self: Any, *args: P.args, **kwargs: P.kwargs) -> None:
        inside.tell_current_client(build(*args, **kwargs))

    return method_of(build, method, "None")


def _send(method: Any) -> Any:
    return method


class BlockingMethods:
    """Every method of the client, blocking the calling thread until the result is there."""

    __slots__ = ()

    # Sends
    send_to_all: SendToAll[Reached, None] = _send(blocking(calls.send_to_all))
    send_to_client: SendToClient[Reached, None] = _send(blocking(calls.send_to_client))
    send_to_uid: SendToUid[Reached, None] = _send(blocking(calls.send_to_uid))
    send_to_group: SendToGroup[Reached, None] = _send(blocking(calls.send_to_group))

    # Closes
    close_client = blocking(calls.close_client)
    destroy_client = blocking(calls.destroy_client)
    close_uid = blocking(calls.close_uid)
    close_group = blocking(calls.close_group)

    # Binds
    bind_uid = blocking(calls.bind_uid)
    unbind_uid = blocking(calls.unbind_uid)
    join_group = blocking(calls.join_group)
    leave_group = blocking(calls.leave_group)
    ungroup = blocking(calls.ungroup)

    # Online
    is_online = blocking(calls.is_online)
    is_uid_online = blocking(calls.is_uid_online)
    is_uids_online = blocking(calls.is_uids_online)

    # Client queries
    get_client_id_by_uid = blocking(calls.get_client_id_by_uid)
    batch_get_client_id_by_uid = blocking(calls.batch_get_client_id_by_uid)
    get_client_id_list_by_group = blocking(calls.get_client_id_list_by_group)
    get_all_client_id_list = blocking(calls.get_all_client_id_list)
    get_all_client_count = blocking(calls.get_all_client_count)
    get_client_count_by_group = blocking(calls.get_client_count_by_group)
    batch_get_client_count_by_group = blocking(calls.batch_get_client_count_by_group)

    # Uid queries
    get_uid_by_client_id = blocking(calls.get_uid_by_client_id)
    get_uid_list_by_group = blocking(calls.get_uid_list_by_group)
    get_uid_count_by_group = blocking(calls.get_uid_count_by_group)
    get_all_uid_list = blocking(calls.get_all_uid_list)
    get_all_uid_count = blocking(calls.get_all_uid_count)

    # Group queries
    get_all_group_id_list = blocking(calls.get_all_group_id_list)
    get_all_group_uid_list = blocking(calls.get_all_group_uid_list)
    get_all_group_uid_count = blocking(calls.get_all_group_uid_count)
    get_all_group_client_id_list = blocking(calls.get_all_group_client_id_list)
    get_all_group_client_id_count = blocking(calls.get_all_group_client_id_count)

    # Sessions
    set_session = blocking(calls.set_session)
    update_session = blocking(calls.update_session)
    get_session = blocking(calls.get_session)
    get_client_sessions_by_group = blocking(calls.get_client_sessions_by_group)
    get_all_client_sessions = blocking(calls.get_all_client_sessions)

    # Context and channels
    set_context = blocking(calls.set_context)
    set_context_value = blocking(calls.set_context_value)
    subscribe = blocking(calls.subscribe)
    unsubscribe = blocking(calls.unsubscribe)
    publish = blocking(calls.publish)

    # Queues
    get_all_queues = blocking(calls.get_all_queues)


class BlockingCurrentMethods:
    """The methods that speak to the client whose event is being handled."""

    __slots__ = ()

    send_to_current_client = _to_current_client(current.send_to_current_client)
    close_current_client = _to_current_client(current.close_current_client)
    destroy_current_client = _to_current_client(current.destroy_current_client)
