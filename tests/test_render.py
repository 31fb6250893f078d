"""Skeletons and field figures, checked by their pixels."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from pose import PoseEstimator, load_image
from pose.errors import UserError
from pose.field_figures import (
    ALL_JOINTS,
    ALL_LIMBS,
    PAF_KINDS,
    heatmap_figure,
    heatmap_range,
    paf_figure,
    paf_range,
)
from pose.figure_parts import MAX_SIDE, MIN_WIDTH, layout_of, new_figure, rendered
from pose.geometry import fit
from pose.render import LEFT, RIGHT, DrawSettings, draw_people, limb_width
from pose.results import FieldMaps, Person
from pose.skeleton import FACE, KEYPOINTS, LIMBS
from pose.tinting import dimmed, hues, strongest, upsample

EXAMPLES = Path(__file__).resolve().parents[1] / "assets" / "examples"
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


@pytest.fixture(scope="module")
def example() -> tuple[np.ndarray, FieldMaps]:
    """A photo with several people and the bundled network's maps of it."""
    image = load_image(EXAMPLES / "four-people.jpg")
    return image, PoseEstimator.from_pretrained("mobilenet-thin")(image).maps


def test_joints_have_openpose_colours_and_limbs_shine_through():
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


def test_black_background_has_full_joints_and_sixty_percent_limbs():
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


def bump(shape: tuple[int, int], x: float, y: float) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 4).astype(np.float32)


@pytest.mark.parametrize("size", [(480, 640), (333, 517), (91, 800)])
def test_upsampling_puts_a_peak_where_the_grid_says(size):
    photo = np.zeros((*size, 3), np.uint8)
    picture, grid = fit(photo, 128)
    cells = picture.shape[0] // 8, picture.shape[1] // 8
    x, y = 0.4 * cells[1] + 0.3, 0.5 * cells[0] - 0.2
    large = upsample(bump(cells, x, y), grid, size)
    assert large.shape == size
    row, column = np.unravel_index(large.argmax(), size)
    expected = grid.to_image(np.array([x, y]))
    assert np.abs(expected - (column, row)).max() < 0.2 * max(grid.scale_x, grid.scale_y)


def test_padding_is_cropped_off():
    photo = np.zeros((100, 130, 3), np.uint8)
    picture, grid = fit(photo, 100)
    field = np.zeros((picture.shape[0] // 8, picture.shape[1] // 8), np.float32)
    rows, columns = grid.used_cells
    assert (rows, columns) == field.shape == (13, 17)
    slope = upsample(field + np.arange(17, dtype=np.float32), grid, photo.shape[:2])
    # 130 pixels end a quarter into the last cell, whose centre, at 16, therefore is not reached.
    assert slope[50, 60] == pytest.approx(60.5 / 8 - 0.5, abs=0.05)
    assert slope[50, -1] == pytest.approx(129.5 / 8 - 0.5, abs=0.05)


def test_strongest_keeps_the_longest_vector():
    _, grid = fit(np.zeros((64, 64, 3), np.uint8), 64)
    pairs = np.zeros((2, 2, 8, 8), np.float32)
    pairs[0, 0, :, :4] = 1
    pairs[1, 1, :, 2:] = -0.5
    x, y = strongest(pairs, grid, (64, 64))
    assert (x[32, 4], y[32, 4]) == pytest.approx((1, 0), abs=1e-6)
    assert (x[32, 60], y[32, 60]) == pytest.approx((0, -0.5), abs=1e-6)


def test_hues_go_round_with_the_clock_from_red_at_the_right():
    right, down, left, up = hues(np.array([[0, np.pi / 2, np.pi, -np.pi / 2]]))[0].astype(int)
    assert right[0] > 240 and right[1:].max() < 20
    assert down[1] > down[0] > down[2]
    assert left[1] > 230 and left[2] > 230 and left[0] < 20
    assert up[2] > up[0] > up[1]


def test_a_photo_between_800_and_2000_pixels_stays_pixel_by_pixel(example):
    image, _ = example
    layout = layout_of(image)
    assert (layout.scale, layout.photo) == (1.0, image.shape[:2])
    figure = rendered(new_figure(layout, image, "title"))
    assert figure.shape == (layout.height, layout.width, 3)
    rows = slice(layout.top, layout.top + image.shape[0])
    columns = slice(layout.left, layout.left + image.shape[1])
    assert (figure[rows, columns] == image).all()


@pytest.mark.parametrize(
    ("size", "photo"),
    [
        ((300, 400), (600, MIN_WIDTH)),
        ((1000, 12000), (167, MAX_SIDE)),
        ((4000, 1000), (MAX_SIDE, 500)),
        ((1, 1), (MIN_WIDTH, MIN_WIDTH)),
        ((2000, 10), (MAX_SIDE, 10)),
    ],
)
def test_small_photos_are_enlarged_and_huge_ones_reduced(size, photo):
    image = np.zeros((*size, 3), np.uint8)
    assert layout_of(image).photo == photo
    _, grid = fit(image, 64)
    picture, _ = fit(image, 64)
    cells = picture.shape[0] // 8, picture.shape[1] // 8
    maps = FieldMaps(np.zeros((19, *cells), np.float32), np.zeros((38, *cells), np.float32), grid)
    for figure in (
        heatmap_figure(image, maps, 0),
        *(paf_figure(image, maps, 0, k) for k in PAF_KINDS),
    ):
        assert figure.shape == (layout_of(image).height, layout_of(image).width, 3)


def test_a_heatmap_shows_where_its_maximum_is(example):
    image, maps = example
    wrist = next(i for i, k in enumerate(KEYPOINTS) if k.name == "left wrist")
    figure = heatmap_figure(image, maps, "left wrist")
    assert (figure == heatmap_figure(image, maps, wrist)).all()
    layout = layout_of(image)
    photo = figure[layout.top :, layout.left :][: image.shape[0], : image.shape[1]]
    difference = np.abs(photo.astype(int) - dimmed(image, layout.photo)).sum(2)
    row, column = np.unravel_index(difference.argmax(), difference.shape)
    field = upsample(maps.heatmaps[wrist], maps.grid, layout.photo)
    assert field[row, column] > 0.8 * field.max()
    assert difference[field < 0.002 * field.max()].max(initial=0) < 60


def test_every_channel_and_kind_makes_a_different_picture(example):
    image, maps = example
    pictures = [heatmap_figure(image, maps, c) for c in (0, 7, 18, ALL_JOINTS)]
    for limb in ("neck – nose", ALL_LIMBS):
        pictures += [paf_figure(image, maps, limb, kind) for kind in PAF_KINDS]
    assert len({p.tobytes() for p in pictures}) == len(pictures)
    assert len({p.shape for p in pictures}) == 1


def test_one_scale_makes_two_maps_comparable(example):
    image, maps = example
    half = FieldMaps(maps.heatmaps / 2, maps.pafs / 2, maps.grid)
    assert heatmap_range(half, 0)[1] == pytest.approx(heatmap_range(maps, 0)[1] / 2)
    assert paf_range(half, ALL_LIMBS)[1] == pytest.approx(paf_range(maps, ALL_LIMBS)[1] / 2)
    layout = layout_of(image)
    photo = np.s_[layout.top : layout.top + image.shape[0], layout.left : layout.left + 900]
    alike = heatmap_figure(image, maps, 0)[photo], heatmap_figure(image, half, 0)[photo]
    assert np.abs(alike[0].astype(int) - alike[1]).max() <= 2
    apart = [heatmap_figure(image, m, 0, vmin=0, vmax=1)[photo] for m in (maps, half)]
    assert np.abs(apart[0].astype(int) - apart[1]).max() > 30


def test_arrows_point_where_the_field_points():
    image = np.zeros((800, 800, 3), np.uint8)
    _, grid = fit(image, 400)
    pafs = np.zeros((38, 50, 50), np.float32)
    pafs[1, 25, 25] = 1.0  # down
    maps = FieldMaps(np.zeros((19, 50, 50), np.float32), pafs, grid)
    layout = layout_of(image)
    figure = paf_figure(image, maps, 0, "arrows")
    photo = figure[layout.top : layout.top + 800, layout.left : layout.left + 800].astype(int)
    rows, columns = np.nonzero(np.abs(photo - photo[0, 0]).sum(2) > 60)
    x, y = grid.to_image(np.array([25, 25]))
    assert np.hypot(columns.mean() - x, rows.mean() - y) < 3
    width_at = [np.ptp(columns[rows == row]) for row in (rows.min() + 3, rows.max() - 6)]
    assert width_at[1] > width_at[0]  # the head is below


def test_figures_made_in_threads_are_the_same(example):
    image, maps = example
    alone = [paf_figure(image, maps, limb, "arrows") for limb in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda limb: paf_figure(image, maps, limb, "arrows"), range(4)))
    assert all((a == b).all() for a, b in zip(alone, together, strict=True))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda i, m: heatmap_figure(i, m, 19), "0 to 18"),
        (lambda i, m: heatmap_figure(i, m, -1), "0 to 18"),
        (lambda i, m: heatmap_figure(i, m, "left thumb"), "left wrist"),
        (lambda i, m: heatmap_figure(i, m, 0, vmin=1, vmax=1), "must rise"),
        (lambda i, m: paf_figure(i, m, 19), "0 to 18"),
        (lambda i, m: paf_figure(i, m, "nose"), "neck – nose"),
        (lambda i, m: paf_figure(i, m, 0, "wheel"), "magnitude, direction, arrows"),
    ],
)
def test_unknown_channels_are_one_clear_line(example, make, words):
    with pytest.raises(UserError, match=words) as caught:
        make(*example)
    assert "\n" not in str(caught.value)


def test_matplotlib_is_loaded_only_when_a_figure_is_made():
    code = "import sys, pose.render, pose.field_figures; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=EXAMPLES.parents[1])
