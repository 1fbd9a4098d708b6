"""What a notebook shows of a stepper; anywidget is loaded when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from micrograd.stepper.stepper import Stepper

__all__ = [
    "mimebundle",
    "widget",
]


def widget(stepper: Stepper, **options: Any) -> Any:
    """Return the notebook widget of a stepper.

    Parameters
    ----------
    stepper : Stepper
    **options
        `theme`, "auto", "light" or "dark"; `editable`, False to keep leaves as they are.

    Raises
    ------
    ImportError
        Without anywidget; the message names the extra to install.
    TooLargeError
        If the graph has more values or steps than can be shown.
    """
    from micrograd.stepper.page.stepper_widget import stepper_widget

    return stepper_widget()(stepper, **options)


def mimebundle(stepper: Stepper, **options: Any) -> Any:
    """Return what a notebook shows of a stepper: the widget, with a picture where it cannot run."""
    from micrograd.stepper.page.stepper_widget import mimebundle as bundle

    return bundle(stepper, **options)


def __getattr__(name: str) -> Any:
    if name == "StepperWidget":
        from micrograd.stepper.page.stepper_widget import stepper_widget

        return stepper_widget()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
