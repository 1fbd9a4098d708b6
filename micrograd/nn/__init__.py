"""Neurons, layers and multi-layer perceptrons."""

from micrograd.nn.layers import INITS, MLP, Layer, Module, Neuron, Trace, activated, is_replaced

__all__ = ["INITS", "MLP", "Layer", "Module", "Neuron", "Trace", "activated", "is_replaced"]
