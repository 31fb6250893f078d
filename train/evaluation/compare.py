"""Two measurements side by side, with how much of the difference is chance."""

from __future__ import annotations

import math
from pathlib import Path

from pose.errors import UserError
from pose.weights.load import file_sha256
from train.data.read import Source
from train.evaluation.bootstrap import METRICS, Interval, intervals, resample
from train.evaluation.coco_metrics import Score, score_results
from train.evaluation.ground_truth import coco_ground_truth
from train.evaluation.metrics_file import Run, read_results, read_run

TITLES = {
    "ap": "AP", "ap50": "AP50", "ap75": "AP75", "ap_medium": "AP medium", "ap_large": "AP large",
    "ar": "AR", "ar50": "AR50", "ar75": "AR75", "ar_medium": "AR medium", "ar_large": "AR large",
}  # fmt: skip
"""Titles of COCO's ten metrics, in the order of `METRICS`."""


def compare(first: Path, second: Path, moved: Source | None = None) -> str:
    """A table of two metrics.json files, scored again on the images they have in common.

    Args:
        moved: the data set, where it is no longer where it was measured.

    Raises:
        UserError: a file is missing or changed, or the two have no images in common.
    """
    a, b = read_run(first), read_run(second)
    source = common_source(a, b, moved)
    ids = set(a.image_ids) & set(b.image_ids)
    if not ids:
        raise UserError(f"{first} and {second} have no image in common.")
    measured = [i for i in source.read(photos=False).images if i.image_id in ids]
    ground_truth = coco_ground_truth(measured)
    s, t = (score_results(ground_truth, read_results(run), sorted(ids)) for run in (a, b))
    return table(a, b, s, t)


def table(a: Run, b: Run, s: Score, t: Score) -> str:
    """Two runs as text, with their scores `s` and `t` on the images of both."""
    # The same images are drawn for both.
    rows_a, rows_b = resample(s.matches), resample(t.matches)
    of_a, of_b, differences = intervals(rows_a), intervals(rows_b), intervals(rows_b - rows_a)
    images = len(s.matches.image_ids)
    lines = [
        f"A: {a.weights}, {a.preset}   ({a.path})",
        f"B: {b.weights}, {b.preset}   ({b.path})",
        f"{images} images of {a.source.split} measured in both. In brackets: 90 % bootstrap "
        "intervals over images;",
        "B − A on the same images; noise = the interval of the difference contains 0.",
        "",
        f"{'':<10}  {'A':<22}  {'B':<22}  {'B − A':<25}",
    ]
    for name in METRICS:
        difference = differences[name]
        lines.append(
            f"{TITLES[name]:<10}  {shown(of_a[name]):<22}  {shown(of_b[name]):<22}  "
            f"{shown(difference, '+'):<25}  {verdict(difference)}".rstrip()
        )
    for title, one, two in (
        ("missed", s.missed, t.missed),
        ("false pos.", s.false_positives, t.false_positives),
        ("people", s.people, t.people),
    ):
        lines.append(f"{title:<10}  {one:<22}  {two:<22}  {two - one:+d}")
    ms = [f"{1000 * run.seconds:.1f} ms" for run in (a, b)]
    ratio = b.seconds / a.seconds if a.seconds else math.nan
    lines.append(f"{'per photo':<10}  {ms[0]:<22}  {ms[1]:<22}  × {ratio:.2f}")
    if a.hardware != b.hardware:
        lines.append(f"The times are from different machines: A {a.hardware}; B {b.hardware}.")
    if not len(a.image_ids) == len(b.image_ids) == images:
        lines.append(
            f"A was measured on {len(a.image_ids)} images and B on {len(b.image_ids)}; only the "
            f"{images} of both count here."
        )
    return "\n".join(lines)


def common_source(first: Run, second: Run, moved: Source | None) -> Source:
    """The data set of both.

    Raises:
        UserError: they have different ones, or it is not there.
    """
    if first.annotations_sha256 != second.annotations_sha256:
        raise UserError(
            f"{first.path} and {second.path} were measured with different annotations; nothing "
            "can be compared."
        )
    source = moved or first.source
    if not source.file.is_file():
        raise UserError(
            f"{source.file}, which {first.path} was measured with, is gone; give --data COCO_DIR "
            "or --annotations FILE."
        )
    if file_sha256(source.file) != first.annotations_sha256:
        raise UserError(f"{source.file} has changed since {first.path} was made; measure again.")
    return source


def verdict(difference: Interval) -> str:
    """Which one is better, or that the difference may be noise."""
    if math.isnan(difference.low):
        return ""
    if difference.low > 0:
        return "B better"
    return "A better" if difference.high < 0 else "noise"


def shown(value: Interval, sign: str = "") -> str:
    if math.isnan(value.value):
        return "–"
    form = f"{sign}.3f"
    return f"{value.value:{form}} [{value.low:{form}}, {value.high:{form}}]"
