"""A lamp that speaks JSON lines: `python lamp.py 127.0.0.1:7280`."""

import json
import socket
import sys

host, _, port = sys.argv[1].rpartition(":")
with socket.create_connection((host, int(port))) as gateway:
    for line in gateway.makefile("r", encoding="utf-8"):
        print(line, end="", flush=True)
        message = json.loads(line)
        if isinstance(message, dict) and "switch" in message:
            answer = json.dumps({"lamp": message["switch"]})
            gateway.sendall(answer.encode() + b"\n")
