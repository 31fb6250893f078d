"""Two results in numbers, with and without ground truth."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from drawn_maps import draw_maps, standing
from page_results import result_of, session_of

from page.photo.comparison import keypoint_differences, mean_score
from page.photo.comparison_table import comparison_html
from page.photo.ground_truth import (
    AnnotatedPerson,
    GroundTruth,
    coco_oks,
    oks_per_person,
)
from page.report import comparison_report
from pose import Person, UserError
from pose.skeleton import COCO_TO_KEYPOINT, NECK


def person(x: float, y: float, missing: tuple[int, ...] = (), score: float = 0.8) -> Person:
    keypoints = np.column_stack([standing(x, y) * 8, np.full(18, score)]).astype(np.float32)
    keypoints[list(missing)] = np.nan, np.nan, 0
    return Person(keypoints, 1.0)


def entry(of: Person, **changes: object) -> dict:
    points = of.keypoints[list(COCO_TO_KEYPOINT)]
    numbers = [v for x, y, _ in points for v in (float(x), float(y), 2)]
    return {
        "image_id": 3,
        "num_keypoints": 17,
        "keypoints": numbers,
        "bbox": [120, 60, 80, 260],
        "area": 6000.0,
        **changes,
    }


def test_differences_are_of_people_who_are_the_same():
    a = [person(20, 20), person(60, 20, missing=(4,))]
    b = [person(60.25, 20, score=0.6), person(20.5, 20, score=0.4)]
    rows = keypoint_differences(a, b)
    assert [(rows[k].found_a, rows[k].found_b) for k in (0, 4)] == [(2, 2), (1, 2)]
    assert rows[0].distance == pytest.approx((4 + 2) / 2, abs=1e-4)
    assert rows[4].distance == pytest.approx(4, abs=1e-4)
    assert rows[0].score_b == pytest.approx(0.5)
    nobody = keypoint_differences([], b)[0]
    assert (nobody.score_a, nobody.distance) == (None, None)
    assert mean_score(b) == pytest.approx(0.5)
    assert mean_score([]) is None


def test_tables_and_report():
    a = result_of(draw_maps([standing(20, 20)], (40, 40)))
    b = result_of(draw_maps([standing(20.5, 20)], (40, 40)))
    alone, both = session_of(a), session_of(a, b)
    assert "Choose other weights for B" in comparison_html(alone)
    html = comparison_html(both)
    assert "<details>" in html and "A · first" in html and "B · second" in html
    assert html.count('<th scope="row">') == 5 + 18
    assert "OKS" not in html
    assert "오른쪽 어깨" in comparison_html(both, "ko")

    report = comparison_report(both)
    assert set(report) == {"a", "b", "joints"}
    assert report["joints"][0] == {
        "name": "nose",
        "found_a": 1,
        "found_b": 1,
        "score_a": pytest.approx(a.people[0].keypoints[0, 2], abs=1e-4),
        "score_b": pytest.approx(b.people[0].keypoints[0, 2], abs=1e-4),
        "distance": pytest.approx(4, abs=0.5),
    }
    assert set(report["a"]) == {
        "image", "width", "height", "weights", "preset", "seconds", "notes", "people", "mean_score"
    }  # fmt: skip
    assert report["a"]["seconds"] == {"preprocess": 0.1, "network": 1.5, "decode": 0.02}
    assert "joints" not in comparison_report(alone)


def test_oks_of_annotated_people():
    true = [AnnotatedPerson(person(x, 20), 6000.0, np.full(18, 2)) for x in (20, 60)]
    assert coco_oks(person(20, 20), true[0]) == pytest.approx(1, abs=1e-5)
    half = person(20, 20, missing=tuple(COCO_TO_KEYPOINT[:8]))
    assert coco_oks(half, true[0]) == pytest.approx(9 / 17, abs=1e-5)
    found = [person(60.3, 20), person(20, 20)]
    first, second = oks_per_person(found, true)
    assert first == pytest.approx(1, abs=1e-5)
    assert 0.5 < second < 1
    assert oks_per_person([person(20, 20)], true)[1] == 0
    assert oks_per_person([], true) == (0, 0)
    assert oks_per_person(found, []) == ()

    result = result_of(draw_maps([standing(20, 20)], (40, 40)))
    html = comparison_html(replace(session_of(result), ground_truth=tuple(true)))
    assert "OKS, mean" in html and "OKS, annotated person 2" in html


def test_annotations(tmp_path):
    file = tmp_path / "annotations.json"
    images = [{"id": 3, "file_name": "a.jpg"}, {"id": 4, "file_name": "b.jpg"}]
    unlabelled = entry(person(20, 20), image_id=4, keypoints=[0] * 51)
    one = entry(person(20, 20), area=0)
    file.write_text(json.dumps({"images": images, "annotations": [one, unlabelled]}))
    truth = GroundTruth(file)
    (known,) = truth.of("folder/a.jpg")
    assert isinstance(known, AnnotatedPerson)
    assert known.area == pytest.approx(0.53 * 80 * 260)
    shoulders = known.person.keypoints[[2, 5], :2].mean(0)
    np.testing.assert_allclose(known.person.keypoints[NECK, :2], shoulders, atol=1e-3)
    assert truth.of("b.jpg") == ()
    assert truth.of("c.jpg") is None


@pytest.mark.parametrize("text", ["[", '{"images": []}', '{"images": [], "annotations": ["x"]}'])
def test_what_is_no_annotation_file_is_one_line(tmp_path, text):
    file = tmp_path / "annotations.json"
    file.write_text(text)
    with pytest.raises(UserError, match=r"annotations\.json") as error:
        GroundTruth(file)
    assert "\n" not in str(error.value)
    with pytest.raises(UserError, match="cannot be read"):
        GroundTruth(tmp_path / "missing.json")
