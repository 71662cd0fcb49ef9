"""Every limit of the internal links, each with its reason.

Limits that a user may change are settings and live with the settings; those here are part of
the protocol: both sides must hold them, so they are constants.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "ANNOUNCE_INTERVAL",
    "DEFAULT_MAX_MESSAGE",
    "EVENT_CREDIT",
    "EVENT_CREDIT_BYTES",
    "HELLO_TIMEOUT",
    "MAX_FRAME",
    "MAX_FRAME_BEFORE_PROOF",
    "MAX_ID_LENGTH",
    "MAX_MESSAGE_CEILING",
    "MAX_PREFETCH",
    "MAX_SESSION",
    "MAX_UNSENT",
    "NODE_SILENCE",
    "PART_ITEMS",
    "SETTLING_TIME",
    "UNREAD_REPLIES_TIMEOUT",
]

MAX_FRAME: Final = 4 * 1024 * 1024
"""
Bytes of one frame's body on an open link.

Large enough for any legal message beside its targets, small enough that one frame
cannot stall a process for long (4 MiB unpack in some milliseconds).
"""

MAX_FRAME_BEFORE_PROOF: Final = 4 * 1024
"""
Bytes of one frame's body before the hello is finished.

A hello is some hundred bytes; a stranger must not make a process hold more than a page.
"""

HELLO_TIMEOUT: Final = 5.0
"""Seconds in which the hello must be finished: two round trips and room for a busy peer."""

DEFAULT_MAX_MESSAGE: Final = 1024 * 1024
"""Bytes of one message to or from a browser, unless a gateway's ``max_message`` says otherwise."""

MAX_MESSAGE_CEILING: Final = MAX_FRAME - 64 * 1024
"""The largest ``max_message`` that may be configured: it must fit a frame beside its targets."""

MAX_PREFETCH: Final = 10_000
"""
Messages that one consumer may have unacknowledged at one gateway.

As many as a topic holds by default; more would only make one consumer keep what others could work on.
"""

MAX_ID_LENGTH: Final = 1024
"""
Bytes of one uid or group name.

Names are keys that every index and many replies repeat; Pusher allows 200 characters for a
channel, Centrifugo 255. A kilobyte is generous and still bounds the indexes.
"""

MAX_SESSION: Final = 1024 * 1024
"""Packed bytes of one connection's session: it travels in one frame, and is memory per socket."""

MAX_UNSENT: Final = 16 * 1024 * 1024
"""
Bytes that may wait on one link for a peer that does not read.

To a gateway, what would pass this fails at once; a client that does not read its replies is
not read any more. Sixteen times the largest default message.
"""

UNREAD_REPLIES_TIMEOUT: Final = 10.0
"""Seconds after which a link whose replies nobody reads is closed."""

PART_ITEMS: Final = 10_000
"""
Names in one part of a reply.

With names of 32 characters a part is about 350 KB and takes about a millisecond. A part is
also closed when it holds :data:`MAX_FRAME` / 4 bytes, so that long names cannot pass a frame.
"""

ANNOUNCE_INTERVAL: Final = 2.0
"""Seconds between two signs of life of a gateway on its link to a register."""

EVENT_CREDIT: Final = 64
"""
Events of one client that may be unacknowledged; beyond it the gateway stops reading that browser.

Enough that a worker never waits for a round trip, few enough that a flooding browser fills its own
queue and nobody else's.
"""

EVENT_CREDIT_BYTES: Final = 8 * 1024 * 1024
"""
Bytes of events that may be unacknowledged on one worker's link; beyond it the gateway stops reading
the browsers that send more.

Half of what may be unsent on a link, so that a worker which does not read is never cut for its
events; eight of the largest default messages.
"""

NODE_SILENCE: Final = 7.0
"""
Seconds without a sign of life after which a register drops a gateway.

Three missed signs and a second of slack: a gateway that dies without a word (power, network,
SIGSTOP) is gone within ten seconds.
"""

SETTLING_TIME: Final = 5.0
"""
Seconds after its start in which a register marks its answers ``settling``.

Gateways redial at least each second; whoever has not announced itself after five is gone.
"""
