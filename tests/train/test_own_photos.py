"""Training on a folder that the page collected: at once, and with the guards for few images."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from places import EXAMPLES

from page.editor.training_set import TrainingSet
from pose import PoseEstimator, catalogue, load_image
from pose.coco_annotations import LabelledPerson
from train.__main__ import main
from train.launch import FEW_IMAGES, guarded


@pytest.fixture(scope="module")
def collected(tmp_path_factory, estimator: PoseEstimator) -> Path:
    """Two photos with the people that the network finds, as the page adds them."""
    kept = TrainingSet(tmp_path_factory.mktemp("own") / "mine")
    for name in ("astronaut.jpg", "photographer.jpg"):
        photo = load_image(EXAMPLES / name)
        kept.add(photo, name, [LabelledPerson.of(p) for p in estimator(photo).people])
    return kept.folder


def train(folder: Path, output: Path, *options: str) -> int:
    small = "--network mobilenet-thin --crop 128 --batch-size 2 --max-steps 2 --workers 0"
    return main(["--data", str(folder), "--output", str(output), *small.split(), *options])


def test_a_collected_folder_trains_at_once_with_its_guards(collected, tmp_path, capsys):
    assert train(collected, tmp_path / "mine", "--device", "cpu", "--no-progress") == 0
    said = (tmp_path / "mine" / "log.txt").read_text()
    assert "--keep-start 0.5 --teacher mobilenet-thin" in said
    assert "2 images" in said and "Left out" not in said
    settings = json.loads((tmp_path / "mine" / "settings.json").read_text())
    assert (settings["keep_start"], settings["teacher"]) == (0.5, "mobilenet-thin")
    card = next(card for card in catalogue(tmp_path) if card.name == "mine")
    people = PoseEstimator.from_pretrained("mine", device="cpu", weights_dir=tmp_path)(
        load_image(EXAMPLES / "astronaut.jpg"), preset="fast"
    )
    assert card.present and len(people.people) == 1


def test_what_is_chosen_stays(settings):
    chosen = settings(keep_start=None)
    assert guarded(chosen, FEW_IMAGES) == chosen
    assert guarded(chosen, FEW_IMAGES - 1).keep_start == 0.5
    for explicit in (settings(keep_start=0.0), settings(keep_start=None, teacher="custom")):
        assert guarded(explicit, 10) == explicit
    fresh = settings(init="none", keep_start=None)
    assert guarded(fresh, 10) == fresh
