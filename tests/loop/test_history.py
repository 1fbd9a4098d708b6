"""What a run measured."""

from micrograd.train import History


def test_a_history_shows_its_end():
    assert repr(History(loss=[1.0, 0.123456], accuracy=[0.5, 1.0])) == (
        "History(steps=2, loss=0.1235, accuracy=1.0)"
    )
