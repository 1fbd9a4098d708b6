"""The course's exercises with their answers checked, and the engine that one builds."""

from micrograd.course.checking import check
from micrograd.course.exercises import EXERCISES, Exercise

__all__ = ["EXERCISES", "Exercise", "check"]
