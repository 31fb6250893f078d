"""The second pass: heights, crops, and how the people of both passes are merged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn_maps import standing
from places import COLLAGE, EXAMPLES

from pose import Person, Preset
from pose.decoding.second_pass import MOST_CROPS, body_height, merge_people
from pose.decoding.second_pass import plan_crops as plan_crops_at
from pose.oks import oks

HEIGHTS = (180, 320)
ONE_PASS = Preset("one pass", (276, 460))
TWO_PASSES = Preset("two passes", (276, 460), person_heights=(180, 320))


def person(x: float, y: float, size: float, score: float = 1.0) -> Person:
    """A drawn person whose neck lies 6 sizes above (x, y) and whose ankles 10 below."""
    points = standing(x, y, size).astype(np.float32)
    return Person(np.column_stack([points[:, :2], np.full(18, 0.9, np.float32)]), score)


def plan_crops(people, image_size, first_scale=0.0):
    return plan_crops_at(people, image_size, TWO_PASSES, first_scale)


def without(one: Person, *keypoints: int) -> Person:
    changed = one.keypoints.copy()
    changed[list(keypoints)] = (np.nan, np.nan, 0)
    return Person(changed, one.score)


def test_the_height_scales_with_the_person_and_survives_missing_limbs():
    small, large = person(100, 100, 3), person(300, 300, 9)
    assert body_height(large) == pytest.approx(3 * body_height(small), rel=1e-3)
    upper = without(large, 8, 9, 10, 11, 12, 13)
    assert body_height(upper) == pytest.approx(body_height(large), rel=0.4)
    assert body_height(without(large, *range(1, 18))) == 0


def test_people_of_one_size_side_by_side_share_a_crop():
    close = [person(200, 300, 10), person(240, 300, 10)]
    (crop,) = plan_crops(close, (600, 800)).crops
    for one in close:
        x, y, width, height = one.box
        assert crop.left <= x and x + width < crop.right
        assert crop.top <= y and y + height < crop.bottom
    assert len(plan_crops([close[0], person(240, 300, 4)], (600, 800)).crops) == 2
    assert len(plan_crops([close[0], person(1500, 300, 10)], (600, 2000)).crops) == 2


def test_crops_stay_on_the_photo_and_a_crowd_is_bounded():
    crowd = [person(60 + 400 * i, 70, 6) for i in range(MOST_CROPS + 5)]
    plan = plan_crops(crowd, (150, 8000))
    assert len(plan.crops) == MOST_CROPS
    assert "crowded" in plan.notes[0]
    for crop in plan.crops:
        assert 0 <= crop.left < crop.right <= 8000
        assert 0 <= crop.top < crop.bottom <= 150
    assert plan_crops(crowd[:3], (150, 8000)).notes == ()


def test_what_the_first_pass_saw_at_the_right_size_is_not_run_again():
    one = person(300, 300, 10)
    only = replace(TWO_PASSES, person_heights=(180,))
    height = body_height(one)
    (crop,) = plan_crops([one], (600, 600), first_scale=185 / height).crops
    assert (crop.run_at, crop.average_first) == ((320,), True)
    (crop,) = plan_crops([one], (600, 600), first_scale=100 / height).crops
    assert (crop.run_at, crop.average_first) == (HEIGHTS, False)
    assert plan_crops_at([one], (600, 600), only, 185 / height).crops == ()


def test_the_crops_person_replaces_the_first_and_keeps_what_only_it_had():
    first = without(person(200, 200, 8, 1.0), 4)
    better = without(person(201, 200, 8, 2.0), 10)
    crops = plan_crops([first], (600, 600)).crops
    (merged,) = merge_people([first], crops, [[better]])
    assert merged.score == 2.0
    assert np.array_equal(merged.keypoints[0], better.keypoints[0])
    assert np.array_equal(merged.keypoints[10], first.keypoints[10])
    assert merged.found.all()


def test_missed_people_are_added_once_and_nobody_is_lost():
    first = [person(200, 200, 8, 3.0), person(900, 200, 8, 2.0)]
    crops = plan_crops(first, (600, 1200)).crops
    missed = person(330, 200, 8, 1.0)
    merged = merge_people(first, crops, [[first[0], missed], []])
    assert [one.score for one in merged] == [3.0, 2.0, 1.0]
    twice = merge_people(first, crops, [[first[0], missed, person(331, 200, 8, 0.9)], []])
    assert len(twice) == 3
    assert merge_people(first, crops, [[], []]) == tuple(first)


def test_a_photo_in_two_passes(estimator):
    one = estimator(COLLAGE, preset=ONE_PASS)
    two = estimator(COLLAGE, preset=TWO_PASSES)
    assert two.plan.crops and len(two.crop_maps) == len(two.plan.crops)
    assert np.array_equal(one.maps.heatmaps, two.maps.heatmaps), "the maps are the whole photo's"
    assert len(two.people) >= len(one.people)
    for before in one.people:
        assert max(oks(before, after) for after in two.people) > 0.5
    batch = estimator.batch([EXAMPLES / "astronaut.jpg", COLLAGE],
                            preset=TWO_PASSES)  # fmt: skip
    streamed = list(estimator.stream([COLLAGE], preset=TWO_PASSES))
    for other in (batch[1], streamed[0]):
        assert len(other.people) == len(two.people)
        for a, b in zip(other.people, two.people, strict=True):
            assert np.array_equal(a.keypoints, b.keypoints, equal_nan=True)


def test_thresholds_work_on_both_passes_without_the_network(estimator):
    result = estimator(COLLAGE, preset=TWO_PASSES)
    runs = estimator.network_runs
    same = result.decode()
    fewer = result.decode(peak_threshold=0.9)
    assert estimator.network_runs == runs
    for a, b in zip(same.people, result.people, strict=True):
        assert np.array_equal(a.keypoints, b.keypoints, equal_nan=True)
    assert sum(p.found.sum() for p in fewer.people) < sum(p.found.sum() for p in result.people)


def test_keypoints_of_a_crop_land_where_the_whole_photo_has_them(estimator):
    """The grid of a crop knows where it begins; an error would move everybody by the margin."""
    photo = EXAMPLES / "astronaut.jpg"
    one = estimator(photo, preset=Preset("x", (368,)))
    two = estimator(photo, preset=replace(TWO_PASSES, short_sides=(368,)))
    a, b = one.people[0], max(two.people, key=lambda p: oks(p, one.people[0]))
    both = a.found & b.found
    assert both.sum() >= 8
    distances = np.hypot(*(a.keypoints[both, :2] - b.keypoints[both, :2]).T)
    assert np.median(distances) < 0.02 * body_height(a)
