"""Real COCO images for the training tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from faults import QUICK
from places import NEEDS_COCO, SHARED

from train import validation
from train.settings import TrainSettings

COCO = SHARED / "coco"


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def quick_validation(monkeypatch):
    """One small forward pass: after a few steps the networks find noise, which takes long."""
    monkeypatch.setattr(validation, "PRESET", QUICK)


@pytest.fixture(scope="session")
def coco_dir() -> Path:
    if not (COCO / "annotations").is_dir():
        pytest.skip(NEEDS_COCO)
    return COCO


@pytest.fixture
def settings(coco_dir, tmp_path):
    """Makes cheap settings on the real slice."""

    def make(**changes) -> TrainSettings:
        values = {
            "data": coco_dir,
            "output": tmp_path / "run",
            "network": "mobilenet-thin",
            "max_images": 4,
            "batch_size": 2,
            "crop": 368,
            "max_steps": 2,
            "workers": 0,
            "device": "cpu",
            "log_every": 1,
            "progress": False,
            "keep_start": 0.0,
        }
        return TrainSettings(**{**values, **changes})

    return make


@pytest.fixture
def small_coco(coco_dir, tmp_path):
    """A copy of a few annotated images in COCO's layout, to break in tests.

    Returns the folder and its annotation content; `write()` puts changed content in place.
    """
    content = json.loads((coco_dir / "annotations/person_keypoints_train2017.json").read_text())
    main = {a["image_id"] for a in content["annotations"] if a["num_keypoints"] >= 10}
    images = [i for i in content["images"] if i["id"] in main][:4]
    ids = {i["id"] for i in images}
    content["images"] = images
    content["annotations"] = [a for a in content["annotations"] if a["image_id"] in ids]
    folder = tmp_path / "coco"
    (folder / "annotations").mkdir(parents=True)
    (folder / "train2017").mkdir()
    for image in images:
        source = coco_dir / "train2017" / image["file_name"]
        (folder / "train2017" / image["file_name"]).write_bytes(source.read_bytes())
    small = SmallCoco(folder, content)
    small.write()
    return small


class SmallCoco:
    def __init__(self, folder: Path, content: dict) -> None:
        self.folder = folder
        self.content = content

    def write(self) -> None:
        path = self.folder / "annotations" / "person_keypoints_train2017.json"
        path.write_text(json.dumps(self.content))

    def image(self, index: int) -> Path:
        return self.folder / "train2017" / self.content["images"][index]["file_name"]
