"""What is said of several steps at once: those of a neuron, of a loss, of the other samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from micrograd.backward_pass import Row
from micrograd.sentences.slots import filling
from micrograd.sentences.templates import case, fill, of_row, slot
from micrograd.sentences.words import Words
from micrograd.style import UNKNOWN
from micrograd.values.networks import Network, Place, listed
from micrograd.values.terms import Term, probabilities

__all__ = ["OTHERS", "group_template", "group_text"]

OTHERS: Final = {
    "forward": (
        "1 other sample goes through the network the same way.",
        "{n} other samples go through the network the same way.",
    ),
    "backward": (
        "1 other sample adds to each weight the same way.",
        "{n} other samples add to each weight the same way.",
    ),
}  # of one sample, and of n
_MOST: Final = 6  # probabilities in a sentence


def group_text(words: Words, network: Network | None, kind: str, rows: Sequence[Row]) -> str:
    """Return what happens in the steps of a group.

    Parameters
    ----------
    words : Words
    network : Network or None
    kind : {"neuron", "loss", "others", "operation"}
    rows : sequence of Row
        The steps.
    """

    def slots(name: str) -> Any:
        which, _, about = name.partition(" ")
        if which == "is":
            text, _, name = about.partition(" ")
            return text == slots(name)
        if which != "p":
            return filling(words, rows[0], rows, name)
        node, k = map(int, about.split())
        (term,) = (term for term in network.terms if term and term.node == node)  # type: ignore[union-attr]
        return words.text_of(probabilities(term, words.recording.data)[k])

    return fill(group_template(words, network, kind, rows), slots)


def group_template(words: Words, network: Network | None, kind: str, rows: Sequence[Row]) -> str:
    """Return that text with slots for its numbers; parameters as `group_text`."""
    forward = rows[0].kind == "forward"
    if network is not None and kind != "operation":
        says = _Groups(words, network, rows)
        if kind == "others":
            return says.others(forward)
        if kind == "neuron":
            return says.evaluated() if forward else says.passed()
        if said := says.lost() if forward else says.started():
            return said
    if len(rows) == 1 or forward:
        return of_row(len(rows) - 1, words.sentence_template(rows[-1]))
    return _operation(words, rows)


def _operation(words: Words, rows: Sequence[Row]) -> str:
    """Say what one operation outside of the network passes back."""
    seed = f"{words.sentence(rows[0])} " if rows[0].kind == "seed" else ""
    passing = [(k, row) for k, row in enumerate(rows) if row.kind == "chain"]
    if len({row.node for _, row in passing}) != 1:
        return f"{seed}{words.names[rows[-1].node]} is the last to pass gradient back here."
    adds = [f"{slot('row', k, 'con')} to {words.subject(row.parent)}" for k, row in passing[:_MOST]]
    more = [f"{len(passing) - _MOST} more"] if len(passing) > _MOST else []
    name = words.names[passing[0][1].node]
    return f"{seed}{name} passes gradient back: {listed([*adds, *more])}."


class _Groups:
    """The sentences of one group of a network."""

    def __init__(self, words: Words, network: Network, rows: Sequence[Row]) -> None:
        self.words, self.network, self.rows = words, network, rows
        self.last = rows[-1].node

    def _data(self, i: int) -> str:
        return slot("data", i)

    def _upstream(self, node: int | None = None) -> int | None:
        """Return the first of the steps in which this value, or any, passes gradient on."""
        passing = (k for k, row in enumerate(self.rows) if row.kind == "chain")
        return next((k for k in passing if node in (None, self.rows[k].node)), None)

    # ---- neurons -------------------------------------------------------------------------------

    def _neuron(self) -> tuple[str, Place, int, int | None]:
        """Return what the neuron is called, its place, and the positions of its s and its x."""
        network = self.network
        place = network.places[self.last]
        layer = network.layers[place.layer]
        neuron = layer.neurons[place.neuron]
        use = neuron.uses[place.use]
        x = None if use.x is None else network.at[use.x]
        name = f"Neuron {neuron.number} of {layer.name}"
        name += f", sample {place.sample + 1}" if network.samples > 1 else ""
        return name, place, network.at[use.s], x

    def evaluated(self) -> str:
        name, _, s, x = self._neuron()
        said = f"{name}: the weighted sum of its inputs plus the bias is {self._data(s)}"
        if x is None:
            return f"{said}. This layer is linear: s is its output."
        return f"{said}, and {self.words.activation(x)} makes {self._data(x)} of it."

    def passed(self) -> str:
        name, place, s, x = self._neuron()
        first = self._upstream()
        arrives = UNKNOWN if first is None else slot("row", first, "up")
        several = self.network.samples > 1
        found = self.network.layers[place.layer].neurons[place.neuron].weights
        weights = {self.network.at[w] for w in found}
        adds = any(row.of > 1 for row in self.rows if row.parent in weights)  # a penalty adds too
        who = "sample" if several else "neuron"
        gradient = f"what this {who} adds to the gradient" if several or adds else "the gradient"
        goes = f"; times each weight it goes on to {self._below(place)}" if place.layer else ""
        if x is None:
            same = "" if goes else "; the bias gets it unchanged"
            return (
                f"{name}{',' * several} is linear: its gradient, {arrives}, times each input is "
                f"{gradient} of that weight{same}{goes}."
            )
        symbol = self.words.activation(x)
        is_part = any(row.of > 1 for row in self.rows if row.parent == s)
        part = f"what this {who} adds to " if is_part else ""
        return (
            f"{name}: the incoming gradient, {arrives}, times {symbol}′(s) is "
            f"{part}{self.words.gradient_symbol(s)}. Times each input, it is {gradient} of that "
            f"weight; the bias gets it unchanged{goes}."
        )

    def _below(self, place: Place) -> str:
        """Return where the gradient of a neuron's inputs goes to."""
        inputs = self.network.layers[place.layer].neurons[place.neuron].uses[place.use].inputs
        below = {self.network.stage[self.network.at[value]] for value in inputs}
        names = [self.network.layers[k].name for k in sorted(below) if k >= 0]
        return listed(names) if names else "its inputs"

    # ---- losses --------------------------------------------------------------------------------

    def _term(self) -> Term | None:
        sample = self.network.sample[self.last]
        if self.network.samples == 1:
            sample = 0
        return self.network.terms[sample] if sample >= 0 else None

    def _is_whole(self, term: Term) -> bool:
        """Return whether the loss is computed in these steps; part of it may be."""
        return any(row.node == term.node for row in self.rows)

    def lost(self) -> str:
        term, samples = self._term(), self.network.samples
        if term is None:
            return (
                f"The losses of the {samples} samples, put together, are the loss: "
                f"{self._data(self.last)}."
            )
        if not self._is_whole(term):
            return ""
        said = getattr(self, f"_{term.kind}")(term, self._data(term.node))
        if self.last != term.node and self.network.samples == 1:
            said += f" With all that is added to it, it is {self._data(self.last)}."
        return str(said)

    def _cross_entropy(self, term: Term, loss: str) -> str:
        p = [slot("p", term.node, k) for k in range(len(term.outputs))]
        shown = f"probabilities, {listed(p)}" if len(p) <= _MOST else f"{len(p)} probabilities"
        right = p[term.target]
        layer = self.words.names[term.outputs[0]].partition("[")[0]
        which = f", {term.target}," if self.network.knows_classes else ""
        return (
            f"softmax turns {layer} into {shown}. The right class{which} got {right}: "
            f"the loss is -log {right} "
            f"{case(f'is 1 p {term.node} {term.target}', '=', '≈')} {loss}."
        )

    def _binary_cross_entropy(self, term: Term, loss: str) -> str:
        p = slot("p", term.node, 0)
        got = {1: f"-log {p}", 0: f"-log(1 - {p})"}.get(term.target)
        made = f"{got} ≈ {loss}" if got else loss
        return (
            f"σ turns {self.words.names[term.outputs[0]]} into the probability of a 1, {p}. "
            f"The target is {self.words.text_of(term.target)}: the loss is {made}."
        )

    def _mse(self, term: Term, loss: str) -> str:
        if term.target is None:
            return f"The squared errors of the {len(term.outputs)} outputs, put together: {loss}."
        output, target = self._data(term.outputs[0]), self.words.text_of(term.target)
        target = f"({target})" if target.startswith("-") else target
        relation = slot("relation", term.node)
        return (
            f"The squared error: the output, {output}, should be {target}, and "
            f"({output} - {target})² {relation} {loss}."
        )

    def _hinge(self, term: Term, loss: str) -> str:
        output, target = self._data(term.outputs[0]), self.words.text_of(term.target)
        return (
            f"The hinge: the target, {target}, times the output, {output}, should be 1 or more; "
            f"what is missing is the loss, {loss}."
        )

    def started(self) -> str:
        term, seeded = self._term(), self.rows[0].kind == "seed"
        root = self.words.names[-1]
        start = f"The backward pass starts at the loss: ∂{root}/∂{root} = 1."
        if seeded and self.rows[0].turn > 1:
            start = self.words.sentence(self.rows[0])
        if term is None:
            return f"{start} {self._shared()}".strip() if seeded else ""
        if not self._is_whole(term):
            return start if seeded else ""
        own = self._upstream(term.node)
        scaled = self._started(term, start, own, plain=False)
        if not seeded:
            return scaled
        plain = self._started(term, start, own, plain=True)  # not where the loss is multiplied
        return plain if own is None else case(f"row {own} one", plain, scaled)

    def _started(self, term: Term, start: str, own: int | None, *, plain: bool) -> str:
        part = "its" if plain else "that times its"
        rules = {
            "cross_entropy": f"Each output gets {part} probability, the right class minus 1: "
            "p - y.",
            "binary_cross_entropy": f"The output gets {part} probability minus the target: p - y.",
            "mse": f"The output gets 2 × (output - target){'' if plain else ' times that'}.",
            "hinge": "The output gets minus the target times that where the hinge is above 0.",
        }
        if self.rows[0].kind != "seed":
            first = self._upstream()
            gets = UNKNOWN if first is None else slot("row", first, "up")
            start = f"The loss of sample {self.network.sample[self.last] + 1} gets {gets}."
        elif not plain:
            start += f" The loss of the sample gets {slot('row', own, 'up')}."
        rule = rules[term.kind]
        if term.target is None:
            rule = "Each output gets its share of 2 × (output - target)."
        return f"{start} {rule.replace(' times that', '') if plain else rule}"

    def _shared(self) -> str:
        """Say what the loss of each sample gets, where it is the same."""
        nodes = {term.node for term in self.network.terms if term}
        gets = {row.contribution: k for k, row in enumerate(self.rows) if row.parent in nodes}
        if len(gets) != 1:
            return ""
        (k,) = gets.values()
        about = case(f"row {k} rounded", "about ")
        return f"The loss of each sample gets {about}{slot('row', k, 'con')}."

    def others(self, forward: bool) -> str:
        count = len({self.network.sample[row.node] for row in self.rows})
        one, several = OTHERS["forward" if forward else "backward"]
        return one if count == 1 else several.format(n=count)
