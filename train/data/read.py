"""Finds the annotations and photos that a command's options name, and reads them."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from pose.errors import UserError
from train.data.annotations import Annotations
from train.data.cmu import CMU_FILE, read_cmu
from train.data.coco import read_coco
from train.data.samples import TrainingData, read_names, take_slice, training_data
from train.settings import TrainSettings


@dataclass(frozen=True)
class Source:
    """Annotations and their photos.

    Attributes:
        file: the annotations.
        folder: of the photos.
        split: what the data is called.
    """

    file: Path
    folder: Path
    split: str

    def read(self, photos: bool = True) -> Annotations:
        """Reads the annotations, and the sizes of the photos.

        Args:
            photos: they are needed; otherwise they are left alone where there are none.

        Raises:
            UserError: something is missing, or is no annotation of people.
        """
        if self.file.name == CMU_FILE:
            return read_cmu(self.file, self.folder, self.split)
        return read_coco(self.file, self.folder if photos or self.folder.is_dir() else None)


def add_source_options(parser: argparse.ArgumentParser, split: str) -> None:
    """The options that name a data set."""
    add = parser.add_argument
    add("--data", type=Path, metavar="COCO_DIR", help="folder with annotations/ and the photos")
    add("--split", default=split, help=f"of that folder (default {split})")
    add("--annotations", type=Path, metavar="FILE", help="a COCO keypoint file, instead of --data")
    add("--images", type=Path, metavar="DIR", help="its photos (default: the folder of FILE)")


def find_source(
    data: Path | None, split: str, annotations: Path | None = None, images: Path | None = None
) -> Source:
    """The data set that the options name.

    Raises:
        UserError: they name none or two, or its files are not there.
    """
    if annotations is not None:
        if data is not None:
            raise UserError("Give either --data or --annotations, not both.")
        if not annotations.is_file():
            raise UserError(f"There is no file {annotations}; check --annotations.")
        return Source(annotations, images or annotations.parent, annotations.stem)
    if images is not None:
        raise UserError("--images goes with --annotations FILE.")
    if data is None:
        raise UserError("Give --data COCO_DIR, or --annotations FILE and --images DIR.")
    if data.name == CMU_FILE and data.is_file():
        data = data.parent
    if not data.is_dir():
        raise UserError(f"There is no folder {data}; check --data.")
    if (data / CMU_FILE).is_file() and not (data / "annotations").is_dir():
        return Source(data / CMU_FILE, data, split)
    file = data / "annotations" / f"person_keypoints_{split}.json"
    if not file.is_file():
        raise UserError(
            f"There is no file {file}; check --data and the split's name, or give --annotations "
            "FILE and --images DIR."
        )
    folder, nested = data / split, data / "images" / split
    return Source(file, nested if nested.is_dir() and not folder.is_dir() else folder, split)


def validation_source(settings: TrainSettings) -> Source:
    """The data to validate on: another file, or another split of the same folder."""
    if settings.val_annotations is not None:
        return find_source(None, "", settings.val_annotations, settings.val_images)
    return find_source(settings.data, settings.val_split or "")


def chosen_data(settings: TrainSettings) -> TrainingData:
    """The part of the training data that the settings name.

    Raises:
        UserError: there is nothing, or nothing usable.
    """
    source = find_source(settings.data, settings.train_split, settings.annotations, settings.images)
    return take_slice(
        training_data(source.read()),
        settings.fraction,
        settings.max_images,
        settings.seed,
        read_names(settings.image_list),
    )
