"""Neurons, layers and multi-layer perceptrons."""

from micrograd.nn.layers import INITS, MLP, Layer, Neuron, Trace, activated, is_replaced
from micrograd.nn.module import Module

__all__ = ["INITS", "MLP", "Layer", "Module", "Neuron", "Trace", "activated", "is_replaced"]
