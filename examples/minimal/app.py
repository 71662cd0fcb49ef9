"""The smallest web application with a push channel: the standard library and the client."""

import json
from pathlib import Path
from wsgiref.simple_server import make_server
from wsgiref.types import StartResponse, WSGIEnvironment

from gatewayworker import Gateway

FILES = {"/": ("page.html", "text/html"), "/push.js": ("push.js", "text/javascript")}


def application(environ: WSGIEnvironment, respond: StartResponse) -> list[bytes]:
    """Serve the page; bind its connection; publish what is posted to /publish."""
    path = environ["PATH_INFO"]
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
    if path in FILES:
        name, kind = FILES[path]
        respond("200 OK", [("Content-Type", kind)])
        return [(Path(__file__).parent / name).read_bytes()]
    if path == "/bind":  # push.js posts here, again after every reconnect
        client_id = json.loads(body)["client_id"]
        Gateway.bind_uid(client_id, "ann")  # your session says who this is
        Gateway.join_group(client_id, "news")
    elif path == "/publish":
        Gateway.send_to_group("news", {"text": body})
    respond("204 No Content", [])
    return []


if __name__ == "__main__":
    make_server("127.0.0.1", 8000, application).serve_forever()
