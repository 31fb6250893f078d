"""From maps to people."""

from dataclasses import replace

import numpy as np
import pytest
from drawn_maps import decode_with_notes, draw_maps, standing
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmark.plain import plain_decode
from pose import DecodeSettings, FieldMaps, UserError, decode
from pose.decoding.peaks import MAX_PEAKS, find_peaks
from pose.skeleton import NECK


def nearest_errors(people, truth):
    """For each true person the largest keypoint error, in cells, of the closest found person."""
    errors = []
    for person in truth:
        distances = [
            np.nanmax(np.linalg.norm((p.keypoints[:, :2] + 0.5) / 8 - 0.5 - person, axis=1))
            for p in people
            if np.array_equal(p.found, np.isfinite(person[:, 0]))
        ]
        errors.append(min(distances, default=np.inf))
    return errors


@settings(deadline=None, max_examples=40)
@given(st.floats(12, 28), st.floats(14, 30), st.floats(0.8, 1.3))
def test_one_person_is_found_to_a_fraction_of_a_cell(x, y, size):
    truth = standing(x, y, size)
    (person,) = decode(draw_maps([truth], (46, 40)))
    assert max(nearest_errors([person], [truth])) < 0.12
    assert person.keypoints.dtype == np.float32


@settings(deadline=None, max_examples=25)
@given(st.floats(0, 1), st.floats(0, 1))
def test_two_people_two_cells_apart_stay_two(x, y):
    first = standing(15 + x, 20 + y)
    second = standing(17 + x, 20 + y)
    people = decode(draw_maps([first, second], (46, 40)))
    assert len(people) == 2
    # Where limbs overlap the drawn PAFs average, but every keypoint is found, one for each person.
    for person in people:
        assert person.found.all()
    necks = sorted(p.keypoints[NECK, 0] for p in people)
    expected = (np.array([first[NECK, 0], second[NECK, 0]]) + 0.5) * 8 - 0.5
    assert np.abs(necks - expected).max() < 0.6 * 8


def test_two_joints_two_cells_apart_are_two_peaks_wherever_they_lie():
    for offset in np.linspace(0, 1, 21):
        rows, columns = np.mgrid[:20, :20]
        plane = np.zeros((20, 20))
        for x in (8 + offset, 10 + offset):
            bump = np.exp(-((columns - x) ** 2 + (rows - 9.3) ** 2) / (2 * 0.875**2))
            plane = np.maximum(plane, bump)
        heatmaps = np.zeros((19, 20, 20), np.float32)
        heatmaps[3] = plane
        peaks = find_peaks(heatmaps, 0.1)
        assert len(peaks.channels) == 2, offset
        xs = np.sort(peaks.positions[:, 0])
        assert np.abs(xs - (8 + offset, 10 + offset)).max() < 0.5


def test_missing_keypoints_are_nan_with_score_zero():
    truth = standing(18, 20)
    truth[[4, 7, 16]] = np.nan
    (person,) = decode(draw_maps([truth], (46, 40)))
    for part in (4, 7, 16):
        assert np.isnan(person.keypoints[part, :2]).all()
        assert person.keypoints[part, 2] == 0
    assert person.found.sum() == 15


def test_people_far_apart_are_found_in_a_crowd():
    truth = [standing(10 + 12 * i, 10 + 15 * j, 0.6) for i in range(5) for j in range(3)]
    people = decode(draw_maps(truth, (50, 70)))
    assert len(people) == 15
    assert max(nearest_errors(people, truth)) < 0.2


def test_settings_filter():
    maps = draw_maps([standing(18, 20)], (46, 40))
    assert len(decode(maps)) == 1
    assert decode(maps, DecodeSettings(peak_threshold=1.0)) == ()
    assert decode(maps, DecodeSettings(limb_threshold=1.0, samples_needed=10)) == ()
    arm = standing(18, 20)
    arm[5:] = np.nan
    arm_maps = draw_maps([arm], (46, 40))
    assert len(decode(arm_maps, DecodeSettings(min_parts=5))) == 1
    assert decode(arm_maps, DecodeSettings(min_parts=6)) == ()


def test_a_weak_joint_counts_only_on_a_limb_from_a_clear_one():
    truth = standing(18, 20)
    maps = draw_maps([truth], (46, 40))
    heatmaps = maps.heatmaps.copy()
    heatmaps[4] *= 0.1  # the right wrist is between 0.4 x and 1 x the threshold
    settings = DecodeSettings(peak_threshold=0.2)
    (person,) = decode(replace(maps, heatmaps=heatmaps), settings)
    assert person.found[4]
    lonely = heatmaps * 0.12
    assert decode(replace(maps, heatmaps=lonely.astype(np.float32)), settings) == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("peak_threshold", 1.5),
        ("limb_threshold", -0.1),
        ("min_parts", 0),
        ("samples_needed", 11),
        ("limb_samples", 1),
        ("nonsense", 1),
    ],
)
def test_settings_out_of_range_are_one_line(name, value):
    with pytest.raises(UserError, match=name):
        DecodeSettings().changed(**{name: value})


def test_shapes_are_checked():
    maps = draw_maps([standing(18, 20)], (46, 40))
    with pytest.raises(ValueError, match="maps are"):
        decode(FieldMaps(maps.pafs, maps.heatmaps, maps.grid))


@pytest.mark.parametrize("fill", [0.0, 1.0, np.nan, np.inf, -np.inf])
def test_constant_maps(fill):
    maps = draw_maps([], (46, 40))
    bad = FieldMaps(np.full_like(maps.heatmaps, fill), np.full_like(maps.pafs, fill), maps.grid)
    people, notes = decode_with_notes(bad)
    assert all(np.isfinite(p.score) for p in people)
    assert bool(notes) == (not np.isfinite(fill) or fill == 1.0) or not people


def test_nan_cells_do_not_hide_the_people():
    maps = draw_maps([standing(18, 20)], (46, 40))
    heatmaps = maps.heatmaps.copy()
    heatmaps[:, 44:, :3] = np.nan
    people, notes = decode_with_notes(replace(maps, heatmaps=heatmaps))
    assert len(people) == 1
    assert "NaN" in notes[0]


def test_noise_is_bounded_and_says_so():
    rng = np.random.default_rng(1)
    grid = draw_maps([], (161, 161)).grid
    noise = FieldMaps(
        rng.random((19, 161, 161), np.float32),
        rng.uniform(-1, 1, (38, 161, 161)).astype(np.float32),
        grid,
    )
    peaks = find_peaks(noise.heatmaps, 0.02)
    assert np.bincount(peaks.channels).max() <= MAX_PEAKS
    people, notes = decode_with_notes(noise)
    assert any(str(MAX_PEAKS) in note for note in notes)
    for person in people:
        assert np.isfinite(person.keypoints[person.found]).all()


def test_same_answer_as_the_plain_path_on_drawn_people():
    truth = [standing(14.3, 20.2), standing(32.1, 18.4)]
    maps = draw_maps(truth, (46, 48))
    plain = plain_decode(maps)
    ours = decode(maps)
    assert len(plain) == len(ours) == 2
    for errors in (nearest_errors(plain, truth), nearest_errors(ours, truth)):
        assert max(errors) < 0.2
