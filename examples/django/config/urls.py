"""The site is the board."""

from django.urls import include, path

urlpatterns = [path("", include("board.urls"))]
