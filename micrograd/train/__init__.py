"""Training: `fitting` has `fit`, `task` the loss over samples, `checkpoint` the file of a run.

The loop itself is in `micrograd.loop`: `batches` shuffles the samples, `run` takes each step.
"""

from micrograd.loop import EarlyStop, History, Trainable
from micrograd.train.fitting import LEARNING_RATE as LEARNING_RATE
from micrograd.train.fitting import Report as Report
from micrograd.train.fitting import Session as Session
from micrograd.train.fitting import evaluate, fit
from micrograd.train.fitting import session as session
from micrograd.train.task import Evaluation
from micrograd.train.task import LossLike as LossLike

__all__ = ["EarlyStop", "Evaluation", "History", "Trainable", "evaluate", "fit"]
