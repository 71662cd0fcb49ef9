"""The methods of the pipelines, one line each: they queue, and return nothing yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from gateway_client import calls
from gateway_client.calls.base import Call
from gateway_client.facade import described
from gateway_client.options import check_options

__all__ = ["OUTSIDE", "PipelineMethods", "queued"]

OUTSIDE: Final = (
    "a command was queued outside of the pipeline's with block, where nothing would send it"
)
"""Said in a RuntimeError, since such a command would be lost without a word."""

P = ParamSpec("P")
R = TypeVar("R")


def queued(build: Callable[P, Call[R]]) -> Callable[Concatenate[Any, P], None]:
    """Make the queueing method of a call."""

    def method(self: Any, *args: P.args, **kwargs: P.kwargs) -> None:
        if kwargs:
            check_options(kwargs)
        self._queue(build(*args, **kwargs))

    return described(build, method, "None")


class PipelineMethods:
    """Every method of the client, queued; its result will stand in `results` at its place."""

    __slots__ = ()

    # Sends
    send_to_all = queued(calls.send_to_all)
    send_to_client = queued(calls.send_to_client)
    send_to_uid = queued(calls.send_to_uid)
    send_to_group = queued(calls.send_to_group)

    # Closes
    close_client = queued(calls.close_client)
    destroy_client = queued(calls.destroy_client)
    close_uid = queued(calls.close_uid)
    close_group = queued(calls.close_group)

    # Binds
    bind_uid = queued(calls.bind_uid)
    unbind_uid = queued(calls.unbind_uid)
    join_group = queued(calls.join_group)
    leave_group = queued(calls.leave_group)
    ungroup = queued(calls.ungroup)

    # Online
    is_online = queued(calls.is_online)
    is_uid_online = queued(calls.is_uid_online)
    is_uids_online = queued(calls.is_uids_online)

    # Client queries
    get_client_id_by_uid = queued(calls.get_client_id_by_uid)
    batch_get_client_id_by_uid = queued(calls.batch_get_client_id_by_uid)
    get_client_id_list_by_group = queued(calls.get_client_id_list_by_group)
    get_all_client_id_list = queued(calls.get_all_client_id_list)
    get_all_client_count = queued(calls.get_all_client_count)
    get_client_count_by_group = queued(calls.get_client_count_by_group)
    batch_get_client_count_by_group = queued(calls.batch_get_client_count_by_group)

    # Uid queries
    get_uid_by_client_id = queued(calls.get_uid_by_client_id)
    get_uid_list_by_group = queued(calls.get_uid_list_by_group)
    get_uid_count_by_group = queued(calls.get_uid_count_by_group)
    get_all_uid_list = queued(calls.get_all_uid_list)
    get_all_uid_count = queued(calls.get_all_uid_count)

    # Group queries
    get_all_group_id_list = queued(calls.get_all_group_id_list)
    get_all_group_uid_list = queued(calls.get_all_group_uid_list)
    get_all_group_uid_count = queued(calls.get_all_group_uid_count)
    get_all_group_client_id_list = queued(calls.get_all_group_client_id_list)
    get_all_group_client_id_count = queued(calls.get_all_group_client_id_count)

    # Sessions
    set_session = queued(calls.set_session)
    update_session = queued(calls.update_session)
    get_session = queued(calls.get_session)
    get_client_sessions_by_group = queued(calls.get_client_sessions_by_group)
    get_all_client_sessions = queued(calls.get_all_client_sessions)

    # Context and channels
    set_context = queued(calls.set_context)
    set_context_value = queued(calls.set_context_value)
    subscribe = queued(calls.subscribe)
    unsubscribe = queued(calls.unsubscribe)
    publish = queued(calls.publish)

    # Queues
    get_all_queues = queued(calls.get_all_queues)
