"""The demo's web application: pages and business over HTTP, push through the client library.

The flow is that of any web application that gets a push channel: the page's websocket is told its
client_id, the page posts it to `/bind`, and from then on this application sends by uid and group.
No websocket is handled here, and no state is kept here: who is where, the gateways know.
"""

from html import escape
from importlib.resources import files
from string import Template
from typing import Any, Final
from urllib.parse import quote, unquote

from aiohttp import web

from gateway.demo.errors import json_errors, refuse
from gateway_client import AsyncGateway

ROOM: Final = "lobby"
"""The one group that everybody joins."""

NAME_LENGTH: Final = 24
"""Characters of a name: what fits beside a message on a phone."""

TEXT_LENGTH: Final = 2000
"""Characters of a message: a chat line, far below what a gateway would carry."""

COOKIE_AGE: Final = 30 * 24 * 3600
"""Seconds a browser remembers its name."""

CONTENT_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
    "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, no inline script; the gateway may be on any host."""

PAGE: Final = "page.html"
ASSETS: Final = {"push.js": "text/javascript", "page.js": "text/javascript", "page.css": "text/css"}

GATEWAY_URL: Final = web.AppKey("gateway_url", str)
TEXTS: Final = web.AppKey("texts", dict[str, str])
"""The page's files by name, read once."""


def create_app(
    *, register: str | list[str] = "", gateway_url: str = ":7272", secret_key: str = ""
) -> web.Application:
    """Make the application.

    Args:
        register: Address of the register, or several; empty leaves the client library's own
            setting (`GATEWAYWORKER_REGISTER`).
        gateway_url: Where the browsers find the gateway: `ws://host:port`, or `:port` for the host
            that the page came from, with wss on a page that came by https.
        secret_key: The cluster's secret key; empty leaves the client library's own setting.
    """
    if register:
        AsyncGateway.register_address = register
    if secret_key:
        AsyncGateway.secret_key = secret_key
    app = web.Application(middlewares=[json_errors])
    app[GATEWAY_URL] = gateway_url
    app[TEXTS] = {name: _asset(name) for name in (PAGE, *ASSETS)}
    app.on_cleanup.append(close_links)
    app.router.add_get("/", show_page)
    app.router.add_get("/assets/{name}", show_asset)
    app.router.add_post("/login", log_in)
    app.router.add_post("/bind", bind)
    app.router.add_post("/send", send)
    app.router.add_get("/people", list_people)
    return app


async def close_links(_app: web.Application) -> None:
    """Close the links to register and gateways when the application stops."""
    await AsyncGateway.aclose()


# The push channel: what an application adds


async def bind(request: web.Request) -> web.Response:
    """Bind a browser's connection to who is logged in, and let it join the room."""
    client_id = await _text(request, "client_id")
    uid = current_user(request)
    if not await AsyncGateway.bind_uid(client_id, uid):
        raise refuse(web.HTTPGone, "client_gone", "This connection has ended; connect again.")
    await AsyncGateway.join_group(client_id, ROOM)
    people = await AsyncGateway.get_uid_list_by_group(ROOM)
    await AsyncGateway.send_to_group(ROOM, {"type": "people", "people": sorted(people)})
    return web.json_response({"uid": uid, "group": ROOM})


async def send(request: web.Request) -> web.Response:
    """Send a text to `uid:<name>` or `group:<name>` in the name of who is logged in."""
    kind, _, target = (await _text(request, "to")).partition(":")
    text = await _text(request, "text", longest=TEXT_LENGTH)
    message = {"type": "message", "from": current_user(request), "to": kind, "text": text}
    if kind == "uid":
        reached = await AsyncGateway.send_to_uid(target, message)
    elif kind == "group":
        reached = await AsyncGateway.send_to_group(target, message)
    else:
        raise refuse(web.HTTPBadRequest, "invalid", "`to` is `uid:<name>` or `group:<name>`.")
    return web.json_response({"reached": int(reached)})


async def list_people(_request: web.Request) -> web.Response:
    """Tell who is in the room now."""
    people = await AsyncGateway.get_uid_list_by_group(ROOM)
    return web.json_response({"people": sorted(people)})


# The login: yours goes here


def current_user(request: web.Request) -> str:
    """Give the uid of who is logged in.

    YOUR LOGIN GOES HERE. Whatever tells your application who sent a request (a session, a signed
    cookie, a token) decides the uid. The page never does: it may only post its client_id. This demo
    has no passwords, so a plain cookie with the chosen name is as good as a signed one.
    """
    name = unquote(request.cookies.get(_cookie(request), ""))
    if not name:
        raise refuse(web.HTTPUnauthorized, "not_logged_in", "Choose a name first.")
    return name


async def log_in(request: web.Request) -> web.Response:
    """Take the name that the visitor chose, and remember it in a cookie."""
    name = await _text(request, "name", longest=NAME_LENGTH)
    response = web.json_response({"name": name})
    response.set_cookie(
        _cookie(request), quote(name), max_age=COOKIE_AGE, httponly=True, samesite="Lax"
    )
    return response


def _cookie(request: web.Request) -> str:
    """Name the cookie: one per `?seat=`, so that two tabs of one browser can be two people."""
    seat = request.query.get("seat", "")
    return f"demo_name_{seat}" if seat.isalnum() and seat.isascii() else "demo_name"


# The page


async def show_page(request: web.Request) -> web.Response:
    """Show the page, filled in with the visitor's name and the gateway's address."""
    filled_in = {
        "gateway": request.app[GATEWAY_URL],
        "name": unquote(request.cookies.get(_cookie(request), "")),
        "name_length": str(NAME_LENGTH),
        "room": ROOM,
        "text_length": str(TEXT_LENGTH),
    }
    page = Template(request.app[TEXTS][PAGE]).substitute(
        {key: escape(value) for key, value in filled_in.items()}
    )
    headers = {"Content-Security-Policy": CONTENT_POLICY, "Cache-Control": "no-store"}
    return web.Response(text=page, content_type="text/html", headers=headers)


async def show_asset(request: web.Request) -> web.Response:
    """Serve one of the page's own files."""
    name = request.match_info["name"]
    if name not in ASSETS:
        raise refuse(web.HTTPNotFound, "not_found", f"There is no {name} here.")
    headers = {"Cache-Control": "no-cache"}
    return web.Response(text=request.app[TEXTS][name], content_type=ASSETS[name], headers=headers)


def _asset(name: str) -> str:
    return files(__package__).joinpath("assets", name).read_text("utf-8")


async def _text(request: web.Request, field: str, *, longest: int = TEXT_LENGTH) -> str:
    """Give a text field of a JSON body, without the spaces around it."""
    if request.content_type != "application/json":  # what a foreign page's form cannot send
        raise refuse(web.HTTPUnsupportedMediaType, "not_json", "Send application/json.")
    try:
        body: Any = await request.json()
    except ValueError:
        raise refuse(web.HTTPBadRequest, "not_json", "The body is not JSON.") from None
    value = body.get(field) if isinstance(body, dict) else None
    if not isinstance(value, str) or not 0 < len(value.strip()) <= longest:
        message = f"`{field}` must be a text of 1 to {longest} characters."
        raise refuse(web.HTTPBadRequest, "invalid", message)
    return value.strip()
