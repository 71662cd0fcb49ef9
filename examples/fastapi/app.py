"""Push beside a FastAPI application: log in, bind, push, log out; and consume what browsers send."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, StringConstraints
from starlette.middleware.sessions import SessionMiddleware

from gatewayworker import AsyncGateway, AsyncMessage

NEWS = "news"
"""The group that everybody who is logged in belongs to."""

LOGGED_OUT = 3501
"""The close code for a right that was withdrawn: push.js does not connect again."""

LOGINS: dict[str, str] = {}
"""Login -> name, on the server, so that a login can be ended. A table in your application."""

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=24)]
LONGEST = 500
"""Characters of a text."""

Text = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST)]


class Credentials(BaseModel):
    """Who somebody says to be."""

    name: Name


class Introduction(BaseModel):
    """What push.js posts."""

    client_id: str


class Push(BaseModel):
    """A text, and to whom it goes."""

    to: Literal["me", "news", "all"]
    text: Text


class Login(NamedTuple):
    """The user of a request, and the group of the connections that this login has."""

    name: str
    connections: str


async def tell(message: AsyncMessage) -> None:
    """Tell everybody what a page has sent by its websocket: `--route queue:chat` puts it on a queue."""
    text = message.data["frame"]["data"]
    if message.uid is None:  # what /bind has said when this was sent
        await message.reply({"from": "server", "text": "Log in first."})
    elif isinstance(text, str) and 0 < len(text) <= LONGEST:
        await AsyncGateway.send_to_group(NEWS, {"from": message.uid, "text": text})


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    # A function, so that an error costs one message; it comes again, and the log says why.
    consuming = asyncio.create_task(AsyncGateway.consume_with(tell, "chat", name="fastapi"))
    yield
    consuming.cancel()  # what it was at comes again, to whoever consumes next
    await asyncio.wait([consuming])
    await AsyncGateway.aclose()


app = FastAPI(title="Push with FastAPI", lifespan=lifespan)
app.add_middleware(
    SessionMiddleware,  # a signed cookie
    secret_key=os.environ.get("SECRET_KEY") or secrets.token_hex(),  # set it, to keep logins
    # With JSON, which forms of other sites cannot post, this keeps them from acting in your name:
    # /bind would bind *their* connection to *your* user.
    same_site="lax",
)


def current_login(request: Request) -> Login:
    """Give the login that the session says; 401 without one."""
    login = request.session.get("login", "")
    if login not in LOGINS:
        raise HTTPException(401, "Log in first.")
    return Login(LOGINS[login], f"login:{login}")


Current = Annotated[Login, Depends(current_login)]


@app.get("/me")
async def me(login: Current) -> dict[str, str]:
    return {"name": login.name, "gateway": os.environ.get("GATEWAY_URL", ":7272")}


@app.post("/login")
async def log_in(credentials: Credentials, request: Request) -> dict[str, str]:
    # A stand-in without passwords: your own login goes here, and it decides the uid.
    login = request.session["login"] = secrets.token_hex(8)
    LOGINS[login] = credentials.name
    return {"name": credentials.name}


@app.post("/bind")  # push.js posts here, again after every reconnect
async def bind(introduction: Introduction, login: Current) -> dict[str, str]:
    client_id = introduction.client_id
    if not await AsyncGateway.bind_uid(client_id, login.name):
        raise HTTPException(410, "This connection has ended.")  # push.js connects again
    await AsyncGateway.join_group(client_id, [NEWS, login.connections])
    return {"uid": login.name}


@app.post("/push")
async def push(order: Push, login: Current) -> dict[str, int]:
    message = {"from": login.name, "text": order.text}
    match order.to:
        case "me":  # every tab and phone of this user
            reached = await AsyncGateway.send_to_uid(login.name, message)
        case "news":
            reached = await AsyncGateway.send_to_group(NEWS, message)
        case _:  # every connection, whoever it is
            reached = await AsyncGateway.send_to_all(message)
    return {"reached": reached}


@app.post("/logout")
async def log_out(request: Request, login: Current) -> dict[str, bool]:
    del LOGINS[request.session.pop("login")]  # first: the pages closed now come back at once
    await AsyncGateway.close_group(
        login.connections, code=LOGGED_OUT, reason="You have logged out."
    )
    return {"ok": True}


# After the routes: it answers whatever they do not.
app.mount("/", StaticFiles(directory=Path(__file__).parent / "static", html=True))
