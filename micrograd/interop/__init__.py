"""Networks to and from PyTorch, ONNX and scikit-learn: the weights are copied, never shared."""

from micrograd.interop.onnx import to_onnx
from micrograd.interop.sklearn import from_sklearn, to_sklearn
from micrograd.interop.torch import from_torch, to_torch

__all__ = ["from_sklearn", "from_torch", "to_onnx", "to_sklearn", "to_torch"]
