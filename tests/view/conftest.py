"""Fixtures for everything that is shown: a real browser."""

from tests.view.browser import browser

__all__ = ["browser"]
