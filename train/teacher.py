"""A teacher: what pretrained weights see in a sample and in its mirror image, as targets.

Data distillation (Radosavovic et al., arXiv 1712.04440): the mean of both views is better than
either, and a network that learns it predicts better in one. It also covers people whom nobody
labelled.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F

from pose.networks.build import PoseNetwork, StageMaps
from pose.networks.preprocessing import Preprocessing
from pose.skeleton import BACKGROUND, HEATMAP_FLIP, PAF_FLIP
from pose.weights.load import load_weights

SEEN = 0.1
"""Heatmap value from which the teacher sees a keypoint."""

NEAR = 2
"""Cells around a label within which it explains what the teacher sees."""


@dataclass(frozen=True)
class Teacher:
    """Pretrained weights that look at every sample.

    Attributes:
        network: on the device, in evaluation mode.
        preprocessing: the weights' own.
        shift: pixels by which their maps lie too far right and down.
    """

    network: PoseNetwork
    preprocessing: Preprocessing
    shift: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def load(cls, name: str, device: torch.device) -> Teacher:
        """A teacher with weights by name, file or run directory.

        Raises:
            UserError: they cannot be used.
        """
        loaded = load_weights(name)
        network = loaded.network.eval().requires_grad_(False).to(device)
        network = network.to(memory_format=torch.channels_last)
        return cls(network, loaded.preprocessing, loaded.shift)

    @torch.no_grad()
    def __call__(self, images: torch.Tensor, shift: tuple[float, float]) -> StageMaps:
        """The mean of the maps of both views.

        Args:
            images: RGB uint8 (N, H, W, 3), without colour jitter.
            shift: pixels by which the trained network's maps lie too far right and down; the
                views are moved to it, by whole pixels.

        Returns:
            PAFs (N, 38, H / 8, W / 8) and heatmaps (N, 19, H / 8, W / 8), float32.
        """
        (x, y), (own_x, own_y) = shift, self.shift
        down = round(y - own_y)
        plain = moved(images, round(x - own_x), down)
        # In the mirror the way right is the way left.
        mirrored = moved(images.flip(2), -round(x + own_x), down)
        views = self.preprocessing(torch.cat([plain, mirrored]))
        maps = self.network(views.contiguous(memory_format=torch.channels_last))[-1]
        own, other = (
            StageMaps(*fields)
            for fields in zip(*(field.float().chunk(2) for field in maps), strict=True)
        )
        back = mirrored_back(other)
        return StageMaps((own.pafs + back.pafs) / 2, (own.heatmaps + back.heatmaps) / 2)


def moved(images: torch.Tensor, right: int, down: int) -> torch.Tensor:
    """Images (N, H, W, 3) moved by whole pixels; the border is repeated."""
    _, height, width, _ = images.shape
    rows = (torch.arange(height, device=images.device) - down).clamp(0, height - 1)
    columns = (torch.arange(width, device=images.device) - right).clamp(0, width - 1)
    return images[:, rows][:, :, columns]


def mirrored_back(maps: StageMaps) -> StageMaps:
    """The maps of mirrored images as maps of the images themselves."""
    pafs = maps.pafs[:, PAF_FLIP].flip(3)
    pafs[:, ::2] *= -1
    return StageMaps(pafs, maps.heatmaps[:, HEATMAP_FLIP].flip(3))


def unlabelled_people(labels: StageMaps, teacher: StageMaps) -> torch.Tensor:
    """bool (N, h, w): around keypoints that the teacher sees away from all labels."""
    labelled = labels.heatmaps[:, :BACKGROUND].amax(1) + labels.pafs.abs().amax(1)
    seen = teacher.heatmaps[:, :BACKGROUND].amax(1)
    return around((seen > SEEN) & ~around(labelled > 0, NEAR), NEAR)


def around(cells: torch.Tensor, reach: int) -> torch.Tensor:
    """The cells (N, h, w) and those near them."""
    return F.max_pool2d(cells.float(), 2 * reach + 1, 1, reach) > 0


def blended(
    labels: StageMaps, mask: torch.Tensor, teacher: StageMaps, share: float
) -> tuple[StageMaps, torch.Tensor]:
    """One set of targets whose squared error is, up to a constant, that of labels and teacher.

    (1 - share) * mask * (x - label)² + share * (x - teacher)²; where the mask ignores the labels,
    and where the teacher sees people whom nobody labelled, the teacher alone counts.

    Args:
        labels: PAFs (N, 38, h, w) and heatmaps (N, 19, h, w).
        mask: (N, h, w), 1 where labels can be trusted.
        teacher: the same fields.
        share: of the teacher, above 0 to 1.

    Returns:
        The targets and their weight (N, h, w).
    """
    trusted = (1 - share) * mask * ~unlabelled_people(labels, teacher)
    weight = trusted + share
    of_labels = (trusted / weight)[:, None]
    return (
        StageMaps(
            *(seen.lerp(label, of_labels) for seen, label in zip(teacher, labels, strict=True))
        ),
        weight,
    )
