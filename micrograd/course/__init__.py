"""The exercises of the notebooks and their checker, and the engine that notebook 8 builds."""

from micrograd.course.checking import check
from micrograd.course.data import first_names
from micrograd.course.exercises import EXERCISES, Exercise
from micrograd.course.pictures import dark, described

__all__ = ["EXERCISES", "Exercise", "check", "dark", "described", "first_names"]
