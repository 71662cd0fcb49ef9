"""The page, the login, and the two halves of push: bind a connection, send to it."""

import json
import secrets

from django.conf import settings
from django.contrib.auth import get_user_model, login, logout
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from gatewayworker import Gateway

from .models import BOARD, Message

SHOWN = 50
"""How many messages of the past the page begins with."""


def index(request: HttpRequest) -> HttpResponse:
    latest = Message.objects.select_related("author").order_by("-pk")[:SHOWN]
    context = {"messages": reversed(latest), "gateway": settings.GATEWAY_URL}
    return render(request, "board/index.html", context)


@require_POST
def log_in(request: HttpRequest) -> HttpResponse:
    # A stand-in without passwords: your own login goes here.
    user, _ = get_user_model().objects.get_or_create(username=request.POST["name"].strip())
    login(request, user)
    request.session["connections"] = f"login:{secrets.token_hex(8)}"
    return redirect("index")


@require_POST
def bind(request: HttpRequest) -> JsonResponse:
    """Take a connection's client_id; push.js posts it, again after every reconnect."""
    user = current_user(request)
    client_id = json.loads(request.body)["client_id"]
    if not Gateway.bind_uid(client_id, user.pk):
        return JsonResponse({}, status=410)  # it has ended meanwhile; push.js connects again
    Gateway.join_group(client_id, [BOARD, request.session["connections"]])
    return JsonResponse({"uid": user.pk})


@require_POST
def push(request: HttpRequest) -> JsonResponse:
    """Push a note that is not stored: to the user's own pages, to the board, or to all."""
    user = current_user(request)
    order = json.loads(request.body)
    note = {"type": "note", "from": user.get_username(), "text": order["text"]}
    match order["to"]:
        case "me":  # every tab and phone of this user
            reached = Gateway.send_to_uid(user.pk, note)
        case "board":
            reached = Gateway.send_to_group(BOARD, note)
        case _:  # every connection, whoever it is
            reached = Gateway.send_to_all(note)
    return JsonResponse({"reached": reached})


@require_POST
def log_out(request: HttpRequest) -> HttpResponse:
    """End the login, and take its pages' connections off the user and the board."""
    user = current_user(request)
    connections = request.session["connections"]
    logout(request)  # first: the pages that are told below come back at once
    for client_id in Gateway.get_client_id_list_by_group(connections):
        Gateway.unbind_uid(client_id, user.pk)
        Gateway.leave_group(client_id, BOARD)
    Gateway.send_to_group(connections, {"type": "logged_out"})
    return redirect("index")


def current_user(request: HttpRequest) -> AbstractUser:
    """Give who is logged in; 403 for others.

    `login_required` would not do: a script follows its redirect, and takes the login page for a yes.
    """
    if not isinstance(request.user, AbstractUser):
        raise PermissionDenied
    return request.user
