"""Networks to and from PyTorch, ONNX and scikit-learn."""

from micrograd.interop.onnx import from_sklearn, from_torch, to_onnx, to_sklearn, to_torch

__all__ = ["from_sklearn", "from_torch", "to_onnx", "to_sklearn", "to_torch"]
