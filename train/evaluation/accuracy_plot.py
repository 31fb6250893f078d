"""AP against time per photo, for weights and presets."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from pose.errors import UserError
from pose.files import write_bytes
from train.evaluation.metrics_file import RESULTS, read_run

PICTURES = (".png", ".svg", ".pdf", ".jpg", ".webp")


def draw_accuracy(paths: Sequence[Path], output: Path) -> None:
    """A point a run, its interval as an error bar, and a line through the points of each weights.

    Args:
        paths: metrics.json files; the results beside them are passed over.
        output: a picture's name.

    Raises:
        UserError: a file cannot be read, the files are not of the same images, or the picture
            cannot be written.
    """
    if output.suffix.lower() not in PICTURES:
        raise UserError(f"{output} must end in {', '.join(PICTURES)}.")
    chosen = [path for path in paths if not path.name.endswith(RESULTS)] or paths
    runs = [read_run(path) for path in chosen]
    if len({(run.annotations_sha256, run.image_ids) for run in runs}) > 1:
        raise UserError("The files were measured on different images; measure all on the same.")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullFormatter, ScalarFormatter

    figure = Figure(figsize=(8, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for weights in dict.fromkeys(run.weights for run in runs):
        points = sorted((r for r in runs if r.weights == weights), key=lambda r: r.seconds)
        times = [1000 * run.seconds for run in points]
        values = [run.ap for run in points]
        below = [v.value - v.low for v in values]
        above = [v.high - v.value for v in values]
        axes.errorbar(
            times, [v.value for v in values], [below, above], fmt="o-", capsize=4, label=weights
        )
        for run, time, value in zip(points, times, values, strict=True):
            axes.annotate(
                f"{run.preset}  {value.value:.3f}",
                (time, value.value),
                xytext=(7, -13),
                textcoords="offset points",
                fontsize="small",
            )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.margins(x=0.25, y=0.1)
    axes.set_xlabel("median time per photo [ms], without reading the file")
    axes.set_ylabel("COCO keypoint AP, 90 % bootstrap interval")
    axes.set_title(f"{len(runs[0].image_ids)} images of {runs[0].source.split}")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    machines = dict.fromkeys(run.hardware for run in runs)
    figure.supxlabel(" · ".join(machines), fontsize="x-small")
    content = io.BytesIO()
    figure.savefig(content, format=output.suffix[1:].lower(), dpi=130)
    write_bytes(output, content.getvalue())
