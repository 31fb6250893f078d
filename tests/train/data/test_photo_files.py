"""Photos by their annotated names, turned and resized ones, and nothing outside their folder."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from drawn_annotations import same_people
from PIL import Image

from pose.errors import UserError
from train.data.photo_files import PhotoFolder, read_photo, turn
from train.data.read import find_source
from train.data.samples import training_data


@pytest.mark.parametrize(
    "prefix", ["cam0\\", "images\\", "images/", "train2017/", "/home/someone/", "C:\\x\\", "../../"]
)
def test_a_name_with_folders_that_are_not_there(drawn, plain, prefix):
    for image in drawn.images:
        image["file_name"] = prefix + image["file_name"]
    assert same_people(drawn.read(), plain)


def test_folders_that_are_there_come_first(drawn):
    (drawn.photos / "cam0").mkdir()
    shutil.move(drawn.photos / "a.jpg", drawn.photos / "cam0/a.jpg")
    shutil.copy(drawn.photos / "cam0/a.jpg", drawn.photos / "a.jpg")
    drawn.images[0]["file_name"] = "cam0\\a.jpg"
    assert drawn.read().images[0].path == drawn.photos / "cam0/a.jpg"


def test_capitals_and_releases_of_coco(drawn):
    (drawn.photos / "b.jpg").rename(drawn.photos / "COCO_val2014_000000000139.jpg")
    folder = PhotoFolder(drawn.photos)
    assert folder.find("x/A.JPG") == drawn.photos / "a.jpg"
    assert folder.find("000000000139.jpg") == drawn.photos / "COCO_val2014_000000000139.jpg"
    assert folder.find("000000000140.jpg") is None
    (drawn.photos / "c.jpg").rename(drawn.photos / "e\u0301.jpg")  # as macOS spells é
    assert PhotoFolder(drawn.photos).find("\u00e9.jpg") is not None


def test_two_images_must_not_share_a_photo(drawn):
    drawn.images[0]["file_name"] = "cam0/a.jpg"
    drawn.images[1]["file_name"] = "cam1/a.jpg"
    with pytest.raises(UserError, match=r"cam0/a\.jpg and cam1/a\.jpg are both"):
        drawn.read()


def test_nothing_outside_the_folder(drawn):
    shutil.copy(drawn.photos / "a.jpg", drawn.folder / "outside.jpg")
    folder = PhotoFolder(drawn.photos)
    for name in ("../outside.jpg", str(drawn.folder / "outside.jpg"), "x/../../outside.jpg"):
        assert folder.find(name) is None
    assert folder.find("a.jpg") == drawn.photos / "a.jpg"


def test_missing_photos_are_named(drawn):
    (drawn.photos / "b.jpg").unlink()
    read = drawn.read()
    assert [i.path is None for i in read.images] == [False, True, False]
    assert training_data(read).notes == ("1 images have no photo: b.jpg.",)
    shutil.rmtree(drawn.photos)
    with pytest.raises(UserError, match="There is no folder"):
        drawn.read()
    assert find_source(drawn.folder, "train2017").read(photos=False).images


# Stored on its head or mirrored, a photo has the annotated size either way: it counts as shown.
@pytest.mark.parametrize(
    ("orientation", "as_shown"),
    [*((o, True) for o in range(1, 9)), *((o, False) for o in (5, 6, 7, 8))],
)
def test_labels_follow_the_way_up_they_fit(drawn, plain, orientation, as_shown):
    """The photos as shown are those of `plain`, or their stored pixels are."""
    expected = []
    for image in plain.images:
        shown = np.asarray(Image.open(image.path))
        undone = turn(shown, {6: 8, 8: 6}.get(orientation, orientation))
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = image.path.with_suffix(".png")
        Image.fromarray(undone if as_shown else shown).save(path, exif=exif)
        image.path.unlink()
        expected.append(shown)
    for image in drawn.images:
        image["file_name"] = image["file_name"].replace("jpg", "png")
    read = drawn.read()
    for image, pixels in zip(read.images, expected, strict=True):
        assert image.size == pixels.shape[:2]
        np.testing.assert_array_equal(read_photo(image), pixels)
        assert image.orientation == (orientation if as_shown else 1)


def test_labels_are_scaled_to_resized_photos(drawn, plain):
    for image in plain.images:
        with Image.open(image.path) as photo:
            smaller = photo.resize((photo.width * 3 // 4 - 1, photo.height * 3 // 4))
        smaller.save(image.path)
    drawn.people[0]["segmentation"] = [[10, 60, 70, 60, 70, 200]]
    read = drawn.read()
    assert read.notes == ("Annotations adjusted: labels scaled to resized photos (3).",)
    first = read.images[0].labelled[0]
    scale = np.array([239 / 320, 180 / 240])
    whole = plain.images[0].labelled[0]
    np.testing.assert_allclose(first.keypoints[0, :2], (whole.keypoints[0, :2] + 0.5) * scale - 0.5)
    assert first.box == pytest.approx(
        (*(np.array([10, 60]) * scale), *(np.array([60, 140]) * scale))
    )
    assert first.area == pytest.approx(5000 * scale.prod())
    np.testing.assert_allclose(first.region.polygons[0][0] + 0.5, np.array([10, 60]) * scale)


def test_damaged_photos_keep_their_labels_and_say_so(drawn):
    (drawn.photos / "b.jpg").write_bytes(b"")
    image = drawn.read().images[1]
    assert image.path and image.labelled
    with pytest.raises(UserError, match=r"b\.jpg is empty"):
        read_photo(image)
    shutil.copy(drawn.photos / "a.jpg", drawn.photos / "b.jpg")
    with pytest.raises(UserError, match="its annotation says"):
        read_photo(image)
