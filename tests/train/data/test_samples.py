"""Who gets a sample, and slices of a data set."""

from __future__ import annotations

import numpy as np
import pytest
from splits import read_split

from pose.errors import UserError
from train.data.samples import crops, read_names, take_slice


def test_the_real_slice(coco_dir):
    data = read_split(coco_dir)
    assert not data.notes and len(data.images) == 976
    assert sum(len(i.labelled) for i in data.images) == 2472
    assert any(i.crowds and i.single_people for i in data.images)
    assert any(i.unlabelled for i in data.images)
    for image in data.images[:50]:
        missing = image.keypoints[..., 2] == 0
        assert np.isnan(image.keypoints[..., :2][missing]).all()
        assert np.isfinite(image.keypoints[..., :2][~missing]).all()


def test_main_persons_keep_their_distance(coco_dir):
    data = read_split(coco_dir)
    assert len(data.samples) < sum(len(i.labelled) for i in data.images)
    for image in data.images[:200]:
        centres = [s.crop.centre for s in data.samples if s.image is image]
        assert [crop.centre for crop in crops(image)] == centres
        sizes = {(x + w / 2 - 0.5, y + h / 2 - 0.5): max(w, h) for x, y, w, h in boxes(image)}
        for i, later in enumerate(centres):
            for earlier in centres[:i]:
                assert np.hypot(*np.subtract(later, earlier)) >= 0.3 * sizes[earlier]


def boxes(image):
    return [person.box for person in image.labelled]


def test_slices_are_reproducible_and_nested(coco_dir):
    data = read_split(coco_dir)
    some = take_slice(data, fraction=0.1, seed=3)
    again = take_slice(data, fraction=0.1, seed=3)
    assert [i.image_id for i in some.images] == [i.image_id for i in again.images]
    usable = len({s.image.image_id for s in data.samples})
    assert len(some.images) == round(usable * 0.1)
    assert [i.image_id for i in take_slice(data, 0.1, seed=4).images] != [
        i.image_id for i in some.images
    ]
    assert len(take_slice(data, max_images=5).images) == 5
    for sample in some.samples:
        assert sample.crop in crops(sample.image)


def test_a_list_of_images(drawn, tmp_path):
    drawn.write()
    path = tmp_path / "list.txt"
    path.write_text("\ufeffb.jpg\n7\n\n")
    data = read_split(drawn.folder)
    chosen = take_slice(data, names=read_names(path))
    assert [i.file_name for i in chosen.images] == ["b.jpg", "c.jpg"]
    path.write_text("\n")
    with pytest.raises(UserError, match="lists no image"):
        read_names(path)
    with pytest.raises(UserError, match="No image of the list"):
        take_slice(data, names=frozenset({"nobody.jpg"}))


def test_nobody_with_enough_keypoints_is_an_error(drawn):
    for person in drawn.people:
        person["keypoints"][12:] = [0] * 39
    drawn.write()
    with pytest.raises(UserError, match="can be trained on"):
        read_split(drawn.folder)
