"""What a result offers: decoding again, drawing, and the export formats."""

from __future__ import annotations

import json

import numpy as np
import pytest
from places import COLLAGE

import pose
from pose import UserError
from pose.export import coco_results, openpose_json


@pytest.fixture(scope="module")
def result(estimator):
    return estimator(COLLAGE, preset="fast")


def keypoint_count(result):
    return sum(person.found.sum() for person in result.people)


def test_decoding_again_is_what_a_call_with_these_thresholds_gives(estimator, result):
    runs = estimator.network_runs
    fewer = result.decode(peak_threshold=0.5, min_parts=8)
    assert estimator.network_runs == runs
    called = estimator(COLLAGE, preset="fast", peak_threshold=0.5, min_parts=8)
    assert keypoint_count(fewer) < keypoint_count(result)
    for one, other in zip(fewer.people, called.people, strict=True):
        assert np.array_equal(one.keypoints, other.keypoints, equal_nan=True)
    assert fewer.settings.peak_threshold == 0.5
    assert fewer.timings.network == result.timings.network
    assert len(fewer.candidates.peaks.scores) < len(result.candidates.peaks.scores)
    with pytest.raises(UserError, match="no decoder setting"):
        result.decode(threshold=0.5)


def test_the_decoders_notes_are_those_of_the_last_decoding(estimator, result):
    noise = 0.3 * np.random.default_rng(0).random(result.maps.heatmaps.shape, np.float32)
    maps = type(result.maps)(noise, np.ones_like(result.maps.pafs), result.maps.grid)
    noisy = type(result)(
        **{**{f: getattr(result, f) for f in result.__dataclass_fields__}, "maps": maps}
    ).decode()
    assert any("Raise the peak threshold" in note for note in noisy.decode_notes)
    assert noisy.to_dict()["notes"] == [*noisy.notes, *noisy.decode_notes]
    assert noisy.decode(peak_threshold=1.0).decode_notes == ()


def test_drawing_changes_the_photo_where_people_are(result):
    drawn = result.draw()
    assert drawn.shape == result.image.shape and drawn.dtype == np.uint8
    assert (drawn != result.image).any() and (drawn == result.image).mean() > 0.5
    assert (result.draw(black=True) == 0).mean() > 0.5
    with pytest.raises(UserError, match="dim"):
        result.draw(dim=2)


def test_export_formats(result):
    assert result.to_coco(7, "x.jpg") == coco_results(result.people, 7, "x.jpg")
    assert result.to_openpose()["people"] == openpose_json(result.people)["people"]
    answer = json.loads(json.dumps(result.to_dict()))
    assert answer["image_size"] == {"width": 900, "height": 900}
    assert len(answer["people"]) == len(result.people)
    assert answer["people"][0]["keypoints"][0]["name"] == "nose"


def test_the_public_names_exist():
    assert all(getattr(pose, name) is not None for name in pose.__all__)
    assert pose.__version__.count(".") == 2
