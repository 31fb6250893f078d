"""Track ids through a clip."""

import numpy as np
import pytest
from drawn_people import person_at

from pose.motion.tracking import FEWEST_MISSED, SWAPPED, Tracker, moved
from pose.person import Person


def test_ids_follow_people_who_move_and_change_places_in_the_list():
    tracker = Tracker()
    assert tracker.update([person_at(0), person_at(400)]) == [1, 2]
    for step in range(1, 10):
        assert tracker.update([person_at(400 - 5 * step), person_at(5 * step)]) == [2, 1]
    assert tracker.count == 2


@pytest.mark.parametrize("rate", [10, 25, 60])
def test_an_absence_of_a_second_keeps_the_id_and_a_long_one_does_not(rate):
    tracker = Tracker()
    assert tracker.update([person_at(0)], 0.0) == [1]
    for frame in range(1, rate):
        assert tracker.update([], frame / rate) == []
    assert tracker.update([person_at(1)], 1.0) == [1]
    for frame in range(1, 3 * rate):
        tracker.update([], 1 + frame / rate)
    assert tracker.update([person_at(1)], 4.0) == [2]


def test_frames_without_times():
    tracker = Tracker()
    tracker.update([person_at(0)])
    for _ in range(FEWEST_MISSED):
        assert tracker.update([]) == []
    assert tracker.update([person_at(1)]) == [1]


def test_a_walker_is_expected_where_the_walk_leads():
    tracker = Tracker()
    for frame in range(25):
        tracker.update([person_at(12 * frame)], frame / 25)
    assert tracker.update([person_at(12 * 45)], 45 / 25) == [1]
    assert tracker.update([person_at(12 * 25)], 46 / 25) == [2]


def test_somebody_new_gets_a_new_id():
    tracker = Tracker()
    tracker.update([person_at(0)])
    assert tracker.update([person_at(900), person_at(0)]) == [2, 1]


@pytest.mark.parametrize(("exchanged", "offset"), [(True, 0), (False, 8)])
def test_a_second_skeleton_of_a_body_takes_nothing_over(exchanged, offset):
    """One with left and right exchanged, as networks see from the side, and one that is shifted."""
    keypoints = person_at(0).keypoints
    keypoints[:, :2] = np.random.default_rng(0).uniform(0, 100, (18, 2))
    person = Person(keypoints, 1.0)
    second = moved(Person(keypoints[SWAPPED] if exchanged else keypoints, 0.5), offset)
    tracker = Tracker()
    for frame in range(30):
        found = second if frame > 10 and frame % 3 else person
        ids = tracker.update([found, second] if frame in (8, 9) else [found])
        assert ids[0] == 1


def test_a_fast_start_is_followed():
    """A third of the body in every frame, from the first on."""
    tracker = Tracker()
    assert [tracker.update([person_at(30 * frame)]) for frame in range(6)] == [[1]] * 6
