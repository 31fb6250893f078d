"""Finds out which layout a data folder has and reads a split of it."""

from __future__ import annotations

from pathlib import Path

from pose.errors import UserError
from train.cmu import CMU_FILE, read_cmu
from train.coco import TrainingData, read_coco, read_names, take_slice
from train.settings import TrainSettings


def read_split(data: Path, split: str) -> TrainingData:
    """Reads a split of COCO's official layout, or of a folder with CMU's COCO.json.

    Raises:
        UserError: the folder is neither, or nothing in it can be used.
    """
    if data.is_file() and data.name == CMU_FILE:
        data = data.parent
    if not data.is_dir():
        raise UserError(f"There is no folder {data}; give COCO's with --data.")
    if (data / CMU_FILE).is_file() and not (data / "annotations").is_dir():
        return read_cmu(data, split)
    return read_coco(data, split)


def chosen_data(settings: TrainSettings) -> TrainingData:
    """The part of the training split that the settings name.

    Raises:
        UserError: there is nothing, or nothing usable.
    """
    return take_slice(
        read_split(settings.data, settings.train_split),
        settings.fraction,
        settings.max_images,
        settings.seed,
        read_names(settings.image_list),
    )
