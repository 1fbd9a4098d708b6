"""Watching a network learn: live in a notebook, as a film and as a page."""

from micrograd.live.watching import Watch, animate_training, live_widget, watch
from micrograd.live.watching import live_script as live_script
from micrograd.live.watching import live_styles as live_styles

__all__ = ["Watch", "animate_training", "live_widget", "watch"]
