"""What the course learns from."""

from micrograd.course import first_names


def test_names_are_different_and_of_small_letters():
    names = first_names()
    assert len(set(names)) == len(names) == 2000
    assert all(name.isascii() and name.isalpha() and name.islower() for name in names)
    assert max(map(len, names)) <= 15
