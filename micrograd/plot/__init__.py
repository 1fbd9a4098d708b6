"""Plots of decision boundaries, losses, functions and networks."""

from micrograd.plot.boundary import DOTS_PER_INCH as DOTS_PER_INCH
from micrograd.plot.boundary import FAMILIES as FAMILIES
from micrograd.plot.boundary import (
    Curves,
    plot_activations,
    plot_decision_boundary,
    plot_function,
    plot_gradients,
    plot_history,
    plot_loss_surface,
    plot_weights,
    save_figure,
    sheet,
)

__all__ = [
    "Curves",
    "plot_activations",
    "plot_decision_boundary",
    "plot_function",
    "plot_gradients",
    "plot_history",
    "plot_loss_surface",
    "plot_weights",
    "save_figure",
    "sheet",
]
