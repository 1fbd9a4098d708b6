"""Watching a network learn: live in a notebook, as a film and as a page."""

from micrograd.live.animation import animate_training
from micrograd.live.page import live_script as live_script
from micrograd.live.page import live_styles as live_styles
from micrograd.live.watching import Watch, live_widget, watch

__all__ = ["Watch", "animate_training", "live_widget", "watch"]
