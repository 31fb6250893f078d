"""One decode a photo: notes, candidates and people belong to the thresholds of now."""

from __future__ import annotations

import numpy as np
import pytest
from drawn_maps import draw_maps, standing
from page_results import result_of, session_of

from page.models import Models
from page.photo.differences import differences
from page.photo.field_events import nearest_keypoint
from page.photo.how_it_works import step_pictures
from page.photo.pictures import (
    FieldChoice,
    canvas_size,
    draw_black,
    draw_comparison,
    draw_field,
    draw_layer,
)
from page.photo.session import decode_again, start_session, with_second
from page.photo.status import Remarks, status
from page.report import detection_report
from pose import DecodeSettings, FieldMaps, UserError
from pose.drawing import DrawSettings
from pose.drawing.tinting import dimmed
from pose.skeleton import KEYPOINTS


@pytest.fixture(scope="module")
def crowded():
    """Maps with more peaks per keypoint than the decoder keeps."""
    maps = draw_maps([], (80, 80))
    heatmaps = np.zeros_like(maps.heatmaps)
    heatmaps[:, ::4, ::4] = 0.2
    return FieldMaps(heatmaps, maps.pafs, maps.grid)


def test_advice_is_gone_when_the_threshold_was_raised(crowded):
    session = session_of(result_of(crowded))
    assert "Raise the peak threshold" in status(session)
    raised = decode_again(session, DecodeSettings(peak_threshold=0.9))
    assert "Raise the peak threshold" not in status(raised)
    assert "Nobody was found: move" in status(raised)
    assert raised.settings.peak_threshold == 0.9
    assert not raised.network_ran


def test_advice_is_gone_when_the_threshold_was_lowered():
    maps = draw_maps([standing(20, 20)], (40, 40))
    session = session_of(result_of(FieldMaps(maps.heatmaps * 0.5, maps.pafs, maps.grid)))
    raised = decode_again(session, DecodeSettings(peak_threshold=0.8))
    assert "Nobody was found" in status(raised)
    lowered = decode_again(raised, DecodeSettings())
    assert len(lowered.a.result.people) == 1
    assert "Nobody was found" not in status(lowered)


def test_the_api_gives_each_note_once(crowded):
    session = session_of(result_of(crowded, notes=("the preprocessing was guessed",)))
    notes = detection_report(session, session.a)["notes"]
    assert len(notes) == len(set(notes)) >= 2
    assert notes[0] == "the preprocessing was guessed"
    assert "Raise the peak threshold" in " ".join(notes)


def test_the_candidates_that_are_drawn_are_those_of_the_decoder():
    """A wrist below the threshold but above the decoder's own, far from every other keypoint."""
    person = standing(20, 20)
    alone = np.full((18, 2), np.nan)
    alone[4] = 35, 35
    strong, weak = draw_maps([person], (40, 40)), draw_maps([alone], (40, 40))
    heatmaps = np.maximum(strong.heatmaps, 0.15 * weak.heatmaps)
    result = result_of(FieldMaps(heatmaps, strong.pafs, strong.grid), peak_threshold=0.2)
    x, y = (round(v) for v in strong.grid.to_image(np.array([[35.0, 35.0]]))[0])
    _, _, _, candidates, people = step_pictures(result, result.image)
    assert tuple(candidates[y, x]) == KEYPOINTS[4].color
    np.testing.assert_array_equal(people[y, x], result.image[y, x])
    grey = dimmed(result.image, result.image_size)
    for position in strong.grid.to_image(result.candidates.peaks.positions):
        x, y = (round(float(v)) for v in position)
        assert (candidates[y, x] != grey[y, x]).any()


def test_only_the_stage_viewer_gets_all_stages(tmp_path):
    models = Models("cpu", tmp_path)
    photo = np.full((96, 96, 3), 127, np.uint8)
    settings = DecodeSettings(peak_threshold=0.3)
    how = (photo, "a.jpg", ("mobilenet-thin", ""), "fast", settings)
    plain = start_session(models, *how, same_twice=True)
    assert plain.a.result.stages == ()
    assert plain.b == plain.a
    assert plain.settings == settings
    assert len(start_session(models, *how, stages=True).a.result.stages) == 6
    with pytest.raises(UserError, match="no weights were named"):
        start_session(models, photo, "a.jpg", ("", ""), "fast", settings)


def test_the_keypoint_nearest_to_a_click():
    session = session_of(result_of(draw_maps([standing(20, 20)], (40, 40))))
    x, y, _ = session.a.result.people[0].keypoints[7]
    place = round((x + 3) * session.scale), round(y * session.scale)
    assert nearest_keypoint(session, session.a, place) == 7
    nobody = session_of(result_of(draw_maps([], (40, 40))))
    assert nearest_keypoint(nobody, nobody.a, (5, 5)) is None


def test_b_is_run_as_a_was(tmp_path):
    models = Models("cpu", tmp_path)
    photo = np.full((96, 96, 3), 127, np.uint8)
    how = ("fast", DecodeSettings(min_parts=9))
    session = start_session(models, photo, "a.jpg", ("mobilenet-thin", ""), *how, stages=True)
    both = with_second(models, session, "custom")
    assert (both.a, both.b.key, both.b.result.settings.min_parts) == (session.a, "custom", 9)
    with pytest.raises(UserError, match="no weights are called"):
        with_second(models, session, "nothing")


def test_fields_of_both_sides_have_one_colour_scale():
    strong = draw_maps([standing(20, 20)], (40, 40))
    weak = FieldMaps(strong.heatmaps / 2, strong.pafs / 2, strong.grid)
    session = session_of(result_of(strong), result_of(weak))
    choice = FieldChoice("heatmap", "nose", 6)
    a, b = (draw_layer(session, side, choice, 1.0) for side in session.sides)
    assert a.high == b.high
    assert a.picture.shape == b.picture.shape == session.shown.shape
    assert a.picture.max() > b.picture.max()
    photo_alone = draw_layer(session, session.a, choice, 0.0).picture
    np.testing.assert_array_equal(photo_alone, session.shown)
    for wrong in (("heat", "nose", 6), ("heatmap", "nose", 7)):
        with pytest.raises(UserError):
            FieldChoice(*wrong)
    with pytest.raises(UserError, match="no keypoint is called"):
        draw_field(session.sides, session.a, FieldChoice("heatmap", "thumb", 6))


def test_the_black_picture_has_the_sides_that_controlnet_takes():
    assert canvas_size((720, 1860), 512) == (512, 1344)
    assert canvas_size((4000, 3000), 768) == (1024, 768)
    assert canvas_size((333, 517), 0) == (333, 517)
    session = session_of(result_of(draw_maps([standing(20, 20)], (40, 40))))
    picture = draw_black(session.a, 512)
    assert picture.shape == (512, 512, 3)
    size = np.array(picture.shape[1::-1]) / np.array(session.photo.shape[1::-1])
    x, y = (session.a.result.people[0].keypoints[4, :2] + 0.5) * size - 0.5
    assert tuple(picture[round(y), round(x)]) == KEYPOINTS[4].color
    assert np.median(picture) == 0


def test_the_keypoints_that_differ():
    a = result_of(draw_maps([standing(20, 20)], (40, 60)))
    assert differences(a.people, a.people) == []
    moved = standing(20, 20)
    moved[4] += 8, 0
    moved[7] = np.nan
    b = result_of(draw_maps([moved], (40, 60)))
    found = {d.keypoint: d for d in differences(a.people, b.people)}
    assert found[7].b is None and found[7].a is not None
    assert 4 in found and 10 not in found
    assert len(differences(a.people, [])) == a.people[0].found.sum()
    session = session_of(a, b)
    pictures = [
        draw_comparison(session, mode, DrawSettings()) for mode in ("columns", "differences")
    ]
    height, width = session.shown.shape[:2]
    assert [p.shape[:2] for p in pictures] == [(height, 2 * width + 8), (height, width)]


def test_the_line_says_what_is_to_do():
    session = session_of(result_of(draw_maps([standing(20, 20)], (40, 40))))
    assert "Earlier settings" not in status(session)
    remarks = Remarks(stale=True, same_twice=True, problem="A.jpg is no <photo>")
    text = status(session, remarks=remarks)
    assert "1 person" in text and "Earlier settings" in text and "the same weights" in text
    assert '<span class="problem">A.jpg is no &lt;photo&gt;</span>' in text
    assert "person" not in status(None, remarks=Remarks(problem="no"))
