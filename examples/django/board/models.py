"""What is written on the board, and who sees it."""

from django.conf import settings
from django.db import models

BOARD = "board"
"""The group of every connection that is logged in."""

LONGEST = 500
"""Characters of a message."""


class Message(models.Model):
    """One message; writing.py stores it, and the page shows it (views.py)."""

    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    text = models.CharField(max_length=LONGEST)
    written = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.author}: {self.text}"

    def as_push(self) -> dict[str, str]:
        """Give it as pages get it."""
        return {"type": "message", "from": self.author.get_username(), "text": self.text}
