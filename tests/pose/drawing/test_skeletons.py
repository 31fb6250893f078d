"""Skeletons over photos, checked by their pixels."""

import numpy as np
import pytest

from pose.drawing.settings import CONTROLNET, DrawSettings
from pose.drawing.skeletons import LEFT, RIGHT, draw_people
from pose.drawing.widths import limb_width
from pose.errors import UserError
from pose.person import Person
from pose.skeleton import FACE, KEYPOINTS, LIMBS

GREY = np.full((300, 400, 3), 128, np.uint8)


def standing(x: float = 200, y: float = 50, size: float = 200, score: float = 1.0) -> Person:
    """Somebody seen from the front, `size` pixels from nose to ankles."""
    # fmt: off
    shares = [
        (0, 0), (0, .12), (-.1, .12), (-.14, .3), (-.15, .45), (.1, .12), (.14, .3), (.15, .45),
        (-.06, .45), (-.07, .7), (-.07, 1), (.06, .45), (.07, .7), (.07, 1),
        (-.02, -.02), (.02, -.02), (-.04, -.01), (.04, -.01),
    ]
    # fmt: on
    points = np.array(shares, np.float32) * size + (x, y)
    return Person(np.concatenate([points, np.ones((18, 1), np.float32)], 1), score)


def without(person: Person, *missing: int) -> Person:
    keypoints = person.keypoints.copy()
    keypoints[list(missing)] = (np.nan, np.nan, 0)
    return Person(keypoints, person.score)


def pixel(picture: np.ndarray, point: np.ndarray) -> tuple[int, ...]:
    x, y = np.round(point[:2]).astype(int)
    return tuple(int(v) for v in picture[y, x])


def changed(picture: np.ndarray, photo: np.ndarray = GREY) -> np.ndarray:
    return (picture != photo).any(2)


def test_keypoints_have_openpose_colours_and_limbs_shine_through():
    person = standing()
    picture = draw_people(GREY, [person])
    assert picture.shape == GREY.shape and picture.dtype == np.uint8
    for keypoint, point in list(zip(KEYPOINTS, person.keypoints, strict=True))[2:14]:
        assert pixel(picture, point) == keypoint.color
    for limb in LIMBS[:6]:
        middle = (person.keypoints[limb.start] + person.keypoints[limb.end]) / 2
        expected = 0.8 * np.array(limb.color) + 0.2 * 128
        assert np.abs(np.array(pixel(picture, middle)) - expected).max() <= 2


def test_shoulder_ear_limbs_are_not_drawn():
    only = without(standing(), *(set(range(18)) - {2, 16}))
    picture = draw_people(GREY, [only])
    middle = (only.keypoints[2] + only.keypoints[16]) / 2
    assert pixel(picture, middle) == (128, 128, 128)


def test_the_photo_given_is_left_alone_and_nobody_changes_nothing():
    photo = GREY.copy()
    photo.flags.writeable = False
    picture = draw_people(photo, [])
    assert (picture == GREY).all()
    assert picture.flags.writeable and not np.shares_memory(picture, photo)
    draw_people(photo, [standing()], DrawSettings(ids=True, boxes=True))
    assert (photo == GREY).all()


def test_missing_keypoints_leave_no_mark():
    person = without(standing(), *range(18))
    assert not changed(draw_people(GREY, [person], DrawSettings(ids=True, boxes=True))).any()
    half = without(standing(), 0, 14, 15, 16, 17)
    assert not changed(draw_people(GREY, [half]))[:60].any()
    broken = standing()
    broken.keypoints[4, :2] = np.nan  # a score without a place
    assert (draw_people(GREY, [broken]) == draw_people(GREY, [without(standing(), 4)])).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (2, 3), (3000, 12000)])
@pytest.mark.parametrize("settings", [DrawSettings(), DrawSettings(ids=True, boxes=True, dim=0.5)])
def test_any_size_of_photo(size, settings):
    photo = np.full((*size, 3), 90, np.uint8)
    people = [standing(size[1] / 2, size[0] / 4, size[0] / 2), standing(-5e6, 3e6, 1e7)]
    assert draw_people(photo, people, settings).shape == photo.shape


def test_people_outside_the_photo_leave_it_alone():
    assert not changed(draw_people(GREY, [standing(5000, 5000), standing(-900, -900)])).any()


def test_lines_follow_each_persons_size():
    widths = [limb_width(standing(size=size), (2000, 2000)) for size in (300, 600, 1200)]
    assert widths[1] == pytest.approx(2 * widths[0])
    assert widths[2] == pytest.approx(2 * widths[1])
    seated = without(standing(size=600), *range(8, 14))
    assert limb_width(seated, (2000, 2000)) > 0.6 * widths[1]


def test_drawing_is_sub_pixel_and_antialiased():
    first, second = (draw_people(GREY, [standing(200 + x)]) for x in (0.0, 0.5))
    assert changed(first, second).any()
    assert len(np.unique(first.reshape(-1, 3), axis=0)) > 100


def test_a_shift_of_the_person_shifts_the_picture():
    here = draw_people(GREY, [standing(180)])
    there = draw_people(GREY, [standing(190)])
    assert (here[:, 100:280] == there[:, 110:290]).all()


def test_face_can_be_hidden_but_not_the_nose():
    person = standing(size=240)
    picture = draw_people(GREY, [person], DrawSettings(face=False))
    assert pixel(picture, person.keypoints[0]) == KEYPOINTS[0].color
    bare = without(person, *FACE[1:])
    assert changed(picture).sum() < changed(draw_people(GREY, [person])).sum()
    assert (changed(picture) == changed(draw_people(GREY, [bare]))).all()


def test_black_background_has_full_keypoints_and_sixty_percent_limbs():
    person = standing()
    picture = draw_people(GREY, [person], DrawSettings(black=True))
    assert pixel(picture, person.keypoints[9]) == KEYPOINTS[9].color
    middle = (person.keypoints[8] + person.keypoints[9]) / 2
    assert np.abs(np.array(pixel(picture, middle)) - 0.6 * np.array(LIMBS[1].color)).max() <= 2
    assert (picture[:, :100] == 0).all()


def test_dimming_darkens_the_photo_only():
    person = standing()
    picture = draw_people(GREY, [person], DrawSettings(dim=0.75))
    assert pixel(picture, np.array([5, 5])) == (32, 32, 32)
    assert pixel(picture, person.keypoints[9]) == KEYPOINTS[9].color


def test_sides_are_told_apart_by_colour():
    person = standing()
    picture = draw_people(GREY, [person], DrawSettings(palette="sides"))
    for keypoint, point in zip(KEYPOINTS[2:14], person.keypoints[2:14], strict=True):
        expected = LEFT if keypoint.name.startswith("left") else RIGHT
        assert pixel(picture, point) == expected


def test_highlight_fades_the_others():
    people = [standing(100), standing(300)]
    picture = draw_people(GREY, people, DrawSettings(highlight=1))
    plain = draw_people(GREY, people)
    assert (picture[:, 200:] == plain[:, 200:]).all()
    faded = np.abs(picture[:, :200].astype(int) - 128).sum()
    assert 0 < faded < 0.4 * np.abs(plain[:, :200].astype(int) - 128).sum()
    assert (draw_people(GREY, people, DrawSettings(highlight=9)) == plain).all()


def test_the_best_person_lies_on_top():
    best, other = standing(200), standing(206)
    picture = draw_people(GREY, [best, other])
    assert pixel(picture, best.keypoints[9]) == KEYPOINTS[9].color


def test_boxes_and_numbers_are_drawn_around_the_person():
    person = standing()
    plain = draw_people(GREY, [person])
    boxed = changed(draw_people(GREY, [person], DrawSettings(boxes=True)), plain)
    x, y, width, height = person.box
    rows, columns = np.nonzero(boxed)
    assert rows.min() < y and rows.max() > y + height
    assert columns.min() < x and columns.max() > x + width
    one, seven = (
        draw_people(GREY, [person], DrawSettings(ids=True), ids=ids) for ids in (None, [7])
    )
    assert changed(one, plain).any() and changed(one, seven).any()


def test_unusable_settings_are_one_clear_line():
    with pytest.raises(UserError, match="openpose, sides"):
        DrawSettings(palette="rainbow")
    with pytest.raises(UserError, match="between 0 and 1"):
        DrawSettings(dim=2)


def test_unsure_limbs_are_thinner_and_fainter():
    sure = standing()
    unsure = Person(sure.keypoints.copy(), 1.0)
    unsure.keypoints[:, 2] = 0.05
    settings = DrawSettings(confidence=True)
    assert (draw_people(GREY, [sure], settings) == draw_people(GREY, [sure])).all()
    strong, weak = draw_people(GREY, [sure], settings), draw_people(GREY, [unsure], settings)
    middle = (sure.keypoints[2] + sure.keypoints[3]) / 2
    contrast = [np.abs(np.array(pixel(p, middle)) - 128).sum() for p in (strong, weak)]
    assert 0 < contrast[1] < 0.6 * contrast[0]
    assert changed(weak).sum() < 0.7 * changed(strong).sum()


def test_the_median_person_sets_the_width_for_all():
    giant = standing(size=600)
    people = [standing(100, size=150), standing(200, size=160), giant]
    each, alike = (
        draw_people(GREY, people, DrawSettings(width=width)) for width in ("person", "median")
    )
    assert changed(alike).sum() < changed(each).sum()
    alone = draw_people(GREY, [giant], DrawSettings(width="median"))
    assert (alone == draw_people(GREY, [giant])).all()
    with pytest.raises(UserError, match="no width is called"):
        DrawSettings(width="wide")


def test_controlnets_limbs_have_its_width_at_any_size():
    person = standing(256, 50, 400)
    for scale in (1, 2):
        enlarged = Person(person.keypoints.copy(), 1.0)
        enlarged.keypoints[:, :2] *= scale
        picture = draw_people(
            np.zeros((512 * scale, 512 * scale, 3), np.uint8), [enlarged], CONTROLNET
        )
        neck, hip = enlarged.keypoints[1, :2], enlarged.keypoints[8, :2]
        x, y = np.round((neck + hip) / 2).astype(int)
        across = (picture[y, x - 10 * scale : x + 10 * scale].max(1) > 100).sum()
        assert across == pytest.approx(8 * scale, abs=1.5 * scale)
        assert pixel(picture, enlarged.keypoints[4]) == KEYPOINTS[4].color
