"""A split as the trainer sees it."""

from __future__ import annotations

from pathlib import Path

from train.data.read import find_source
from train.data.samples import TrainingData, training_data


def read_split(data: Path, split: str = "train2017") -> TrainingData:
    return training_data(find_source(data, split).read())
