"""Heatmap and PAF figures, checked by their pixels."""

import gc
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from places import COLLAGE, EXAMPLES

from pose import PoseEstimator, load_image
from pose.decoding.field_maps import FieldMaps
from pose.drawing.fields import heatmap_figure, paf_figure
from pose.drawing.figure import MAX_SIDE, MIN_WIDTH, layout_of, new_figure, rendered
from pose.drawing.layers import (
    ALL_KEYPOINTS,
    ALL_LIMBS,
    PAF_KINDS,
    heatmap_layer,
    heatmap_range,
    paf_range,
)
from pose.drawing.tinting import dimmed, hues, strongest, upsample
from pose.errors import UserError
from pose.geometry import fit
from pose.skeleton import KEYPOINTS


@pytest.fixture(scope="module")
def example() -> tuple[np.ndarray, FieldMaps]:
    """A photo with several people and the bundled network's maps of it."""
    image = load_image(COLLAGE)
    return image, PoseEstimator.from_pretrained("mobilenet-thin")(image).maps


def bump(shape: tuple[int, int], x: float, y: float) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 4).astype(np.float32)


def test_figures_are_freed_at_once(example):
    """Each holds the pixels of its canvas, and a page draws many."""
    from matplotlib.figure import Figure

    def figures() -> int:
        return sum(type(thing) is Figure for thing in gc.get_objects())

    gc.collect()
    before = figures()
    for _ in range(3):
        heatmap_figure(*example, ALL_KEYPOINTS)
        paf_figure(*example, ALL_LIMBS, "direction")
    assert figures() == before
    assert gc.isenabled()


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
    assert slope[50, -1] == pytest.approx(129.5 / 8 - 0.5, abs=0.1)


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
    figure = rendered(new_figure(layout, "title"), layout, image)
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
    pictures = [heatmap_figure(image, maps, c) for c in (0, 7, 18, ALL_KEYPOINTS)]
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
    code = "import sys, pose.drawing; sys.exit('matplotlib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=EXAMPLES.parents[1])


def test_a_layer_lets_the_photo_through(example):
    image, maps = example
    high = heatmap_range(maps, 0)[1]
    assert (heatmap_layer(image, maps, 0, high, 0.0) == image).all()
    layout = layout_of(image)
    inside = heatmap_figure(image, maps, 0)[layout.photo_window]
    assert (heatmap_layer(image, maps, 0, high, 1.0) == inside).all()
    half = heatmap_layer(image, maps, 0, high, 0.5).astype(int)
    assert 0 < np.abs(half - image).mean() < np.abs(inside.astype(int) - image).mean()
