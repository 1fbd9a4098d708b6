"""Plots of decision boundaries, losses, functions and networks.

matplotlib paints a plot once, in the colours of its `theme`; it cannot follow the notebook around
it, whose theme the kernel does not know. In a dark one pass `theme="dark"`.
"""

from micrograd.plot.axes import DOTS_PER_INCH as DOTS_PER_INCH
from micrograd.plot.axes import EXTRA as EXTRA
from micrograd.plot.axes import FAMILIES as FAMILIES
from micrograd.plot.axes import HIGHEST as HIGHEST
from micrograd.plot.axes import save_figure, sheet
from micrograd.plot.boundary import plot_decision_boundary
from micrograd.plot.function import plot_function
from micrograd.plot.history import Curves, plot_history
from micrograd.plot.loss_surface import plot_loss_surface
from micrograd.plot.network import plot_activations, plot_gradients, plot_weights
from micrograd.plot.samples import drawable as drawable
from micrograd.plot.samples import features_of as features_of
from micrograd.plot.samples import limits_of as limits_of

__all__ = [
    "Curves", "plot_activations", "plot_decision_boundary", "plot_function", "plot_gradients",
    "plot_history", "plot_loss_surface", "plot_weights", "save_figure", "sheet",
]  # fmt: skip
