"""A thermometer that speaks frames: `python thermometer.py 127.0.0.1:7281`; each line of input is a reading."""

import socket
import struct
import sys
from threading import Thread

HEAD = struct.Struct("!HB")
READING, TEXT = 2, 3


def show(gateway: socket.socket) -> None:
    """Print the texts that come."""
    stream = gateway.makefile("rb")
    while head := stream.read(HEAD.size):
        length, kind = HEAD.unpack(head)
        body = stream.read(length)
        if kind == TEXT:
            print(body.decode(), flush=True)


host, _, port = sys.argv[1].rpartition(":")
with socket.create_connection((host, int(port))) as gateway:
    Thread(target=show, args=[gateway], daemon=True).start()
    for line in sys.stdin:
        gateway.sendall(HEAD.pack(4, READING) + struct.pack("!f", float(line)))
