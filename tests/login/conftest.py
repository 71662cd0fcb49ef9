"""The tests of a module share one browser."""

from tests.support.browser import browser

__all__ = ["browser"]
