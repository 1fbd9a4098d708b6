"""Optimizers: how parameters change by their gradients.

The update rules are PyTorch's, with the operations in the same order.

>>> from micrograd import Value
>>> x = Value(5.0)
>>> from micrograd.optim import linear
>>> optimizer = SGD([x], lr=linear(0.5, 0.1, 20))
>>> for step in range(20):
...     optimizer.zero_grad()
...     ((x - 2) ** 2).backward()
...     optimizer.step()
>>> round(x.data, 6)
2.0
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from micrograd.checks import finite_number, listed, one_of, whole_number
from micrograd.engine import Value
from micrograd.errors import (
    ArgumentError,
    ArgumentTypeError,
    MicrogradError,
    StateError,
    rewritten,
    shown_briefly,
)
from micrograd.ops import PlainNumber, number, sign
from micrograd.optim.schedules import LearningRate, lr_from, lr_state, rate_at
from micrograd.values.assigning import data_of, restore_data

__all__ = ["SGD", "Adam", "AdamW", "Optimizer"]


_MOST_STEPS: Final = 2**53  # beyond, a float no longer tells a step from the next
_NEWER: Final = {"decayed", "l1"}  # entries that states of version 1.0.0 do not have


class Optimizer:
    """What optimizers share: the parameters, the learning rate and the number of steps done.

    Parameters
    ----------
    params : iterable of Value
        Leaves. A Value that occurs twice is updated once.
    lr : number or callable
        The learning rate, or a schedule: called with the number of steps done. It must depend on
        that number alone: `fit` asks for the rates of many steps before it does the first.
    decayed : iterable of Value, optional
        The parameters that weight decay and `l1` apply to, such as the weights without the biases.
        Default all.

    Attributes
    ----------
    params : list of Value
    lr : number or callable
        Can be changed between steps.
    steps : int
        The number of steps done.

    Raises
    ------
    ArgumentError
        If there are no parameters, one of them is a result, a rate is negative, infinite or nan,
        or `decayed` holds something that is not among the parameters.
    ArgumentTypeError
        If `params` is not an iterable of Values.
    """

    # The attributes that `state_dict` holds: single numbers, and lists with one per parameter.
    _options: tuple[str, ...] = ()
    _buffers: tuple[str, ...] = ()

    weight_decay: PlainNumber = 0.0
    l1: PlainNumber = 0.0

    def __init__(
        self, params: Iterable[Value], lr: LearningRate, decayed: Iterable[Value] | None = None
    ) -> None:
        name = type(self).__name__
        hint = "pass model.parameters()"
        try:
            given = list(params)
        except TypeError:
            raise ArgumentTypeError(
                f"{name}: expected a list of Values, got {shown_briefly(params)}; {hint}"
            ) from None
        for i, parameter in enumerate(given):
            if not isinstance(parameter, Value):
                raise ArgumentTypeError(
                    f"{name}: expected Values, got {shown_briefly(parameter)} as "
                    f"parameter {i}; {hint}"
                )
            if parameter.op is not None:
                raise ArgumentError(
                    f"{name}: parameter {i}, {parameter!r}, is a result, which each forward pass "
                    "computes again; only leaves can be trained"
                )
        if not given:
            raise ArgumentError(f"{name}: expected at least one parameter, got none; {hint}")
        self.params = list(dict.fromkeys(given))
        self.lr: LearningRate = lr if callable(lr) else finite_number("lr", lr, 0)
        self.steps = 0
        chosen = {*map(id, self.params if decayed is None else listed("decayed", decayed))}
        if not chosen <= {*map(id, self.params)}:
            raise ArgumentError(f"{name}: decayed holds Values that are not among its parameters")
        self._is_decayed = [id(p) in chosen for p in self.params]

    @property
    def decays(self) -> list[PlainNumber]:
        """The weight decay of each parameter: 0 for those that are not decayed."""
        if not self.weight_decay:
            return [0] * len(self.params)
        return [self.weight_decay if chosen else 0 for chosen in self._is_decayed]

    @property
    def pulls(self) -> list[PlainNumber]:
        """The `l1` of each parameter: 0 for those that are not decayed."""
        return [self.l1 if chosen else 0 for chosen in self._is_decayed]

    def zero_grad(self) -> None:
        """Set the `grad` of every parameter to 0."""
        for p in self.params:
            p.grad = 0

    def step(self) -> None:
        """Update every parameter once, from its gradient.

        All or nothing, even after an error or an interrupt: the parameters, the optimizer's
        buffers and the number of steps are all new, or all as they were before.

        Raises
        ------
        ArgumentError
            If the learning rate of this step is negative, infinite or nan.
        OverflowRangeError, ZeroDivisorError, DomainError
            If a new number is too large for a float or undefined.
        """
        where = f"the learning rate of step {self.steps}"
        try:
            given = rate_at(self.lr, self.steps)
        except MicrogradError:
            raise
        except (ArithmeticError, ValueError) as error:  # which would look like those of the data
            raise ArgumentError(f"{where} cannot be computed: {error}") from error
        rate = finite_number(where, given, 0)
        before, numbers = vars(self).copy(), data_of(self.params)
        try:
            for p, data in zip(self.params, self._updated(rate), strict=True):
                p.data = data
            self.steps += 1
        except BaseException as error:
            restore_data(self.params, numbers)
            vars(self).update(before)
            known = isinstance(error, MicrogradError)
            if isinstance(error, (ArithmeticError, ValueError)) and not known:
                message = f"step {self.steps} of {type(self).__name__} cannot be computed: {error}"
                raise rewritten(error, message) from error
            raise

    def _updated(self, rate: Any) -> list[PlainNumber]:
        """Return the new data of every parameter; `steps` does not yet count this step."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Return what a later run needs to continue with the same bits.

        Returns
        -------
        dict
            Numbers, strings, lists and dicts only, as JSON has them. A learning rate that is a
            function of your own cannot be saved: it is None, and loading leaves the present one.
        """
        state: dict[str, Any] = {
            "optimizer": type(self).__name__,
            "steps": self.steps,
            "lr": lr_state(self.lr),
        }
        for name in self._options:
            option = getattr(self, name)
            state[name] = list(option) if isinstance(option, tuple) else option
        for name in self._buffers:
            state[name] = list(getattr(self, name))
        state["decayed"] = self._decayed()
        return state

    def _decayed(self) -> list[int] | None:
        """Return the indices of the parameters that are decayed; None for all."""
        if all(self._is_decayed):
            return None
        return [i for i, is_decayed in enumerate(self._is_decayed) if is_decayed]

    def load_state_dict(self, state: Any) -> None:
        """Load the state of an optimizer of the same class; all of it, or nothing.

        Parameters
        ----------
        state : mapping
            As `state_dict` returns it, for the same number of parameters.

        Raises
        ------
        StateError
            If it is the state of another optimizer, has another number of parameters or other
            decayed parameters, or is damaged. Also a ValueError.
        """
        name = type(self).__name__
        expected = self.state_dict()
        if not isinstance(state, Mapping) or state.get("optimizer") != name:
            raise StateError(f"expected the state of {name}, got {shown_briefly(state, 80)}")
        if set(state) | (_NEWER & set(expected)) != set(expected):
            raise StateError(
                f"the state of {name} has the entries {sorted(expected)}, "
                f"got {shown_briefly(list(state), 200)}"
            )
        try:
            changed = {
                "steps": whole_number("steps", state["steps"], 0, _MOST_STEPS),
                "lr": lr_from(state["lr"], self.lr),
                **self._checked({key: state.get(key, 0) for key in self._options}),
                **{key: self._buffer(key, state[key]) for key in self._buffers},
            }
        except (TypeError, ValueError, ArithmeticError, KeyError, RecursionError) as error:
            raise StateError(f"the state of {name} cannot be used: {error}") from error
        if state.get("decayed", expected["decayed"]) != expected["decayed"]:
            raise StateError(
                f"the state of {name} is of other decayed parameters: pass the same decayed="
            )
        vars(self).update(changed)  # in one call, so that no interrupt comes in between

    def _buffer(self, name: str, entries: Any) -> list[PlainNumber]:
        """Return a list of numbers, one per parameter, from a saved state."""
        buffer = [number(entry) for entry in entries]
        # The momentum buffer of SGD is empty before the first step, and always without momentum.
        if len(buffer) != len(self.params) and (buffer or name != "momentum_buffer"):
            raise ArgumentError(
                f"it has {len(buffer)} entries in {name!r}, "
                f"expected one for each of the {len(self.params)} parameters"
            )
        for i, entry in enumerate(buffer):
            if float(entry) < 0 and name == "square":
                raise ArgumentError(
                    f"{name}[{i}] is {entry}, expected a mean of squares: 0 or more"
                )
        return buffer

    def _checked(self, options: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def __repr__(self) -> str:
        shown = [name for name in self._options if name != "l1" or self.l1]
        options = "".join(f", {name}={getattr(self, name)!r}" for name in shown)
        return f"{type(self).__name__}({len(self.params)} parameters, lr={self.lr!r}{options})"


class SGD(Optimizer):
    """Stochastic gradient descent, optionally with momentum and weight decay.

    Parameters
    ----------
    params : iterable of Value
    lr : number or callable, default 0.1
        Learning rate, or a function of the step number alone.
    momentum : number, default 0
        Fraction of the previous change that is kept, in [0, 1).
    nesterov : bool, default False
        Use Nesterov's momentum.
    weight_decay : number, default 0
        The gradient gets weight_decay * p added: 2 * alpha for a penalty of alpha * p**2.
    l1 : number, default 0
        The gradient gets l1 * sign(p) added: alpha for a penalty of alpha * abs(p), which makes
        those weights small that do little.
    decayed : iterable of Value, optional
        The parameters that weight decay and `l1` apply to, such as the weights without the biases.
        Default all.

    Raises
    ------
    ArgumentError
        If a number is out of range, or `nesterov` is True without momentum.

    Notes
    -----
    g = grad + weight_decay * p + l1 * sign(p); buffer = momentum * buffer + g (g in the first
    step); then p -= lr * buffer, or with `nesterov` p -= lr * (g + momentum * buffer) [1]_.

    References
    ----------
    .. [1] Sutskever, Martens, Dahl and Hinton (2013), On the Importance of Initialization and
       Momentum in Deep Learning; in the form of torch.optim.SGD.

    Examples
    --------
    >>> p = Value(1.0)
    >>> p.grad = 2.0
    >>> SGD([p], lr=0.25).step()
    >>> p.data
    0.5
    """

    _options = ("momentum", "nesterov", "weight_decay", "l1")
    _buffers = ("momentum_buffer",)

    def __init__(
        self,
        params: Iterable[Value],
        lr: LearningRate = 0.1,
        momentum: PlainNumber = 0.0,
        nesterov: bool = False,
        weight_decay: PlainNumber = 0.0,
        *,
        l1: PlainNumber = 0.0,
        decayed: Iterable[Value] | None = None,
    ) -> None:
        super().__init__(params, lr, decayed)
        decay = {"weight_decay": weight_decay, "l1": l1}
        checked = self._checked({"momentum": momentum, "nesterov": nesterov, **decay})
        self.momentum: PlainNumber = checked["momentum"]
        self.nesterov: bool = checked["nesterov"]
        self.weight_decay: PlainNumber = checked["weight_decay"]
        self.l1: PlainNumber = checked["l1"]
        self.momentum_buffer: list[PlainNumber] = []  # empty before the first step

    def _checked(self, options: dict[str, Any]) -> dict[str, Any]:
        momentum = finite_number("momentum", options["momentum"], 0, below=1)
        nesterov = one_of("nesterov", options["nesterov"], (True, False))
        if nesterov and not momentum:
            raise ArgumentError("nesterov needs a momentum above 0, got 0")
        return {
            "momentum": momentum,
            "nesterov": nesterov,
            "weight_decay": finite_number("weight_decay", options["weight_decay"], 0),
            "l1": finite_number("l1", options["l1"], 0),
        }

    def _updated(self, rate: Any) -> list[PlainNumber]:
        momentum: Any = self.momentum
        decays: list[Any] = self.decays
        grads = [p.grad for p in self.params]
        if self.weight_decay:
            grads = [
                g + decay * p.data if decay else g
                for g, p, decay in zip(grads, self.params, decays, strict=True)
            ]
        if self.l1:
            pulls: list[Any] = self.pulls
            rows = zip(grads, self.params, pulls, strict=True)
            grads = [g + pull * sign(p.data) for g, p, pull in rows]
        if momentum:
            # An empty first buffer, not zeros: keeps -0.0 and the number type.
            kept: list[Any] = list(self.momentum_buffer)
            buffer = [momentum * b + g for b, g in zip(kept, grads, strict=True)] if kept else grads
            if self.nesterov:
                grads = [g + momentum * b for g, b in zip(grads, buffer, strict=True)]
            else:
                grads = buffer
        result = [p.data - rate * g for p, g in zip(self.params, grads, strict=True)]
        if momentum:
            self.momentum_buffer = buffer
        return result


class Adam(Optimizer):
    """Adam: steps scaled by running means of each parameter's gradient and of its square.

    Parameters
    ----------
    params : iterable of Value
    lr : number or callable, default 0.001
        Learning rate, or a function of the step number alone.
    betas : (number, number), default (0.9, 0.999)
        Decay rates of the running means of the gradient and of its square, in [0, 1).
    eps : number, default 1e-8
        Added to the square root, so that nothing is divided by zero.
    weight_decay, l1 : number, default 0
        The gradient gets weight_decay * p and l1 * sign(p) added.
    decayed : iterable of Value, optional
        The parameters that weight decay and `l1` apply to, such as the weights without the biases.
        Default all.

    Raises
    ------
    ArgumentError
        If a number is out of range.

    References
    ----------
    .. [1] Kingma and Ba (2015), Adam: A Method for Stochastic Optimization, algorithm 1; in the
       form of torch.optim.Adam.

    Examples
    --------
    >>> p = Value(1.0)
    >>> p.grad = 123.0
    >>> Adam([p], lr=0.25).step()
    >>> round(p.data, 6)  # the size of the first step is lr
    0.75
    """

    _options = ("betas", "eps", "weight_decay", "l1")
    _buffers = ("mean", "square")
    _decoupled = False

    def __init__(
        self,
        params: Iterable[Value],
        lr: LearningRate = 1e-3,
        betas: tuple[PlainNumber, PlainNumber] = (0.9, 0.999),
        eps: PlainNumber = 1e-8,
        weight_decay: PlainNumber = 0.0,
        *,
        l1: PlainNumber = 0.0,
        decayed: Iterable[Value] | None = None,
    ) -> None:
        super().__init__(params, lr, decayed)
        decay = {"weight_decay": weight_decay, "l1": l1}
        checked = self._checked({"betas": betas, "eps": eps, **decay})
        self.betas: tuple[PlainNumber, PlainNumber] = checked["betas"]
        self.eps: PlainNumber = checked["eps"]
        self.weight_decay: PlainNumber = checked["weight_decay"]
        self.l1: PlainNumber = checked["l1"]
        self.mean: list[PlainNumber] = [0.0] * len(self.params)
        self.square: list[PlainNumber] = [0.0] * len(self.params)

    def _checked(self, options: dict[str, Any]) -> dict[str, Any]:
        betas = options["betas"]
        if not isinstance(betas, (tuple, list)) or len(betas) != 2:
            raise ArgumentTypeError(f"expected two numbers as betas, got {shown_briefly(betas)}")
        return {
            "betas": (
                finite_number("betas[0]", betas[0], 0, below=1),
                finite_number("betas[1]", betas[1], 0, below=1),
            ),
            "eps": finite_number("eps", options["eps"], 0),
            "weight_decay": finite_number("weight_decay", options["weight_decay"], 0),
            "l1": finite_number("l1", options["l1"], 0),
        }

    def _updated(self, rate: Any) -> list[PlainNumber]:
        beta1, beta2 = cast("tuple[Any, Any]", self.betas)
        decays: list[Any] = self.decays
        pulls: list[Any] = self.pulls
        eps: Any = self.eps
        count = self.steps + 1
        pace = rate / (1 - beta1**count)
        correction = math.sqrt(1 - beta2**count)
        mean, square, result = [], [], []
        rows = zip(self.params, decays, pulls, self.mean, self.square, strict=True)
        for p, decay, pull, m, v in rows:
            data: Any = p.data
            g: Any = p.grad
            if decay and self._decoupled:
                data = data * (1 - rate * decay)
            elif decay:
                g = g + decay * data
            if self.l1 and self._decoupled:
                data = data - rate * (pull * sign(p.data))
            elif self.l1:
                g = g + pull * sign(p.data)
            # The mean as m + (1 - beta1) * (g - m), as PyTorch's lerp does.
            new_m = m + (1 - beta1) * (g - m)
            new_v = beta2 * v + (1 - beta2) * g * g
            mean.append(new_m)
            square.append(new_v)
            result.append(data - pace * new_m / (math.sqrt(new_v) / correction + eps))
        self.mean, self.square = mean, square
        return result


class AdamW(Adam):
    """Adam with decoupled weight decay: decay acts directly on the parameters.

    Parameters
    ----------
    params, lr, betas, eps, decayed
        As for `Adam`.
    weight_decay : number, default 0.01
        Each step first multiplies a parameter by 1 - lr * weight_decay.
    l1 : number, default 0
        Each step then moves it by lr * l1 towards 0.

    References
    ----------
    .. [1] Loshchilov and Hutter (2019), Decoupled Weight Decay Regularization, algorithm 2; in
       the form of torch.optim.AdamW.

    Examples
    --------
    >>> p = Value(1.0)
    >>> AdamW([p], lr=0.5).step()  # no gradient: the decay alone
    >>> p.data
    0.995
    """

    _decoupled = True

    def __init__(
        self,
        params: Iterable[Value],
        lr: LearningRate = 1e-3,
        betas: tuple[PlainNumber, PlainNumber] = (0.9, 0.999),
        eps: PlainNumber = 1e-8,
        weight_decay: PlainNumber = 1e-2,
        *,
        l1: PlainNumber = 0.0,
        decayed: Iterable[Value] | None = None,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, l1=l1, decayed=decayed)
