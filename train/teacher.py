"""A teacher: what weights answer to whole photos, mirrored and at several sizes, as targets.

Data distillation (Radosavovic et al., arXiv 1712.04440): the average over several views of a photo
is better than any single one, and a network that is taught it answers better in one look. It also
says something about the people whom nobody labelled. Each photo is looked at once, before the
training; its maps are kept in the run directory and warped to every crop.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from pose.errors import UserError
from pose.estimator import PoseEstimator
from pose.geometry import STRIDE, Grid
from pose.networks import StageMaps
from pose.results import FieldMaps
from pose.skeleton import BACKGROUND, HEATMAP_FLIP, LIMBS, NUM_PAFS, PAF_FLIP
from train.augment import Warp
from train.coco import ImageLabels
from train.run_directory import write_file

PRESET = "accurate"

OVERSAMPLING = 2
"""Maps are read at so many points a cell along each axis and averaged: a crop may shrink them."""


@dataclass(frozen=True)
class Teacher:
    """Maps of photos in a folder.

    Attributes:
        folder: holds one file a photo.
        shift: pixels by which the network in training answers too far right and down; the maps
            are moved by it, as the labels are.
        gain: see `raised`.
    """

    folder: Path
    shift: tuple[float, float] = (0.0, 0.0)
    gain: float = 1.0

    def look_at(
        self,
        images: Sequence[ImageLabels],
        estimator: PoseEstimator,
        say: Callable[[str], None],
        progress: bool = True,
    ) -> None:
        """Makes the maps of the photos that have none yet; unreadable photos get none.

        Raises:
            UserError: they cannot be written.
        """
        missing = [labels for labels in images if not zipfile.is_zipfile(self.path(labels))]
        if not missing:
            return
        say(f"The teacher looks at {len(missing)} photos, about 1 MB each in {self.folder}")
        for labels in tqdm(missing, "teacher", disable=not progress, unit="photo"):
            image = cv2.imread(str(labels.path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
            if image is not None:
                maps = estimator(image[..., ::-1], preset=PRESET).maps
                self.keep(labels, maps)

    def keep(self, labels: ImageLabels, maps: FieldMaps) -> None:
        """Writes the maps of a photo.

        Raises:
            UserError: they cannot be written.
        """
        planes = np.concatenate([maps.pafs, maps.heatmaps]).astype(np.float16)
        scale = np.array([maps.grid.scale_x, maps.grid.scale_y])
        try:
            self.folder.mkdir(exist_ok=True)
            write_file(self.path(labels), lambda file: np.savez(file, planes=planes, scale=scale))
        except OSError as error:
            raise UserError(f"{self.folder} cannot be written: {error.strerror}.") from None

    def path(self, labels: ImageLabels) -> Path:
        return self.folder / f"{labels.image_id}.npz"

    def crop(self, labels: ImageLabels, warp: Warp) -> np.ndarray:
        """The maps of a crop, float16 (57, crop / 8, crop / 8): PAFs, then heatmaps.

        Raises:
            OSError, ValueError: the teacher has not seen the photo, or its maps are damaged.
        """
        path = self.path(labels)
        try:
            with np.load(path, allow_pickle=False) as file:
                planes, scale = file["planes"], file["scale"]
        except (zipfile.BadZipFile, zlib.error, EOFError, KeyError) as error:
            raise ValueError(f"the teacher's {path} is damaged ({error})") from None
        grid = Grid(float(scale[0]), float(scale[1]), labels.size)
        maps = warp_maps(planes, grid, warp, self.shift)
        return raised(maps, self.gain).astype(np.float16)


def warp_maps(
    planes: np.ndarray, grid: Grid, warp: Warp, shift: tuple[float, float] = (0.0, 0.0)
) -> np.ndarray:
    """Maps of a photo as maps of a crop; outside of the photo there is only background.

    Args:
        planes: (57, h, w), PAFs and heatmaps on `grid`.
        warp: from the photo to the crop.
        shift: crop pixels by which everything is moved.

    Returns:
        float32 (57, crop / 8, crop / 8).
    """
    cells = warp.crop // STRIDE
    side = np.arange(cells * OVERSAMPLING)
    fine = (side + 0.5) * STRIDE / OVERSAMPLING - 0.5
    x, y = np.meshgrid(fine - shift[0], fine - shift[1])
    photo = np.stack([x, y], -1) - warp.matrix[:, 2]
    photo = photo @ np.linalg.inv(warp.matrix[:, :2]).T
    _, height, width = planes.shape
    at = (grid.to_cells(photo) + 0.5) / (width, height) * 2 - 1
    source = torch.from_numpy(planes.astype(np.float32))
    # Outside everything reads 0, which the background is not: it is read as what it lacks to 1.
    background = NUM_PAFS + BACKGROUND
    source[background] = 1 - source[background]
    read = F.grid_sample(
        source[None], torch.from_numpy(at.astype(np.float32))[None], align_corners=False
    )
    maps = F.avg_pool2d(read, OVERSAMPLING)[0]
    maps[background] = 1 - maps[background]
    pafs, heatmaps = maps[:NUM_PAFS].numpy(), maps[NUM_PAFS:].numpy()
    turn = (warp.matrix[:, :2] / warp.scale).astype(np.float32)
    vectors = pafs.reshape(len(LIMBS), 2, cells, cells)
    pafs = np.einsum("ij,ljhw->lihw", turn, vectors).reshape(NUM_PAFS, cells, cells)
    if warp.flipped:
        pafs, heatmaps = pafs[PAF_FLIP], heatmaps[HEATMAP_FLIP]
    return np.concatenate([pafs, heatmaps])


def raised(maps: np.ndarray, gain: float) -> np.ndarray:
    """Maps (57, h, w) times a gain; heatmaps and the lengths of PAFs end at 1.

    Where one view sees a keypoint and another does not, their average is lower than what either
    would say, and a network that learns it finds fewer people at the same thresholds.
    """
    if gain == 1:
        return maps
    pafs, parts = maps[:NUM_PAFS] * gain, (maps[NUM_PAFS:-1] * gain).clip(max=1)
    vectors = pafs.reshape(len(LIMBS), 2, *maps.shape[1:])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=1)
    return np.concatenate([pafs, parts, 1 - parts.max(0, keepdims=True)])


def blended(
    labels: StageMaps, mask: torch.Tensor, teacher: torch.Tensor, share: float
) -> tuple[StageMaps, torch.Tensor]:
    """One set of targets whose squared error is, up to a constant, that of labels and teacher.

    (1 - share) * mask * (x - label)² + share * (x - teacher)²; where the mask ignores the labels
    the teacher alone counts.

    Args:
        labels: PAFs (N, 38, h, w) and heatmaps (N, 19, h, w).
        mask: (N, h, w), 1 where labels can be trusted.
        teacher: (N, 57, h, w), PAFs and heatmaps.
        share: of the teacher, above 0 to 1.

    Returns:
        The targets and their weight (N, h, w).
    """
    trusted = (1 - share) * mask
    weight = trusted + share
    of_labels = (trusted / weight)[:, None]
    pafs, heatmaps = teacher.float().split([NUM_PAFS, teacher.shape[1] - NUM_PAFS], 1)
    return (
        StageMaps(pafs.lerp(labels.pafs, of_labels), heatmaps.lerp(labels.heatmaps, of_labels)),
        weight,
    )
