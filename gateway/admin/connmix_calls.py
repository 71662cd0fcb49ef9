"""Carries out what CONNMIX's requests ask of the cluster, through the client library.

A mesh request or a conn.call reaches its client wherever that is connected, so the request may go to any
gateway; in CONNMIX a conn.call had to go to the client's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.connmix.codes import Code, ConnmixError, bad_request
from gateway.connmix.wanted import (
    Call,
    Publish,
    Send,
    SetContext,
    SetContextValue,
    Subscribe,
    Unsubscribe,
)
from gateway_client.errors import GatewayError, MessageTooLarge

if TYPE_CHECKING:
    from gateway.connmix.dialects import Dialect, Result
    from gateway_client import AsyncGatewayClient

__all__ = ["carry_out"]


async def carry_out(
    client: AsyncGatewayClient, wanted: Send | Publish | Call, dialect: Dialect
) -> Result:
    """Do what is wanted; return the result in the request's spelling.

    Raises:
        ConnmixError: It was not done; the text says why.
    """
    code = Code.SEND_FAILED if isinstance(wanted, Send | Publish) else Code.CALL_FAILED
    try:
        if isinstance(wanted, Publish):
            published = await client.publish(wanted.channel, wanted.data)
            return dialect.published(published.success, published.fail)
        if isinstance(wanted, Send):
            there = bool(await client.send_to_client(wanted.client_id, wanted.data))
        else:
            there = await _call(client, wanted)
    except MessageTooLarge as error:
        raise bad_request(str(error)) from error
    except GatewayError as error:
        raise ConnmixError(code, str(error)) from error
    if not there:
        raise ConnmixError(code, f"the client {wanted.client_id} is not connected")
    return dialect.sent() if isinstance(wanted, Send) else dialect.done()


async def _call(client: AsyncGatewayClient, wanted: Call) -> bool:
    match wanted:
        case SetContext(client_id, context):
            return await client.set_context(client_id, context)
        case SetContextValue(client_id, key, value):
            return await client.set_context_value(client_id, key, value)
        case Subscribe(client_id, channels):
            return await client.subscribe(client_id, *channels)
        case Unsubscribe(client_id, channels):
            return await client.unsubscribe(client_id, *channels)
