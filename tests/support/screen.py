"""What a reader sees of a page, measured in a browser at several sizes, themes and steps."""

import math
from fractions import Fraction
from pathlib import Path

from micrograd import Value

_SCRIPT = (Path(__file__).parent / "screen.js").read_text(encoding="utf-8")
SIZES = [(400, 900), (700, 1000), (1000, 1100), (1366, 768), (1600, 1000)]


def _named(**values):
    for name, value in values.items():
        value.label = name
    return list(values.values())[-1]


def neuron():
    """Return the neuron of Karpathy's lecture, with the labels that he gives."""
    x1, x2 = Value(2.0, label="x1"), Value(0.0, label="x2")
    w1, w2 = Value(-3.0, label="w1"), Value(1.0, label="w2")
    b = Value(6.8813735870195432, label="b")
    x1w1, x2w2 = x1 * w1, x2 * w2
    x1w1.label, x2w2.label = "x1*w1", "x2*w2"
    both = x1w1 + x2w2
    both.label = "x1*w1 + x2*w2"
    n = both + b
    return _named(n=n, o=n.tanh())


def exponentials():
    """Return the same neuron with tanh made of exponentials, as the lecture goes on."""
    n = neuron().parents[0]
    e = (2 * n).exp()
    return _named(e=e, o=(e - 1) / (e + 1))


def line():
    """Return L = (a·b + c)·f."""
    a, b, c, f = (Value(x, label=n) for x, n in ((2.0, "a"), (-3.0, "b"), (10.0, "c"), (-2.0, "f")))
    e = a * b
    d = e + c
    return _named(e=e, d=d, L=d * f)


def thrice():
    """Return b = 3a, as a sum that uses `a` three times."""
    a = Value(3.0, label="a")
    return _named(b=a + a + a)


def long_chain():
    """Return a chain of 200 values."""
    found = Value(0.3, label="x")
    for k in range(199):
        found = found.tanh() if k % 2 else found * 1.1
    return found


def softmax():
    """Return the loss of ten logits, of plain Values."""
    logits = [Value(round(0.37 * k - 1.3, 2), label=f"logit{k}") for k in range(10)]
    counts = [logit.exp() for logit in logits]
    total = counts[0]
    for count in counts[1:]:
        total = total + count
    total.label = "total"
    return _named(loss=-(counts[3] / total).log())


def extreme():
    """Return a graph of numbers at the ends of what floats hold, and beyond."""
    tiny, huge = Value(-1.2345e-300, label="tiny"), Value(1.7976931348623157e308, label="huge")
    long, none = Value(-123456.789, label="long"), Value(math.inf, label="none")
    parts = [tiny * huge, long * tiny, (long * 1e-8).tanh(), none * 2.0]
    return _named(worst=parts[0] + parts[1] + parts[2] + parts[3])


def fractions():
    """Return a graph of exact fractions, of one digit and of thirty."""
    a, b = Value(Fraction(-355, 113), label="a"), Value(Fraction(10**14 + 3, 3**20), label="b")
    c = Value(Fraction(-123457, 999983), label="c")
    return _named(p=a * b, q=a * b + c, r=(a * b + c) * a)


def scripts():
    """Return a neuron whose labels are of five scripts, with emoji."""
    names = [
        "输入的第一个数值",
        "الوزن",
        "смещение",
        "भारित योग",
        "👩🏽‍🔬👨‍👩‍👧 weight 🚀",
        "الناتج النهائي 2",
    ]
    x, w, b = (Value(v, label=n) for v, n in zip((2.5, -3.25, 1.125), names[:3], strict=True))
    s = x * w
    s.label = names[3]
    total = s + b
    total.label = names[4]
    out = total.sigmoid() if hasattr(total, "sigmoid") else total.tanh()
    out.label = names[5]
    return out


GRAPHS = {
    "neuron": neuron,
    "exponentials": exponentials,
    "line": line,
    "thrice": thrice,
    "long chain": long_chain,
    "softmax": softmax,
    "extreme": extreme,
    "fractions": fractions,
    "scripts": scripts,
}


def two_frames(page):
    """Wait until what follows from another size of the window is drawn."""
    page.evaluate(
        "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )


def measured(page, places=True):
    """Return what is wrong with a page as it is now; `places`: also where its parts stand."""
    return page.evaluate(f"({_SCRIPT}).faults({str(places).lower()})")


def faults(page, sizes=SIZES, schemes=("light", "dark"), parts=(0, 0.5, 1), look=None):
    """Measure an open page at each size, theme and part of the walk; return what is wrong.

    Parameters
    ----------
    page : playwright.sync_api.Page
        With the stepper in it.
    sizes : list of (int, int)
        Of the window.
    schemes : sequence of str
        What the system prefers.
    parts : sequence of float
        Which steps, from 0 for the first to 1 for the last.
    look : callable, optional
        Called with `page` and a name for each state, to take a picture of it.
    """
    slider = page.get_by_role("slider", name="Step")
    last = int(slider.get_attribute("max") or slider.get_attribute("aria-valuemax"))
    found = []
    for width, height in sizes:
        page.set_viewport_size({"width": width, "height": height})
        for scheme in schemes:
            page.emulate_media(color_scheme=scheme)
            for part in parts:
                step = last if part == 1 else round(part * (last - 1))  # the last is the update
                slider.fill(str(step))
                two_frames(page)
                places = scheme == schemes[0]  # these are alike in both themes
                where = f"{width} {scheme} step {step + 1}"
                found += [(where, *fault) for fault in measured(page, places)]
                if look:
                    look(page, where.replace(" ", "_"))
    return found


def camera(page):
    """Walk to the end; return how often the picture moved, in how many steps, and where in vain.

    It moved in vain where all cards of the step, and the arithmetic below one of them, were in the
    inner 85 % of the view already.
    """
    return page.evaluate(f"({_SCRIPT}).camera()")
