"""From method and parameters of a request to what its sender wants.

What comes out is checked, so that whoever carries it out need not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gateway.connmix.codes import bad_request
from gateway.connmix.values import (
    ARGUMENTS,
    CHANNEL,
    CLIENT,
    FUNCTION,
    TOPICS,
    as_client_id,
    as_context,
    as_names,
    data_of,
    fields_of,
    first,
    given,
    is_client_id,
)
from gateway.connmix.wanted import (
    Call,
    Ping,
    Pop,
    Publish,
    Send,
    SetContext,
    SetContextValue,
    Subscribe,
    Unpop,
    Unsubscribe,
    Wanted,
)

__all__ = ["MESH_METHODS", "METHODS", "name_of", "read"]


def name_of(method: object) -> str:
    """Return the present name of a method.

    Raises:
        ConnmixError: There is no such method; the text says which there are.
    """
    name = _FORMER_NAMES.get(method, method) if isinstance(method, str) else None
    if name is None or name not in METHODS:
        raise bad_request(f"there is no method {method!r:.80}; there are {', '.join(METHODS)}")
    return name


def read(name: str, params: object) -> Wanted:
    """Return what is wanted.

    Args:
        name: One of :data:`METHODS`.
        params: As they stand in the envelope.

    Raises:
        ConnmixError: The method takes other parameters; the text says which.
    """
    return METHODS[name](params)


def _pop(params: object) -> Pop:
    # A bare list of topics, which also [{"t": [...]}] could be taken for, is told by what it holds.
    topics = params
    if not isinstance(params, list) or any(isinstance(each, dict) for each in params):
        topics = given(fields_of(params), TOPICS, "the topics")
    return Pop(as_names("topic", topics))


def _conn_call(params: object) -> Call:
    fields = fields_of(params)
    client_id = as_client_id(given(fields, CLIENT, "the client id"))
    function = given(fields, FUNCTION, "the function")
    if not isinstance(function, str) or function not in _FUNCTIONS:
        known = ", ".join(_FUNCTIONS)
        raise bad_request(f"there is no function {function!r:.80}; there are {known}")
    return _FUNCTIONS[function](client_id, first(fields, ARGUMENTS))


def _mesh_send(params: object) -> Send | Publish:
    fields = fields_of(params)
    # Clients publish by mesh.send too: the older ones with `channel`, later ones with a channel as `c`.
    if "channel" in fields:
        return _mesh_publish(fields)
    target = given(fields, CLIENT, "the client id")
    if isinstance(target, str) and not target.isdecimal() and not is_client_id(target):
        return _mesh_publish(fields)
    return Send(as_client_id(target), data_of(fields))


def _mesh_publish(params: object) -> Publish:
    fields = fields_of(params)
    channel = given(fields, CHANNEL, "the channel")
    if isinstance(channel, list):
        raise bad_request(f"the channel is one text, not {channel!r:.80}")
    return Publish(as_names("channel", channel)[0], data_of(fields))


# The functions of conn.call


def _set_context(client_id: str, args: object) -> SetContext:
    if args is None:  # what was forgotten must not empty the context
        raise bad_request('set_context takes the new context, as [{"user_id":1000}]')
    context = fields_of(args)  # as an argument in its list, alone, or PHP's empty [] or [[]]
    return SetContext(client_id, as_context(dict(context)))


def _set_context_value(client_id: str, args: object) -> SetContextValue:
    pair = [*args.items()] if isinstance(args, dict) else [args]  # {"key": value} in client 1.0.1
    if len(pair) != 1 or not isinstance(pair[0], list | tuple) or len(pair[0]) != 2:
        raise bad_request('set_context_value takes a key and a value, as ["user_id",1000]')
    key, value = pair[0]
    if type(key) not in (str, int):
        raise bad_request(f"the key of set_context_value is text, not {key!r:.80}")
    as_context({key: value})
    return SetContextValue(client_id, str(key), value)


def _subscribe(client_id: str, args: object) -> Subscribe:
    return Subscribe(client_id, _channels(args))


def _unsubscribe(client_id: str, args: object) -> Unsubscribe:
    return Unsubscribe(client_id, _channels(args))


def _channels(args: object) -> list[str]:
    return as_names("channel", [] if args is None else args)


_FUNCTIONS: Final[Mapping[str, Callable[[str, object], Call]]] = {
    "set_context_value": _set_context_value,
    "set_context": _set_context,
    "subscribe": _subscribe,
    "unsubscribe": _unsubscribe,
}

MESH_METHODS: Final[Mapping[str, Callable[[object], Send | Publish]]] = {
    "mesh.send": _mesh_send,
    "mesh.publish": _mesh_publish,
}
"""What reads the parameters of the methods that POST requests have too."""

METHODS: Final[Mapping[str, Callable[[object], Wanted]]] = {
    "queue.pop": _pop,
    "queue.unpop": lambda _: Unpop(),
    "conn.call": _conn_call,
    **MESH_METHODS,
    "server.ping": lambda _: Ping(),
}
"""What reads the parameters of each method."""

_FORMER_NAMES: Final = {"queue.consume": "queue.pop", "queue.unconsume": "queue.unpop"}
