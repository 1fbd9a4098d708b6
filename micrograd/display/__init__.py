"""What a notebook shows of a Value, a network, a history, a data set or an explanation."""

from micrograd.display.views import html

__all__ = ["html"]
