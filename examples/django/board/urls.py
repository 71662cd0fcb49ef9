"""The board's pages."""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.index, name="index"),
    path("login", views.log_in, name="login"),
    path("logout", views.log_out, name="logout"),
    path("bind", views.bind, name="bind"),
    path("push", views.push, name="push"),
]
