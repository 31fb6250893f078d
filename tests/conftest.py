"""Fixtures that several test modules share."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from places import NEEDS_COCO, SHARED

if "PYTEST_XDIST_WORKER" in os.environ:
    # There are as many processes as cores; each with threads for all cores would only wait.
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@dataclass(frozen=True)
class CocoSplit:
    """A split of COCO on this machine.

    Attributes:
        data: the folder for `--data`.
        split: its name.
        annotations: the annotation file.
        images: the folder of images.
    """

    data: Path
    split: str
    annotations: Path
    images: Path


def coco_split(split: str) -> CocoSplit:
    """The real slice of a COCO split; skips the test where it is not there."""
    data = SHARED / "coco"
    found = CocoSplit(
        data, split, data / "annotations" / f"person_keypoints_{split}.json", data / split
    )
    if not found.annotations.is_file():
        pytest.skip(NEEDS_COCO)
    return found


@pytest.fixture(scope="session", autouse=True)
def engine_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Engines are built for the tests alone; what the user has in the cache stays as it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSE_CACHE", str(tmp_path_factory.mktemp("engines")))
        yield


@pytest.fixture(scope="session")
def coco_val() -> CocoSplit:
    """110 images of val2017 with their annotations."""
    return coco_split("val2017")


@pytest.fixture(scope="session")
def coco_train() -> CocoSplit:
    """976 images of train2017 with their annotations."""
    return coco_split("train2017")


@pytest.fixture(scope="session")
def estimator():
    """The bundled weights on the CPU, preset balanced. Shared: do not change its attributes."""
    from pose import PoseEstimator

    return PoseEstimator.from_pretrained("mobilenet-thin", device="cpu")


def pytest_configure() -> None:
    """Programs that tests start must hear Ctrl-C, also where a shell's `&` has made us deaf."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Training's tests come first, the page's last; `gpu` is skipped without a CUDA device.

    Engines, the page's server and its browser leave threads behind, and a process with many threads
    cannot safely fork the loaders that the training tests need.
    """
    items.sort(key=lambda item: ("train" not in item.path.parts, "e2e" in item.path.parts))
    if not any("gpu" in item.keywords for item in items):
        return
    import torch

    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says what was not tested, and how many tests that are, for want of data or a program."""
    reasons = (
        str(report.longrepr[2]).removeprefix("Skipped: ")
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    )
    missing = Counter(reason for reason in reasons if reason.startswith("needs "))
    if missing:
        terminalreporter.section("NOT TESTED", red=True)
        for reason, count in missing.most_common():
            terminalreporter.write_line(f"{count} tests: {reason}")
