"""The parts of README.md that are code which runs elsewhere, so that they cannot drift from it."""

from scripts.tree import ROOT


def quick_start() -> str:
    """Give the smallest example's application."""
    return _fenced("python", "examples/minimal/app.py")


def events() -> str:
    """Give the smallest example's events."""
    return _fenced("python", "examples/minimal/events.py")


def push_script() -> str:
    """Give the page's script."""
    return _fenced("js", "gateway/demo/assets/push.js")


def _fenced(language: str, path: str) -> str:
    return f"```{language}\n{(ROOT / path).read_text('utf-8')}```\n"
