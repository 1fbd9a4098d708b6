"""What Python sends to the page of a network, and of the sections of the walk."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from micrograd.sentences.groups import OTHERS
from micrograd.stepper.sections import Section
from micrograd.stepper.stepper import Stepper
from micrograd.style import number_text
from micrograd.values.networks import Network
from micrograd.values.notation import FoundNeuron
from micrograd.values.terms import KINDS, Term, probabilities

__all__ = ["code_path", "net_data", "sections_data"]


def code_path(path: str) -> str:
    """Return the path of an attribute as it is written in code.

    Examples
    --------
    >>> code_path("layers.0.neurons.1.w.0")
    'layers[0].neurons[1].w[0]'
    """
    return re.sub(r"\.(\d+)", r"[\1]", path)


def net_data(stepper: Stepper) -> dict[str, Any] | None:
    """Return the network of a stepper's graph; None where it cannot be drawn as columns."""
    network = stepper.network
    if network is None or not network.is_drawn:
        return None
    return {
        "title": network.title(),
        "samples": network.samples,
        "sample": 0,
        "code": (network.layers[0].neurons[0].path or "model").partition(".")[0],
        "layers": [
            {
                "number": number,
                "name": layer.name,
                "activation": layer.activation,
                "neurons": [_neuron(network, neuron) for neuron in layer.neurons],
            }
            for number, layer in enumerate(network.layers, 1)
        ],
        "inputs": network.inputs,
        "before": network.before,
        "between": network.between,
        "after": network.after[:-1],
        "end": network.after[-1],
        "loss": _loss(stepper, network),
        "others": {phase: list(texts) for phase, texts in OTHERS.items()},
    }


def _neuron(network: Network, neuron: FoundNeuron) -> dict[str, Any]:
    at = network.at
    return {
        "number": neuron.number,
        "w": [at[w] for w in neuron.weights],
        "b": None if neuron.bias is None else at[neuron.bias],
        "code": None if neuron.path is None else code_path(neuron.path),
        "at": [
            {
                "in": [at[value] for value in use.inputs],
                "s": at[use.s],
                "x": None if use.x is None else at[use.x],
                "parts": [at[part] for part in use.parts],
            }
            for use in neuron.uses
        ],
    }


def _loss(stepper: Stepper, network: Network) -> dict[str, Any] | None:
    root = len(network.nodes) - 1
    if root in network.places:
        return None
    kind = network.loss
    terms = [_term(stepper, network, term) for term in network.terms if term] if kind else []
    return {
        "node": root,
        "kind": kind or "other",
        "says": KINDS.get(kind, ""),
        "terms": terms,
    }


def _term(stepper: Stepper, network: Network, term: Term) -> dict[str, Any]:
    target = None if term.target is None else number_text(term.target)
    found: dict[str, Any] = {"class": None, "target": None}
    if term.kind != "cross_entropy":
        found |= {"target": target, "name": f"target: {target}" if target else ""}
    elif network.knows_classes:
        found |= {"class": term.target, "name": f"right class: {target} (p{term.target + 1})"}
    else:
        found |= {"name": f"right class (p{term.target + 1})"}
    return found | {
        "node": term.node,
        "outputs": term.outputs,
        "right": term.target if term.kind == "cross_entropy" else None,
        "p": [number_text(p) for p in probabilities(term, stepper.recording.data)] or None,
    }


def sections_data(stepper: Stepper, text: Callable[[str], int]) -> list[dict[str, Any]]:
    """Return the sections of all samples, with the sentences as positions among the strings.

    The page adds that of the update, which it computes itself.
    """
    passes = [section for section in stepper.all_sections if section.phase != "update"]
    return [_section(section, text) for section in passes]


def _section(section: Section, text: Callable[[str], int]) -> dict[str, Any]:
    return {
        "phase": section.phase,
        "name": section.name,
        "layer": section.layer,
        "sample": section.sample,
        "groups": [
            {
                "steps": [group.first, group.last],
                "kind": group.kind,
                "layer": group.layer,
                "neuron": group.neuron,
                "sample": group.sample,
                "text": text(group.text),
            }
            for group in section.groups
        ],
    }
