"""Two measurements side by side, with how much of the difference is chance."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path

from pose.errors import UserError
from pose.export import write_bytes_atomically
from train.bootstrap import FIGURES, RESAMPLES, Interval, PairedIntervals, paired_intervals
from train.coco import annotation_file
from train.coco_metrics import Score, score_results
from train.coco_truth import read_truth, sha256_of
from train.metrics_file import Run, read_results, read_run

TITLES = {
    "ap": "AP", "ap50": "AP50", "ap75": "AP75", "ap_medium": "AP medium", "ap_large": "AP large",
    "ar": "AR", "ar50": "AR50", "ar75": "AR75", "ar_medium": "AR medium", "ar_large": "AR large",
}  # fmt: skip
"""COCO's ten figures as people write them, in the order of `train.bootstrap.FIGURES`."""

PICTURES = (".png", ".svg", ".pdf", ".jpg", ".webp")
COLOR_A, COLOR_B = "#1f6fb4", "#d1660f"


@dataclass(frozen=True)
class Comparison:
    """Two runs on the images that both measured.

    Attributes:
        first, second: what was read.
        images: how many images both measured.
        first_score, second_score: on these images alone.
        figures: COCO's ten figures there and their differences, with intervals.
    """

    first: Run
    second: Run
    images: int
    first_score: Score
    second_score: Score
    figures: PairedIntervals


def compare(
    first: Path, second: Path, data: Path | None = None, resamples: int = RESAMPLES
) -> Comparison:
    """Scores the results of two metrics.json files again, on the images they have in common.

    Args:
        data: COCO's folder, where the annotations are not in their old place any more.
        resamples: of the images, for the intervals.

    Raises:
        UserError: a file is missing or changed, or the two have no images in common.
    """
    a, b = read_run(first), read_run(second)
    annotations = common_annotations(a, b, data)
    ids = sorted(set(a.image_ids) & set(b.image_ids))
    if not ids:
        raise UserError(f"{first} and {second} have no image in common.")
    truth = read_truth(annotations)
    scores = [score_results(truth, read_results(run), ids) for run in (a, b)]
    return Comparison(
        a,
        b,
        len(ids),
        *scores,
        paired_intervals(scores[0].matches, scores[1].matches, resamples),
    )


def common_annotations(first: Run, second: Run, data: Path | None) -> Path:
    """The annotation file of both.

    Raises:
        UserError: they have different ones, or it is not there.
    """
    if first.annotations_sha256 != second.annotations_sha256:
        raise UserError(
            f"{first.path} and {second.path} were measured with different annotations; nothing "
            "can be compared."
        )
    path = Path(first.content["settings"]["annotations"]["file"])
    if data is not None:
        path = annotation_file(data, first.split)
    if not path.is_file():
        raise UserError(f"There is no file {path} any more; give --data COCO_DIR.")
    if sha256_of(path) != first.annotations_sha256:
        raise UserError(f"{path} has changed since {first.path} was made; measure again.")
    return path


def verdict(difference: Interval) -> str:
    """Which one is better, or that chance could have done it."""
    if math.isnan(difference.low):
        return ""
    if difference.low > 0:
        return "B better"
    return "A better" if difference.high < 0 else "noise"


def table(comparison: Comparison) -> str:
    """The comparison for people."""
    a, b = comparison.first, comparison.second
    lines = [
        f"A: {a.label}   ({a.path})",
        f"B: {b.label}   ({b.path})",
        f"{comparison.images} images of {a.split} measured in both. In brackets: 90 % bootstrap "
        "intervals over images;",
        "B − A on the same images; noise = the interval of the difference holds 0.",
        "",
        f"{'':<10}  {'A':<22}  {'B':<22}  {'B − A':<25}",
    ]
    for name in FIGURES:
        difference = comparison.figures.difference[name]
        lines.append(
            f"{TITLES[name]:<10}  {shown(comparison.figures.first[name]):<22}  "
            f"{shown(comparison.figures.second[name]):<22}  {shown(difference, '+'):<25}  "
            f"{verdict(difference)}".rstrip()
        )
    for title, name in (("missed", "missed"), ("invented", "invented"), ("people", "people")):
        one, two = (getattr(s, name) for s in (comparison.first_score, comparison.second_score))
        lines.append(f"{title:<10}  {one:<22}  {two:<22}  {two - one:+d}")
    ms = [f"{1000 * run.seconds:.1f} ms" for run in (a, b)]
    ratio = b.seconds / a.seconds if a.seconds else float("nan")
    lines.append(f"{'per photo':<10}  {ms[0]:<22}  {ms[1]:<22}  × {ratio:.2f}")
    if a.hardware != b.hardware:
        lines.append(f"The times are of different machines: A {a.hardware}; B {b.hardware}.")
    if len(a.image_ids) != len(b.image_ids) or comparison.images < len(a.image_ids):
        lines.append(
            f"A was measured on {len(a.image_ids)} images and B on {len(b.image_ids)}; only the "
            f"{comparison.images} of both count here."
        )
    return "\n".join(lines)


def shown(value: Interval, sign: str = "") -> str:
    if math.isnan(value.value):
        return "–"
    form = f"{sign}.3f"
    return f"{value.value:{form}} [{value.low:{form}}, {value.high:{form}}]"


def check_picture(path: Path) -> None:
    """Refuses a name that is no picture's, before any work is done.

    Raises:
        UserError: the ending is unknown.
    """
    if path.suffix.lower() not in PICTURES:
        raise UserError(f"{path} is not a picture's name; end it in {', '.join(PICTURES)}.")


def draw_comparison(comparison: Comparison, output: Path) -> None:
    """A picture of the table: the figures of both, and the differences with zero marked.

    Raises:
        UserError: it cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    names = [n for n in FIGURES if not math.isnan(comparison.figures.difference[n].low)]
    figure = Figure(figsize=(11, 1.8 + 0.42 * len(names)), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, sharey=True)
    for values, offset, color, letter, run in (
        (comparison.figures.first, -0.13, COLOR_A, "A", comparison.first),
        (comparison.figures.second, 0.13, COLOR_B, "B", comparison.second),
    ):
        for row, name in enumerate(names):
            label = f"{letter}: {run.label}" if row == 0 else None
            draw_interval(left, values[name], row + offset, color, label)
    for row, name in enumerate(names):
        difference = comparison.figures.difference[name]
        color = {"A better": COLOR_A, "B better": COLOR_B}.get(verdict(difference), "#888888")
        draw_interval(right, difference, row, color, None)
    right.axvline(0, color="black", linewidth=0.8)
    left.set_yticks(range(len(names)), [TITLES[n] for n in names])
    left.invert_yaxis()
    left.set_xlabel("figure")
    right.set_xlabel("B − A (grey: noise)")
    for axes in (left, right):
        axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    figure.supxlabel(
        f"{comparison.images} images of {comparison.first.split}, 90 % bootstrap intervals over "
        "images",
        fontsize="small",
    )
    save_picture(figure, output)


def draw_interval(axes, value: Interval, row: float, color: str, label: str | None) -> None:
    axes.plot([value.low, value.high], [row, row], color=color, linewidth=2, alpha=0.6)
    axes.plot([value.value], [row], "o", color=color, label=label)


def save_picture(figure, output: Path) -> None:
    """Writes a Matplotlib figure as a whole."""
    check_picture(output)
    content = io.BytesIO()
    figure.savefig(content, format=output.suffix[1:].lower(), dpi=130)
    write_bytes_atomically(output, content.getvalue())
