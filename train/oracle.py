"""`python -m train.oracle`: the AP of perfect maps, which bounds what any network can reach.

Targets of all annotations of a split go through the product's own decoder, and the AP is taken
over people with at least five keypoints. A mismatch between targets and decoder (a shift, a
flipped limb, another order of channels) shows here at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse.csgraph import connected_components

from pose.decoding.decode import decode
from pose.decoding.field_maps import FieldMaps, average_maps
from pose.errors import UserError
from pose.export import coco_results
from pose.geometry import STRIDE, Grid, padded_size, resized_size
from pose.oks import keypoint_similarities
from pose.person import Person
from pose.presets import get_preset
from pose.skeleton import COCO_TO_KEYPOINT, LIMB_ENDS
from train.data.annotations import AnnotatedImage, Annotations
from train.data.read import add_source_options, find_source
from train.data.samples import MIN_MAIN_KEYPOINTS
from train.data.targets import make_targets
from train.evaluation.coco_metrics import score_results
from train.evaluation.compare import TITLES
from train.evaluation.ground_truth import coco_ground_truth
from train.evaluation.options import sizes


@dataclass(frozen=True)
class PersonOks:
    """How well one labelled person was found: the OKS of the best found person, 0 to 1, and why
    it is not 1."""

    oks: float
    cause: str


@dataclass(frozen=True)
class OracleResult:
    """The score of perfect maps.

    Attributes:
        metrics: COCO's ten, over people with at least five keypoints.
        people: these people.
    """

    metrics: Mapping[str, float]
    people: tuple[PersonOks, ...]

    def lost(self) -> dict[str, float]:
        """The mean loss of OKS by cause, largest first; together they are 1 - mean OKS."""
        lost: dict[str, float] = {}
        for person in self.people:
            loss = (1 - person.oks) / len(self.people)
            lost[person.cause] = lost.get(person.cause, 0) + loss
        return dict(sorted(lost.items(), key=lambda item: -item[1]))

    def report(self) -> str:
        """The result as text."""
        metrics = "  ".join(f"{TITLES[n]} {self.metrics[n]:.4f}" for n in ("ap", "ap50", "ap75"))
        causes = [person.cause for person in self.people]
        lines = [
            f"Oracle {metrics}  AR {self.metrics['ar']:.4f}  over {len(self.people)} people with "
            f"at least {MIN_MAIN_KEYPOINTS} keypoints",
            "Mean OKS lost, by cause:",
            *(
                f"  {v:.4f}  {name} ({causes.count(name)} people)"
                for name, v in self.lost().items()
            ),
        ]
        return "\n".join(lines)


def perfect_maps(image: AnnotatedImage, short_side: int) -> FieldMaps:
    """The maps a perfect network would give for a whole photo, at an input size of pixels."""
    height, width = resized_size(image.size, short_side)
    rows, columns = (side // STRIDE for side in padded_size((height, width)))
    scale = np.array([width / image.size[1], height / image.size[0]])
    points = image.keypoints.copy()
    points[..., :2] = (points[..., :2] + 0.5) * scale - 0.5
    maps = make_targets(torch.from_numpy(points)[None], (rows, columns))
    grid = Grid(STRIDE / scale[0], STRIDE / scale[1], image.size)
    return FieldMaps(maps.heatmaps[0].numpy(), maps.pafs[0].numpy(), grid)


def run_oracle(annotations: Annotations, short_sides: Sequence[int]) -> OracleResult:
    """Decodes perfect maps of every annotated image; photos are not needed.

    Args:
        short_sides: input sizes in pixels; the maps of several are averaged, as for a preset.

    Raises:
        UserError: nobody has enough keypoints.
    """
    results: list[dict] = []
    people: list[PersonOks] = []
    images = [image for image in annotations.images if min(image.size) > 0]
    for image in images:
        found = decode(average_maps([perfect_maps(image, side) for side in short_sides]))
        results += coco_results(found, image.image_id, image.file_name)
        people += explain(image, found, max(short_sides))
    if not people:
        raise UserError(f"Nobody in {annotations.file} has {MIN_MAIN_KEYPOINTS} keypoints.")
    ground_truth = coco_ground_truth(images, MIN_MAIN_KEYPOINTS)
    score = score_results(ground_truth, results, [image.image_id for image in images])
    return OracleResult(score.metrics, tuple(people))


def explain(image: AnnotatedImage, found: Iterable[Person], short_side: int) -> Iterator[PersonOks]:
    """How well each labelled person with at least five keypoints was found."""
    coco = list(COCO_TO_KEYPOINT)
    places = np.array([p.keypoints[coco, :2] for p in found]).reshape(-1, 17, 2)
    scale = resized_size(image.size, short_side)[1] / image.size[1]
    for index, person in enumerate(image.labelled):
        there = person.keypoints[:, 2] > 0
        if there.sum() < MIN_MAIN_KEYPOINTS:
            continue
        terms = keypoint_similarities(places - person.keypoints[:, :2], person.area)[:, there]
        best = max(terms, key=np.mean, default=np.zeros(there.sum()))
        own, others = image.keypoints[index], np.delete(image.keypoints, index, axis=0)
        yield PersonOks(float(best.mean()), cause(own, others, best, float(scale)))


def cause(person: np.ndarray, others: np.ndarray, terms: np.ndarray, scale: float) -> str:
    """Why a person (18, 3) was not found perfectly; the first that applies."""
    missing = float((terms < 0.1).mean())
    visible = person[person[:, 2] > 0, :2]
    height = np.ptp(visible[:, 1]) * scale
    if missing == 0:
        return "all keypoints found, only their places are rounded"
    if max(height, np.ptp(visible[:, 0]) * scale) < 6 * STRIDE:
        return "smaller than 6 cells"
    if len(others):
        gaps = np.hypot(*np.moveaxis(others[:, :, :2] - person[None, :, :2], -1, 0)) * scale
        if np.nanmin(np.where(np.isnan(gaps), np.inf, gaps)) < 2 * STRIDE:
            return "a keypoint within 2 cells of another person's same keypoint"
    if isolated(person):
        return "labelled keypoints without a limb to the rest"
    return "other"


def isolated(person: np.ndarray) -> bool:
    """Whether the labelled keypoints fall apart into several groups without a limb between."""
    there = person[:, 2] > 0
    linked = np.zeros((len(person), len(person)), bool)
    linked[tuple(LIMB_ENDS.T)] = True
    groups, _ = connected_components(linked[np.ix_(there, there)], directed=False)
    return groups > 1


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 2 for a user's mistake."""
    parser = argparse.ArgumentParser(
        prog="python -m train.oracle", description="The AP of perfect maps of a split."
    )
    add_source_options(parser, split="val2017")
    sides = ",".join(map(str, get_preset("balanced").short_sides))
    parser.add_argument(
        "--short-sides", default=sides, metavar="N,N", help=f"input sizes in pixels [{sides}]"
    )
    arguments = parser.parse_args(argv)
    try:
        short_sides = sizes("--short-sides", arguments.short_sides)
        source = find_source(
            arguments.data, arguments.split, arguments.annotations, arguments.images
        )
        annotations = source.read(photos=False)
        for note in annotations.notes:
            print(note, file=sys.stderr)
        result = run_oracle(annotations, short_sides)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{source.split}, shorter side {', '.join(map(str, short_sides))}")
    print(result.report())
    return 0


if __name__ == "__main__":
    sys.exit(main())
