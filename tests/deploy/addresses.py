"""Events that tell each browser the address that the gateway believes it to have."""

from businessworker import current
from gatewayworker import AsyncGateway


async def on_websocket_connect(client_id: str, request: object) -> None:
    """Tell it."""
    await AsyncGateway.send_to_current_client(current.remote_addr)
