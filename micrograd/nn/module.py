"""What every network is: something with parameters that can be named, saved and loaded."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from micrograd.engine import Value
from micrograd.errors import NumberTypeError, StateError, shown_briefly
from micrograd.files import read_document, write_json
from micrograd.ops import PlainNumber, number
from micrograd.values.assigning import set_data
from micrograd.values.names import Owner
from micrograd.values.showing import Shown

__all__ = ["Module"]

_FORMAT = "micrograd model"
_VERSION = 1

ModuleT = TypeVar("ModuleT", bound="Module")


class Module(Owner, Shown):
    """Anything with parameters: a base class for networks.

    A subclass can override `parameters`. Otherwise the parameters are the leaf Values among its
    attributes and in the lists, tuples, dicts and modules there.

    Examples
    --------
    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.offset = Value(2.0), Value(1.0)
    ...
    ...     def __call__(self, x):
    ...         return self.slope * x + self.offset
    >>> Line().state_dict()
    {'slope': 2.0, 'offset': 1.0}
    """

    def parameters(self) -> list[Value]:
        """Return the Values that training changes, in a fixed order."""
        found: dict[int, tuple[str, Value]] = {}
        _find(self, "", set(), found, top=True)
        return [value for _, value in found.values()]

    def named_parameters(self) -> list[tuple[str, Value]]:
        """Return the parameters with their names, in the order of `parameters`.

        A name is the path of attributes and indices that leads to the parameter, or its index in
        `parameters` if there is no such path.

        Examples
        --------
        >>> from micrograd.nn import MLP
        >>> [name for name, _ in MLP(2, [1]).named_parameters()]
        ['layers.0.neurons.0.w.0', 'layers.0.neurons.0.w.1', 'layers.0.neurons.0.b']
        """
        return _named(self, set())

    def zero_grad(self) -> None:
        """Set the `grad` of every parameter to 0."""
        for p in self.parameters():
            p.grad = 0

    def state_dict(self) -> dict[str, PlainNumber]:
        """Return the data of each parameter by name.

        Returns
        -------
        dict of str to int, float or Fraction
            Numbers, not Values: later training does not change them.

        Raises
        ------
        StateError
            If two parameters have the same name. Also a ValueError.
        """
        state: dict[str, PlainNumber] = {}
        for name, value in self.named_parameters():
            if name in state:
                raise StateError(f"two parameters of {type(self).__name__} are named {name!r}")
            state[name] = value.data
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set the parameters to the numbers of a `state_dict`.

        All or nothing, even if an error or an interrupt (Ctrl-C) comes in between.

        Parameters
        ----------
        state : mapping of str to number
            Exactly the names of `state_dict`.

        Raises
        ------
        StateError
            If a name is missing or unknown, or a value is not a number. Also a ValueError.

        Examples
        --------
        >>> from micrograd.nn import MLP
        >>> MLP(2, [1]).load_state_dict({"w": 1.0})
        Traceback (most recent call last):
            ...
        micrograd.errors.StateError: the state does not fit MLP: 'layers.0.neurons.0.w.0', \
'layers.0.neurons.0.w.1', 'layers.0.neurons.0.b' missing; 'w' unknown
        """
        set_data(*_fitting(self, state))

    def configuration(self) -> dict[str, Any]:
        """Return the keyword arguments with which `from_file` builds this module again.

        Override it in a subclass whose constructor takes arguments. JSON must be able to hold
        them: numbers, strings and lists.
        """
        return {}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save class, configuration and parameters as JSON, with every number exact.

        The file is written atomically: a reader sees the old file or the new one.

        Parameters
        ----------
        path : str or path-like

        Raises
        ------
        OSError
            If the file cannot be written; the old file is then unchanged.
        """
        document = {
            "format": _FORMAT,
            "version": _VERSION,
            "class": type(self).__name__,
            "configuration": self.configuration(),
            "structure": self._structure(),
            "parameters": self.state_dict(),
        }
        write_json(path, document)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Set the parameters to those of a saved module of the same structure; all or nothing.

        Parameters
        ----------
        path : str or path-like

        Raises
        ------
        OSError
            If the file does not exist or cannot be read.
        StateError
            If it is damaged or holds a module of another structure. Also a ValueError.
        """
        self._load(str(path), _document(path))

    @classmethod
    def from_file(cls: type[ModuleT], path: str | os.PathLike[str]) -> ModuleT:
        """Return a new module with the configuration and parameters of a saved one.

        Parameters
        ----------
        path : str or path-like

        Raises
        ------
        OSError
            If the file does not exist or cannot be read.
        StateError
            If it is damaged or holds a module of another class. Also a ValueError.

        Examples
        --------
        >>> import tempfile
        >>> from micrograd.nn import MLP
        >>> model = MLP(2, [4, 1], activation="tanh")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/model.json")
        ...     again = MLP.from_file(f"{folder}/model.json")
        >>> again([1, 2]).data == model([1, 2]).data
        True
        """
        name, document = str(path), _document(path)
        if document["class"] != cls.__name__:
            raise StateError(f"{name!r} holds a {document['class']}, not a {cls.__name__}")
        configuration, given = document["configuration"], len(document["parameters"])
        drawing = random.getstate()
        try:
            wanted = cls._size(configuration) if _is_sized(cls) else None
            if wanted not in (None, given):  # checked before anything of that size is built
                raise StateError(f"it has {wanted} parameters, but the file holds {given}")
            module = cls(**configuration)
        except (TypeError, ValueError, ArithmeticError, KeyError) as error:
            raise StateError(
                f"{name!r}: no {cls.__name__} can be built from its configuration: {error}"
            ) from error
        finally:
            random.setstate(drawing)  # reading a file does not change what is drawn later
        module._load(name, document)
        return module

    @classmethod
    def _size(cls, configuration: dict[str, Any]) -> int | None:
        """Return how many parameters a configuration gives; None if only building it tells."""
        return None

    def _load(self, name: str, document: dict[str, Any]) -> None:
        if document["structure"] != self._structure():
            raise StateError(
                f"{name!r} holds {_short(document['structure'])}, "
                f"which does not fit into {_short(self._structure())}"
            )
        try:
            self.load_state_dict(document["parameters"])
        except StateError as error:
            raise StateError(f"{name!r}: {error}") from error

    def __repr__(self) -> str:
        try:
            count = len(self.parameters())
        except Exception:  # half built, in a debugger
            return object.__repr__(self)
        return f"<{type(self).__name__} of {count:,} parameter{'s' * (count != 1)}>"

    def _title(self) -> str:
        return type(self).__name__

    def _structure(self) -> str:
        return type(self).__name__


def _is_sized(cls: type[Module]) -> bool:
    """Return whether `_size` fits this class: no subclass has another constructor or parameters."""
    owner: Any = next(kind for kind in cls.__mro__ if "_size" in vars(kind))
    names = ("__init__", "parameters")
    return [getattr(cls, name) for name in names] == [getattr(owner, name) for name in names]


def _document(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Return the content of a model file, with the types of its entries checked."""
    name, document = str(path), read_document(path, "model file", _FORMAT, _VERSION)
    for key, kind, noun in (
        ("class", str, "a string"),
        ("configuration", dict, "an object"),
        ("structure", str, "a string"),
        ("parameters", dict, "an object"),
    ):
        if not isinstance(document.get(key), kind):
            raise StateError(
                f"{name!r}: expected {noun} as {key!r}, got {shown_briefly(document.get(key))}"
            )
    return document


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:197]}..."


def _fitting(module: Module, state: Any) -> tuple[list[Value], list[PlainNumber]]:
    """Return the parameters and the number of each in `state`, all checked."""
    if not isinstance(state, Mapping):
        raise StateError(f"expected a dict of names and numbers, got {shown_briefly(state)}")
    named = module.named_parameters()
    known = dict(named)
    missing = [name for name in known if name not in state]
    unknown = [name for name in state if name not in known]
    if missing or unknown:
        complaints = [
            ", ".join(map(repr, names[:3]))
            + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            + f" {what}"
            for names, what in ((missing, "missing"), (unknown, "unknown"))
            if names
        ]
        raise StateError(f"the state does not fit {type(module).__name__}: {'; '.join(complaints)}")
    data = []
    for name in known:
        try:
            data.append(number(state[name]))
        except NumberTypeError as error:
            raise StateError(f"parameter {name!r}: {error}") from error
    return list(known.values()), data


def _find(
    thing: Any, path: str, seen: set[int], found: dict[int, tuple[str, Value]], *, top: bool = False
) -> None:
    """Add the leaf Values below `thing`, with their paths; `seen` has the ids already visited."""
    if not top and id(thing) in seen:
        return
    seen.add(id(thing))
    children: Iterable[tuple[Any, Any]]
    if not isinstance(thing, Module):
        children = thing.items() if isinstance(thing, dict) else enumerate(thing)
    elif top or not _overrides_parameters(thing):
        children = vars(thing).items()
    else:
        children = _named(thing, seen)
    for key, child in list(children):
        # Symbols of a trace count, as they call themselves Values.
        if type(child) is Value or issubclass(type(child), Value):
            if child.op is None and id(child) not in found:
                found[id(child)] = f"{path}{key}", child
        elif isinstance(child, (Module, list, tuple, dict)):
            _find(child, f"{path}{key}.", seen, found)


def _named(module: Module, seen: set[int]) -> list[tuple[str, Value]]:
    found: dict[int, tuple[str, Value]] = {}
    _find(module, "", seen, found, top=True)
    if not _overrides_parameters(module):
        return list(found.values())
    return [found.get(id(p)) or (str(i), p) for i, p in enumerate(module.parameters())]


def _overrides_parameters(module: Module) -> bool:
    """Return whether the class has its own `parameters`."""
    return type(module).parameters is not Module.parameters
