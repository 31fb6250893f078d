"""The warp of image, keypoints and mask against each other and against known places."""

from __future__ import annotations

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image
from splits import read_split

from pose.skeleton import HEATMAP_FLIP
from train.data import augment
from train.data.annotations import AnnotatedImage, AnnotatedPerson, Crop, Region
from train.data.augment import draw_warp, from_resized, warp_encoded, warp_keypoints
from train.data.coco_person import box_region
from train.data.masks import ignore_mask

CROP = 368


def make_warp(*arguments, **options):
    return augment.make_warp(CROP, *arguments, **options)


def labels_of(size=(300, 400), people=(), crowds=()):
    """An image with regions of people and crowds, without keypoints."""
    nobody = np.array([(np.nan, np.nan, 0)] * 17)
    everyone = [AnnotatedPerson(nobody, (0, 0, 1, 1), 1, r, False) for r in people]
    everyone += [AnnotatedPerson(nobody, (0, 0, 1, 1), 1, r, True) for r in crowds]
    return AnnotatedImage(1, frozenset(), "x.jpg", None, size, tuple(everyone))


def dot_image(x, y, size=(300, 400), radius=8, ending=".png"):
    """A soft white dot with a known centre."""
    yy, xx = np.mgrid[: size[0], : size[1]]
    blob = 255 * np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / (2 * radius**2))
    quality = [cv2.IMWRITE_JPEG_QUALITY, 100] if ending == ".jpg" else []
    return cv2.imencode(ending, np.repeat(blob.astype(np.uint8)[..., None], 3, 2), quality)[
        1
    ].tobytes()


@pytest.mark.parametrize("ending", [".png", ".jpg"])
@pytest.mark.parametrize("scale", [0.13, 0.26, 0.4, 0.5, 0.8, 1.7])
@pytest.mark.parametrize("flipped", [False, True])
def test_image_and_keypoints_move_together(scale, flipped, ending):
    place, size = (250.0, 180.0), (300, 400)
    radius = max(8, 3 / scale)
    warp = make_warp((200, 150), scale, 25, (12, -7), flipped)
    point = np.full((1, 18, 3), np.nan)
    point[0, 0] = (*place, 2)
    expected = warp_keypoints(point, warp)[0, 0, :2]
    crop = warp_encoded(dot_image(*place, size, radius, ending), warp, size).astype(float)[..., 0]
    crop[(crop == 128) | (crop < 40)] = 0  # border, faint tail
    near = np.abs(np.mgrid[:CROP, :CROP] - expected[::-1, None, None]).max(0) < 3 * radius * scale
    weight = crop * near
    yy, xx = np.mgrid[:CROP, :CROP]
    found = np.array([(weight * xx).sum(), (weight * yy).sum()]) / weight.sum()
    np.testing.assert_allclose(found, expected, atol=0.15)


def test_scale_rotation_shift_and_flip_do_what_they_say():
    points = np.full((1, 18, 3), np.nan)
    points[0, :2] = [(100, 50, 2), (110, 50, 2)]
    middle = (CROP - 1) / 2
    plain = warp_keypoints(points, make_warp((100, 50), 2))[0]
    assert plain[0, :2] == pytest.approx((middle, middle))
    assert plain[1, :2] == pytest.approx((middle + 20, middle))
    turned = warp_keypoints(points, make_warp((100, 50), 1, 90))[0]
    assert turned[1, :2] == pytest.approx((middle, middle + 10))
    moved = warp_keypoints(points, make_warp((100, 50), 1, 0, (30, -5)))[0]
    assert moved[0, :2] == pytest.approx((middle - 30, middle + 5))
    mirrored = warp_keypoints(points, make_warp((100, 50), 1, 0, (30, -5), True))[0]
    assert mirrored[HEATMAP_FLIP[0], :2] == pytest.approx((middle + 30, middle + 5))


def test_left_and_right_change_places_on_a_flip_only():
    points = np.full((1, 18, 3), np.nan)
    points[0, 2] = (10, 10, 2)
    assert np.isfinite(warp_keypoints(points, make_warp((0, 0), 1))[0, 2, 0])
    mirrored = warp_keypoints(points, make_warp((0, 0), 1, flipped=True))[0]
    assert np.isnan(mirrored[2, 0]) and np.isfinite(mirrored[5, 0])


def test_reduced_coordinates():
    warp = make_warp((20, 30), 0.3, 17, (3, 4))
    full = np.array([101.0, 57.0])
    reduced = (full + 0.5) / 4 - 0.5
    small = from_resized(warp.matrix, 4)
    np.testing.assert_allclose(
        small[:, :2] @ reduced + small[:, 2], warp.matrix[:, :2] @ full + warp.matrix[:, 2]
    )


def test_borders_are_grey_in_the_image_and_valid_in_the_mask():
    white = cv2.imencode(".png", np.full((50, 50, 3), 255, np.uint8))[1].tobytes()
    warp = make_warp((25, 25), 1)
    crop = warp_encoded(white, warp, (50, 50))
    assert (crop[0, 0] == 128).all() and (crop[184, 184] == 255).all()
    mask = ignore_mask(labels_of((50, 50), [box_region((0, 0, 50, 50))]), warp.matrix, 46, 8)
    assert mask[0, 0] == 255 and mask[23, 23] == 0


def test_mask_cells_are_where_the_pixels_are():
    warp = make_warp((183.5, 183.5), 1)  # crop pixels are image pixels
    region = box_region((80, 160, 40, 24))
    mask = ignore_mask(labels_of((368, 368), [region]), warp.matrix, 46, 8)
    assert (mask[20:23, 10:15] == 0).all()
    outside = np.ones_like(mask, bool)
    outside[19:24, 9:16] = False
    assert (mask[outside] == 255).all()


def test_single_people_are_not_part_of_a_crowd():
    rle = {"size": [368, 368], "counts": [0, 368 * 368]}
    labels = labels_of((368, 368), crowds=[Region(rle=rle)])
    points = np.array([(100.0, 100, 2)] * 17)
    person = AnnotatedPerson(points, (80, 80, 80, 80), 6400, box_region((80, 80, 80, 80)))
    labels = replace(labels, people=(*labels.people, person))
    mask = ignore_mask(labels, make_warp((183.5, 183.5), 1).matrix, 46, 8)
    assert (mask[12:18, 12:18] == 255).all() and (mask[30:40, 30:40] == 0).all()


def test_a_crowd_of_another_resolution_covers_the_same_part():
    counts = [46 * 92, 46 * 92]  # the right half, column by column
    rle = {"size": [92, 92], "counts": counts}
    labels = labels_of((368, 368), crowds=[Region(rle=rle)])
    mask = ignore_mask(labels, make_warp((183.5, 183.5), 1).matrix, 46, 8)
    assert (mask[:, :23] == 255).all() and (mask[:, 23:] == 0).all()


def test_mask_agrees_with_pycocotools(coco_dir):
    """A crowd of the real slice, drawn at full size by pycocotools and warped plainly."""
    from pycocotools import mask as coco_mask

    data = read_split(coco_dir)
    labels = next(i for i in data.images if i.crowds and i.crowds[0].rle)
    size = labels.size

    def full(regions):
        canvas = np.zeros(size, np.uint8)
        for region in regions:
            parts = (
                [region.rle]
                if region.rle
                else [(p + 0.5).ravel().tolist() for p in region.polygons]
            )
            for encoded in coco_mask.frPyObjects(parts, *size):
                canvas |= coco_mask.decode(encoded)
        return canvas

    ignored = (full(labels.crowds) & ~full(labels.single_people) | full(labels.unlabelled)).astype(
        float
    )
    warp = make_warp((size[1] / 2, size[0] / 2), 0.6, 20, flipped=True)
    plain = cv2.warpAffine(ignored, warp.matrix, (CROP, CROP), flags=cv2.INTER_NEAREST)
    plain = plain.reshape(46, 8, 46, 8).mean((1, 3))
    drawn = 1 - ignore_mask(labels, warp.matrix, 46, 8) / 255
    assert plain.sum() > 10
    assert np.abs(plain - drawn).mean() < 0.01


def test_warps_follow_the_published_ranges(settings):
    person = Crop((200.0, 150.0), 100.0)
    rng = np.random.default_rng(0)
    published = settings(whole_image=0)
    warps = [draw_warp(rng, labels_of(), person, published) for _ in range(400)]
    scales = np.array([w.scale for w in warps]) * 100 / (0.6 * CROP)
    assert 0.5 <= scales.min() < 0.52 and 1.08 < scales.max() <= 1.1
    assert 0.4 < np.mean([w.flipped for w in warps]) < 0.6
    angles = []
    for warp in warps:
        sign = -1 if warp.flipped else 1
        angles.append(np.degrees(np.arctan2(warp.matrix[1, 0], sign * warp.matrix[0, 0])))
        centre = warp.matrix @ (200, 150, 1)
        assert np.abs(centre - (CROP - 1) / 2).max() <= 40
    assert -40 <= min(angles) < -38 and 38 < max(angles) <= 40


def test_whole_image_crops_stay_on_the_photo(settings):
    rng = np.random.default_rng(0)
    cheap = settings(whole_image=1.0, shift=0, rotation=0, flip=0)
    person = Crop((10.0, 10.0), 20.0)
    for _ in range(50):
        warp = draw_warp(rng, labels_of(), person, cheap)
        assert 0.75 <= warp.scale * 300 / CROP <= 1.25
        left = -warp.matrix[0, 2] / warp.scale
        assert left >= -0.51 and left + CROP / warp.scale <= 400.51


def test_kinds_that_opencv_cannot_read_are_read_as_in_evaluation():
    pixels = np.random.default_rng(0).integers(0, 255, (50, 60), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "GIF")
    warp = make_warp((29.5, 24.5), 1)
    crop = warp_encoded(file.getvalue(), warp, (50, 60))
    assert (crop[159:209, 154:214, 0] == pixels).all()


@pytest.mark.parametrize("cut", [0, 2, 500, -400])
def test_broken_images_are_refused(coco_dir, cut):
    whole = (coco_dir / "train2017" / "000000000036.jpg").read_bytes()
    warp = make_warp((100, 100), 0.5)
    warp_encoded(whole, warp, (640, 481))
    with pytest.raises(ValueError):
        warp_encoded(whole[:cut], warp, (640, 481))
    with pytest.raises(ValueError, match="size"):
        warp_encoded(whole, warp, (480, 640))
