"""From photo pixels to cells and exactly back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pose.decoding.field_maps import FieldMaps, average_maps, mirror_maps
from pose.geometry import MAX_ASPECT, Grid, fit, padded_size, resized_size
from pose.skeleton import HEATMAP_FLIP

sides = st.integers(1, 3000)


@given(sides, sides, st.sampled_from([276, 368, 460, 644]))
def test_sizes(height, width, short):
    size = resized_size((height, width), short)
    assert min(size) <= short
    assert max(size) <= MAX_ASPECT * short
    if max(height, width) <= MAX_ASPECT * min(height, width):
        assert min(size) == short
        assert size[0] / size[1] == pytest.approx(height / width, rel=0.5 / short + 1e-9)
    padded = padded_size(size)
    assert all(p % 8 == 0 and 0 <= p - s < 8 for p, s in zip(padded, size, strict=True))


@settings(deadline=None, max_examples=50)
@given(
    st.integers(8, 900),
    st.integers(8, 900),
    st.floats(-0.5, 0.5),
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=5),
)
def test_round_trip_is_exact(height, width, shift, fractions):
    _, grid = fit(np.zeros((height, width, 3), np.uint8), 368)
    grid = Grid(grid.scale_x, grid.scale_y, grid.image_size, shift, -shift)
    points = np.array(fractions) * (width - 1, height - 1)
    assert np.abs(grid.to_image(grid.to_cells(points)) - points).max() < 0.01


@pytest.mark.parametrize("size", [(480, 640), (200, 150), (1000, 777)])
def test_a_dot_is_found_where_it_was_drawn(size):
    """The resize, the padding and the grid agree on where a pixel goes."""
    height, width = size
    for x, y in ((width * 0.3, height * 0.7), (width * 0.8, height * 0.2)):
        rows, columns = np.mgrid[:height, :width]
        spot = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * (width / 25) ** 2))
        picture, grid = fit(np.repeat(spot[..., None], 3, 2).astype(np.uint8), 368, (0, 0, 0))
        weight = picture[..., 0].astype(float)
        v, u = np.mgrid[: picture.shape[0], : picture.shape[1]]
        centre = np.array([(u * weight).sum(), (v * weight).sum()]) / weight.sum()
        cells = (centre + 0.5) / 8 - 0.5  # input pixels to cells, both by their centres
        assert np.abs(grid.to_image(cells) - (x, y)).max() < 0.1 * grid.scale_x / 8 + 0.05


def test_padding_keeps_the_border_colour_and_the_photo():
    picture, grid = fit(np.full((100, 129, 3), 7, np.uint8), 64, (1, 2, 3))
    assert picture.shape[0] % 8 == 0 and picture.shape[1] % 8 == 0
    height, width = resized_size((100, 129), 64)
    assert (picture[:height, :width] == 7).all()
    assert (picture[:, width:] == (1, 2, 3)).all()
    assert grid.used_cells == (-(-height // 8), -(-width // 8))


def maps_with_spot(grid, shape, part, point):
    """Maps of a keypoint at a point of the photo."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    x, y = grid.to_cells(np.array(point))
    heatmaps = np.zeros((19, *shape), np.float32)
    heatmaps[part] = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 2)
    pafs = np.zeros((38, *shape), np.float32)
    return FieldMaps(heatmaps, pafs, grid)


def top(maps, part):
    """Centre of mass of a channel, in pixels of the photo."""
    plane = np.clip(maps.heatmaps[part], 0.2, None) - 0.2
    rows, columns = np.mgrid[: plane.shape[0], : plane.shape[1]]
    cells = np.array([(columns * plane).sum(), (rows * plane).sum()]) / plane.sum()
    return maps.grid.to_image(cells)


def test_views_are_averaged_in_the_right_place():
    """Two scales, one mirrored with a known shift, put a joint at the same point of the photo."""
    size, point = (300, 400), (170.3, 120.8)
    views = []
    for cells, shift in ((30, 0.0), (60, 0.06)):
        grid = Grid(400 / cells, 400 / cells, size, shift, shift)
        views.append(maps_with_spot(grid, (cells * 3 // 4, cells), 4, point))
    # The mirrored photo shows a right wrist at the mirrored place, as a left one.
    grid = Grid(8, 8, size, 0.1, 0.0)
    mirrored_part = int(HEATMAP_FLIP[4])
    seen = maps_with_spot(grid, (38, 50), mirrored_part, (399 - point[0], point[1]))
    views.append(mirror_maps(seen))
    averaged = average_maps(views)
    assert averaged.heatmaps.shape[1:] == (45, 60)
    assert np.abs(top(averaged, 4) - point).max() < 0.35
    assert averaged.heatmaps[mirrored_part].max() < 0.01


def test_mirroring_twice_changes_nothing():
    rng = np.random.default_rng(0)
    maps = FieldMaps(
        rng.random((19, 5, 7), np.float32),
        rng.random((38, 5, 7), np.float32),
        Grid(8, 8, (40, 56), 0.1, 0.2),
    )
    again = mirror_maps(mirror_maps(maps))
    assert np.array_equal(again.heatmaps, maps.heatmaps)
    assert np.array_equal(again.pafs, maps.pafs)
    assert again.grid == maps.grid
