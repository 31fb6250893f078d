"""`python -m train.oracle`: the AP of perfect maps, which bounds what any network can reach.

Targets of all annotations of a split go through the product's own decoder, and the AP is taken
over people with at least five keypoints. A mismatch between targets and decoder (a shift, a
flipped limb, another order of channels) shows here at once.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pose.averaging import average_maps
from pose.decode import DecodeSettings, decode
from pose.errors import UserError
from pose.export import coco_results
from pose.geometry import STRIDE, Grid, padded_size, resized_size
from pose.presets import PRESETS, get_preset
from pose.results import FieldMaps, Person
from pose.skeleton import COCO_TO_KEYPOINT, KEYPOINT_SIGMAS
from train.coco import (
    MIN_MAIN_KEYPOINTS,
    ImageLabels,
    Problems,
    annotation_file,
    image_folder,
    label_image,
    open_annotations,
    size_of,
    usable_annotations,
)
from train.settings import TrainSettings
from train.targets import make_targets


@dataclass(frozen=True)
class Loss:
    """What happened to one labelled person.

    Attributes:
        oks: similarity to the best found person, 0..1.
        cause: why it is not a perfect 1, in a few words.
    """

    oks: float
    cause: str


@dataclass(frozen=True)
class OracleResult:
    """Figures of a split.

    Attributes:
        ap, ap50, ap75, ar: COCO's, over people with at least five keypoints.
        people: such people.
        lost: mean loss of OKS by cause; together they are 1 - mean OKS.
        counts: people by cause.
    """

    ap: float
    ap50: float
    ap75: float
    ar: float
    people: int
    lost: dict[str, float]
    counts: dict[str, int]


def perfect_maps(
    labels: ImageLabels, short_side: int, sigma: float = 7.0, paf_width: float = 1.0
) -> FieldMaps:
    """The maps a perfect network would give for a whole photo, at an input size of pixels."""
    height, width = resized_size(labels.size, short_side)
    padded_height, padded_width = padded_size((height, width))
    scale = np.array([width / labels.size[1], height / labels.size[0]])
    points = labels.keypoints.copy()
    points[..., :2] = (points[..., :2] + 0.5) * scale - 0.5
    maps = make_targets(
        torch.from_numpy(points)[None],
        (padded_height // STRIDE, padded_width // STRIDE),
        sigma,
        paf_width,
    )
    grid = Grid(STRIDE / scale[0], STRIDE / scale[1], labels.size)
    return FieldMaps(maps.heatmaps[0].numpy(), maps.pafs[0].numpy(), grid)


def read_labels(data: Path, split: str) -> tuple[Mapping, list[ImageLabels]]:
    """The annotations of a split and the labels of all its images; image files are not needed."""
    coco = open_annotations(annotation_file(data, split))
    problems = Problems()
    by_image = usable_annotations(coco, problems)
    images = [
        label_image(
            image_folder(data, split) / str(info["file_name"]),
            image_id,
            size_of(info),
            by_image.get(image_id, []),
            problems,
        )
        for image_id, info in sorted(coco["images"].items())
        if size_of(info) is not None
    ]
    return coco, images


def run_oracle(
    data: Path,
    split: str,
    short_sides: Sequence[int],
    settings: DecodeSettings | None = None,
    sigma: float = 7.0,
    paf_width: float = 1.0,
) -> OracleResult:
    """Decodes perfect maps of every image of a split.

    Args:
        short_sides: input sizes in pixels; the maps of several are averaged, as for a preset.

    Raises:
        UserError: the annotations cannot be read.
    """
    coco, images = read_labels(data, split)
    results, losses = [], []
    for labels in images:
        views = [perfect_maps(labels, side, sigma, paf_width) for side in short_sides]
        found = decode(average_maps(views), settings)
        results += coco_results(found, labels.image_id, labels.path.name)
        losses += explain(labels, found, max(short_sides))
    if not losses:
        raise UserError(f"No person of {split} has {MIN_MAIN_KEYPOINTS} keypoints.")
    stats = average_precision(coco, results)
    lost: Counter[str] = Counter()
    for loss in losses:
        lost[loss.cause] += (1 - loss.oks) / len(losses)
    counts = Counter(loss.cause for loss in losses)
    return OracleResult(
        stats[0], stats[1], stats[2], stats[5], len(losses), dict(lost), dict(counts)
    )


def average_precision(coco: Mapping, results: list[dict]) -> np.ndarray:
    """COCO's ten figures; people with fewer keypoints than five neither count nor harm."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    annotations = copy.deepcopy(list(coco["annotations"].values()))
    for annotation in annotations:
        labels = np.asarray(annotation.get("keypoints") or [0] * 51)[2::3]
        few = (labels > 0).sum() < MIN_MAIN_KEYPOINTS
        # COCO's evaluation ignores people with num_keypoints = 0.
        annotation["num_keypoints"] = 0 if few else int((labels > 0).sum())
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": list(coco["images"].values()),
            "annotations": annotations,
            "categories": list(coco["categories"].values()),
        }
        truth.createIndex()
        if not results:
            return np.zeros(10)
        evaluation = COCOeval(truth, truth.loadRes(results), "keypoints")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


def explain(labels: ImageLabels, found: Iterable[Person], short_side: int) -> list[Loss]:
    """What happened to each labelled person with at least five keypoints."""
    found = [p.keypoints for p in found]
    scale = resized_size(labels.size, short_side)[1] / labels.size[1]
    losses = []
    for index, (truth, area) in enumerate(zip(labels.keypoints, labels.areas, strict=True)):
        own = truth[list(COCO_TO_KEYPOINT)]
        there = own[:, 2] > 0
        if there.sum() < MIN_MAIN_KEYPOINTS:
            continue
        each = [similarities(own, p[list(COCO_TO_KEYPOINT)], area) for p in found]
        best = max(each, key=lambda s: s[there].mean(), default=np.zeros(17))
        oks = float(best[there].mean())
        others = np.delete(labels.keypoints, index, axis=0)
        losses.append(Loss(oks, cause(truth, others, best[there], oks, float(scale))))
    return losses


def similarities(truth: np.ndarray, found: np.ndarray, area: float) -> np.ndarray:
    """OKS terms (17,) of COCO's keypoints, 0 where nothing was found."""
    sigmas = KEYPOINT_SIGMAS[list(COCO_TO_KEYPOINT)]
    squared = ((truth[:, :2] - found[:, :2]) ** 2).sum(1)
    terms = np.exp(-squared / (2 * max(area, 1.0) * (2 * sigmas) ** 2))
    return np.nan_to_num(terms, nan=0.0)


def cause(
    truth: np.ndarray, others: np.ndarray, terms: np.ndarray, oks: float, scale: float
) -> str:
    """Why a person was not found perfectly; the first that applies."""
    missing = float((terms < 0.1).mean())
    visible = truth[truth[:, 2] > 0, :2]
    height = np.ptp(visible[:, 1]) * scale
    if missing == 0:
        return "all keypoints found, only their places are rounded"
    if max(height, np.ptp(visible[:, 0]) * scale) < 6 * STRIDE:
        return "smaller than 6 cells"
    if len(others):
        gaps = np.hypot(*np.moveaxis(others[:, :, :2] - truth[None, :, :2], -1, 0)) * scale
        if np.nanmin(np.where(np.isnan(gaps), np.inf, gaps)) < 2 * STRIDE:
            return "a keypoint within 2 cells of another person's same keypoint"
    if isolated(truth):
        return "labelled keypoints without a limb to the rest"
    return "other"


def isolated(truth: np.ndarray) -> bool:
    """Whether the labelled keypoints fall apart into several groups without a limb between."""
    from pose.skeleton import LIMBS

    left = set(np.flatnonzero(truth[:, 2] > 0).tolist())
    reached = {left.pop()} if left else set()
    grown = True
    while grown:
        grown = False
        for limb in LIMBS:
            for a, b in ((limb.start, limb.end), (limb.end, limb.start)):
                if a in reached and b in left:
                    reached.add(b)
                    left.remove(b)
                    grown = True
    return bool(left)


def report(result: OracleResult) -> str:
    """The figures for people."""
    lines = [
        f"Oracle AP {result.ap:.4f}  AP50 {result.ap50:.4f}  AP75 {result.ap75:.4f}  "
        f"AR {result.ar:.4f}  over {result.people} people with at least "
        f"{MIN_MAIN_KEYPOINTS} keypoints",
        "Mean OKS lost, by cause:",
    ]
    for name, value in sorted(result.lost.items(), key=lambda item: -item[1]):
        lines.append(f"  {value:.4f}  {name} ({result.counts[name]} people)")
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 2 for a user's mistake."""
    defaults = TrainSettings(data=Path(), output=Path())
    parser = argparse.ArgumentParser(
        prog="python -m train.oracle", description="The AP of perfect maps of a split."
    )
    parser.add_argument("--data", type=Path, required=True, help="COCO's folder.")
    parser.add_argument("--split", default="val2017", help="Its split. [val2017]")
    parser.add_argument(
        "--preset", default="balanced", choices=PRESETS, help="Input sizes. [balanced]"
    )
    parser.add_argument(
        "--short-side", type=int, help="One input size in pixels instead of the preset's."
    )
    parser.add_argument("--sigma", type=float, default=defaults.sigma, help="Of the peaks. [7]")
    parser.add_argument("--paf-width", type=float, default=defaults.paf_width, help="In cells. [1]")
    arguments = parser.parse_args(argv)
    sides = get_preset(arguments.preset).short_sides
    if arguments.short_side is not None:
        sides = (arguments.short_side,)
    try:
        if not 64 <= min(sides) <= max(sides) <= 4096:
            raise UserError("--short-side must be between 64 and 4096.")
        result = run_oracle(
            arguments.data,
            arguments.split,
            sides,
            sigma=arguments.sigma,
            paf_width=arguments.paf_width,
        )
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{arguments.split}, shorter side {', '.join(map(str, sides))}")
    print(report(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
