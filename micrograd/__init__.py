from micrograd.engine import *
from micrograd.ops import *
