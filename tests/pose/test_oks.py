"""OKS between people, and who is matched with whom."""

import pytest
from drawn_people import person_at

from pose.oks import match_people, oks


def test_oks_is_1_for_the_same_and_falls_with_distance():
    here = person_at(0)
    values = [oks(here, person_at(shift)) for shift in (0, 2, 10, 50, 1000)]
    assert values[0] == pytest.approx(1)
    assert values == sorted(values, reverse=True)
    assert values[-1] < 1e-6


def test_oks_is_0_without_a_common_keypoint():
    first, second = person_at(0), person_at(0)
    first.keypoints[:9, 2] = 0
    second.keypoints[9:, 2] = 0
    assert oks(first, second) == 0


def test_matches_are_the_best_in_total_and_none_below_the_smallest():
    first = [person_at(0), person_at(12)]
    second = [person_at(8), person_at(-14), person_at(5000)]
    # The most similar pair is (12, 8), which leaves (0, -14): in total more than (0, 8).
    assert [(m.first, m.second) for m in match_people(first, second, 0.05)] == [(1, 0), (0, 1)]
    assert match_people(first, [person_at(5000)]) == []
    assert match_people([], second) == match_people(first, []) == []


def test_a_weak_pair_does_not_displace_a_strong_one():
    first, second = [person_at(0)], [person_at(3000), person_at(1)]
    (match,) = match_people(first, second)
    assert (match.first, match.second) == (0, 1)
