"""What is said of the steps of back-propagation: one by one, and in groups."""

from micrograd.sentences.groups import group_text
from micrograd.sentences.signs import latex_name, shown, sign_of_equation, sign_of_number, signed
from micrograd.sentences.templates import once
from micrograd.sentences.words import Words

__all__ = [
    "Words", "group_text", "latex_name", "once", "shown", "sign_of_equation", "sign_of_number",
    "signed",
]  # fmt: skip
