"""Pictures of computation graphs and of networks, made without any program outside Python.

>>> from micrograd import Value
>>> x, w = Value(2.0, label="x"), Value(-3.0, label="w")
>>> y = (x * w).tanh()
>>> y.label = "y"
>>> y.backward()
>>> picture = draw_dot(y)  # the last line of a notebook cell shows it
>>> picture
<Computation graph of y, 4 values>
>>> svg = picture.pipe("svg", encoding="utf-8")
"""

from micrograd.draw.film import animate_backward
from micrograd.draw.graph_picture import draw_dot
from micrograd.draw.network import draw_network
from micrograd.draw.text import format_graph

__all__ = ["animate_backward", "draw_dot", "draw_network", "format_graph"]
