"""Browsers and devices in one group: what one of them sends, all others get."""

from businessworker import current
from gatewayworker import Gateway


def on_connect(client_id: str) -> None:
    Gateway.join_group(client_id, "home")
    print(f"{current.remote_addr} came through {current.listener}", flush=True)


def on_message(client_id: str, message: str | bytes) -> None:
    Gateway.send_to_group("home", message, exclude_client_ids=[client_id])
