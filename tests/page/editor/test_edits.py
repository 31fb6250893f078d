"""People to the editor and back, and what the browser must not send."""

from __future__ import annotations

import json

import numpy as np
import pytest
from drawn_maps import draw_maps, standing
from drawn_people import person_at
from page_results import result_of, session_of

from page.editor.edits import people_json, read_people
from page.editor.value import corrected, editor_value
from page.photo.session import correct, decode_again
from pose import UserError
from pose.coco_annotations import HIDDEN, VISIBLE, LabelledPerson
from pose.skeleton import L_SHOULDER, NECK, R_SHOULDER

SIZE = (320, 320)


def sent(people: list[LabelledPerson]) -> list:
    """As the browser sends them back."""
    return json.loads(json.dumps(people_json(people), allow_nan=False))


def test_there_and_back_nobody_changes():
    people = [LabelledPerson.of(person_at(10, 10)), LabelledPerson.of(person_at(150, 90))]
    people[0].labels[3] = HIDDEN
    people[1].person.keypoints[5] = (np.nan, np.nan, 0)
    people[1].labels[5] = 0
    for before, after in zip(people, read_people(sent(people), SIZE), strict=True):
        np.testing.assert_allclose(
            after.person.keypoints, before.person.keypoints, atol=0.006, equal_nan=True
        )
        np.testing.assert_array_equal(after.labels, before.labels)
        assert after.person.score == before.person.score


def test_the_neck_follows_the_shoulders_of_somebody_edited():
    entries = sent([LabelledPerson.of(person_at(10, 10))])
    points = entries[0]["points"]
    points[R_SHOULDER], points[L_SHOULDER] = [100, 50, 1, VISIBLE], [140, 60, 1, HIDDEN]
    (untouched,) = read_people(entries, SIZE)
    assert tuple(untouched.person.keypoints[NECK, :2]) != (120, 55)
    entries[0]["edited"] = True
    (edited,) = read_people(entries, SIZE)
    assert tuple(edited.person.keypoints[NECK, :2]) == (120, 55)
    assert edited.labels[NECK] == HIDDEN
    points[L_SHOULDER] = None
    (one_shoulder,) = read_people(entries, SIZE)
    assert tuple(one_shoulder.person.keypoints[NECK]) == pytest.approx(points[NECK][:3])


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ([400, 10, 1, 2], "right wrist of 1 is outside the photo"),
        ([-3, 10, 1, 2], "outside the photo"),
        ([float("nan"), 10, 1, 2], "outside the photo"),
        ([10, 10, 1, 7], "neither hidden nor visible"),
        ([10, 10], "is no keypoint"),
        ("here", "is no keypoint"),
    ],
)
def test_a_bad_keypoint_is_one_line(point, message):
    entries = sent([LabelledPerson.of(person_at(10, 10))])
    entries[0]["points"][4] = point
    with pytest.raises(UserError, match=message):
        read_people(entries, SIZE)


@pytest.mark.parametrize("entries", [None, "x", [3], [{"points": [None]}], [{}] * 501])
def test_what_are_no_people_is_one_line(entries):
    with pytest.raises(UserError):
        read_people(entries, SIZE)


def test_a_session_follows_the_editor_and_returns(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    session = session_of(result_of(draw_maps([standing(12, 20), standing(30, 20)], (40, 40))))
    value = editor_value(session, "ko")
    assert value["texts"]["names"][0] == "코"
    assert corrected(session, {**value, "key": "of another photo"}) is None

    value["people"][1]["points"][4] = [17.25, 30, 1, HIDDEN]
    value["people"][1]["edited"] = True
    del value["people"][0]
    changed = corrected(session, value)
    (person,) = changed.a.result.people
    assert tuple(person.keypoints[4, :2]) == (17.25, 30)
    assert changed.correction[0].labels[4] == HIDDEN
    assert changed.a.result.to_openpose()["people"][0]["pose_keypoints_2d"][12:14] == [17.25, 30]
    assert len(editor_value(changed, "en")["network"]) == 2
    later = corrected(changed, {**value, "edits": 3})
    assert editor_value(later, "en")["edits"] == 3

    moved = decode_again(changed, changed.settings.changed(peak_threshold=0.2))
    assert moved.settings.peak_threshold == 0.2
    assert moved.a.result.people[0] is person
    again = correct(moved, tuple(map(LabelledPerson.of, moved.found)))
    assert again.correction is None
    assert len(again.a.result.people) == 2
