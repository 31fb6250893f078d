"""Many visitors at once, the short form of `python tests/many_users.py`."""

from __future__ import annotations

from many_users import everything


def test_every_answer_is_its_senders_and_nothing_is_left(capsys):
    problems = everything(clients=10, seconds=8)
    printed = capsys.readouterr().out
    assert problems == [], printed
    assert "left in the middle 0" not in printed
