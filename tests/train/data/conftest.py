"""Drawn data for the tests of the annotation reader."""

from __future__ import annotations

import pytest
from drawn_annotations import DrawnData

from train.data.annotations import Annotations


@pytest.fixture
def drawn(tmp_path) -> DrawnData:
    return DrawnData(tmp_path / "drawn")


@pytest.fixture
def plain(drawn) -> Annotations:
    """The drawn data as it is."""
    return drawn.read()
