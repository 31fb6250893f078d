"""`python -m train.evaluate`: COCO AP of weights, presets and decoders, and comparisons of it."""

from __future__ import annotations

import argparse
import hashlib
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from pose.decode import DecodeSettings
from pose.errors import UserError
from pose.presets import PRESETS, Preset, get_preset
from pose.redaction import redacted
from train.coco import annotation_file, image_folder, read_names
from train.coco_truth import FoundImages, choose_ids, find_images, read_truth, sha256_of
from train.compare import TITLES, check_picture, compare, draw_comparison, table
from train.measuring import (
    Metrics,
    answer_all,
    batches_of,
    default_batch_size,
    evaluate_estimator,
    limited,
    metrics_of,
)
from train.metrics_file import journal_path, results_path, write_metrics

__all__ = ["Metrics", "evaluate_estimator", "main"]

PROGRAM = "python -m train.evaluate"
COMPARING = frozenset({"compare", "plot", "output", "data"})
"""Options that do not belong to measuring alone."""


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Measures COCO keypoint AP, or compares measurements.",
        epilog="Beside metrics.json it writes metrics.results.json, which evaluation servers take "
        "and pycocotools scores to the same figures.",
    )
    add = parser.add_argument
    add("--data", type=Path, metavar="COCO_DIR", help="folder with annotations/ and the images")
    add("--split", default="val2017", help="default val2017")
    add("--weights", default="mobilenet-thin", metavar="NAME|FILE|HUB_ID")
    add("--weights-dir", type=Path, metavar="DIR", help="folder of training runs (default runs)")
    add("--preprocessing", metavar="NAME", help="overrule the checkpoint's own normalisation")
    add("--preset", default="balanced", choices=PRESETS)
    add("--short-sides", metavar="N,N", help="other input sizes than the preset's, in pixels")
    add("--flip", action=argparse.BooleanOptionalAction, help="overrule the preset's mirrored view")
    add("--output", type=Path, metavar="FILE", help="metrics.json, or the picture of a comparison")
    add("--limit", type=int, metavar="N", help="only the first N images with a file")
    add("--image-ids", type=Path, metavar="FILE", help="only these: an id or file name a line")
    add("--device", default="auto", metavar="auto|cpu|cuda")
    add("--batch-size", type=int, metavar="N", help="photos at once (default 8 on a GPU, else 1)")
    add("--resume", action="store_true", help="go on with a stopped measurement")
    add_decoder_options(parser)
    add("--compare", nargs=2, type=Path, metavar=("A.json", "B.json"), help="two measurements")
    add("--plot", nargs="+", type=Path, metavar="METRICS", help="draw AP against time to --output")
    return parser


def add_decoder_options(parser: argparse.ArgumentParser) -> None:
    """An option for each field of `DecodeSettings`."""
    group = parser.add_argument_group("decoder settings")
    for field in fields(DecodeSettings):
        name = f"--{field.name.replace('_', '-')}"
        if isinstance(field.default, bool):
            group.add_argument(name, action=argparse.BooleanOptionalAction)
        else:
            group.add_argument(name, type=type(field.default), help=f"default {field.default}")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 0 on success, 2 with one line on stderr for a user's mistake."""
    argv = sys.argv[1:] if argv is None else list(argv)
    parser = make_parser()
    arguments = parser.parse_args(argv)
    try:
        if arguments.compare or arguments.plot:
            check_alone(parser, arguments)
        if arguments.compare:
            show_comparison(arguments)
        elif arguments.plot:
            plot(arguments)
        else:
            measure(arguments, redacted(f"{PROGRAM} {shlex.join(argv)}"))
    except UserError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{PROGRAM}: stopped; the same command with --resume goes on", file=sys.stderr)
        return 130
    return 0


def check_alone(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Refuses options that a comparison would ignore."""
    given = [k for k, v in vars(arguments).items() if v != parser.get_default(k)]
    other = [f"--{name.replace('_', '-')}" for name in given if name not in COMPARING]
    if (arguments.compare and arguments.plot) or other:
        wrong = other[0] if other else "--plot"
        mode = "--compare" if arguments.compare else "--plot"
        raise UserError(f"{wrong} does not go with {mode}, which only reads what was measured.")


def show_comparison(arguments: argparse.Namespace) -> None:
    if arguments.output:
        check_picture(arguments.output)
    comparison = compare(*arguments.compare, arguments.data)
    print(table(comparison))
    if arguments.output:
        draw_comparison(comparison, arguments.output)


def plot(arguments: argparse.Namespace) -> None:
    from train.accuracy_plot import draw_accuracy, read_comparable

    if arguments.output is None:
        raise UserError("--plot needs --output, the name of the picture.")
    check_picture(arguments.output)
    draw_accuracy(read_comparable(arguments.plot), arguments.output)


def measure(arguments: argparse.Namespace, command: str) -> None:
    """Measures, tells and writes."""
    check_measuring(arguments)
    from pose.estimator import PoseEstimator
    from train.evaluation_journal import EvaluationJournal
    from train.machine import hardware_line, library_versions

    preset = chosen_preset(arguments)
    names = [field.name for field in fields(DecodeSettings)]
    decoder = DecodeSettings().changed(**{name: getattr(arguments, name) for name in names})
    truth = read_truth(annotation_file(arguments.data, arguments.split))
    ids = choose_ids(truth, read_names(arguments.image_ids), str(arguments.image_ids))
    folder = image_folder(arguments.data, arguments.split)
    files = limited(find_images(truth, folder, ids), arguments.limit)
    estimator = PoseEstimator.from_pretrained(
        arguments.weights,
        device=arguments.device,
        preset=preset,
        settings=decoder,
        preprocessing=arguments.preprocessing,
        weights_dir=arguments.weights_dir,
    )
    if estimator.device.type == "cuda":
        same_kernels_each_time()
    batch_size = arguments.batch_size or default_batch_size(estimator)
    settings = settings_content(arguments, estimator, batch_size)
    journal = EvaluationJournal(
        journal_path(arguments.output), {**settings, "images": ids_sha256(files)}
    )
    if journal.path.exists() and not arguments.resume:
        print("An interrupted measurement is begun anew, not gone on with.", file=sys.stderr)
    done = journal.read() if arguments.resume else []
    journal.begin(done)
    tell_missing(files)
    try:
        answers = list(
            answer_all(
                estimator,
                batches_of(files.found, batch_size),
                preset=preset,
                done=done,
                keep=journal.add,
                progress=True,
            )
        )
    finally:
        journal.close()
    metrics = metrics_of(truth, files, answers)
    content = write_metrics(
        arguments.output,
        metrics,
        command=command,
        settings=settings,
        hardware=hardware_line(estimator.device),
        versions=library_versions(),
        notes=estimator.weights.notes,
    )
    journal.remove()
    print(report(metrics, content))
    print(f"Written: {arguments.output} and {results_path(arguments.output)}")


def check_measuring(arguments: argparse.Namespace) -> None:
    """Refuses what is missing or impossible before any work is done."""
    for name in ("data", "output"):
        if getattr(arguments, name) is None:
            raise UserError(f"--{name} is needed; see {PROGRAM} --help.")
    for name in ("limit", "batch_size"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise UserError(f"--{name.replace('_', '-')} is at least 1, not {value}.")
    if arguments.output.is_dir():
        raise UserError(f"{arguments.output} is a folder; --output is a file: metrics.json.")


def chosen_preset(arguments: argparse.Namespace) -> Preset:
    """The preset, or one of its own name where its views are overruled."""
    preset = get_preset(arguments.preset)
    if arguments.short_sides is None and arguments.flip is None:
        return preset
    sides, flip = preset.short_sides, preset.flip if arguments.flip is None else arguments.flip
    if arguments.short_sides is not None:
        try:
            sides = tuple(int(side) for side in arguments.short_sides.split(","))
        except ValueError:
            sides = ()
        if not sides or not all(64 <= side <= 2048 for side in sides):
            raise UserError(
                f"--short-sides is one or more sizes from 64 to 2048 with commas, not "
                f"{arguments.short_sides!r}."
            )
    return Preset(f"{'+'.join(map(str, sides))}{' flip' if flip else ''}", sides, flip)


def same_kernels_each_time() -> None:
    """Lets CUDA pick its kernels by rule rather than by racing them: equal runs, equal figures."""
    import torch

    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True


def settings_content(
    arguments: argparse.Namespace, estimator: Any, batch_size: int
) -> dict[str, Any]:
    """Everything that decides the figures."""
    from train.machine import program_sha256

    annotations = annotation_file(arguments.data, arguments.split).resolve()
    card = estimator.weights.card
    return {
        "split": arguments.split,
        "annotations": {"file": str(annotations), "sha256": sha256_of(annotations)},
        "weights": {
            "name": str(arguments.weights),
            "sha256": estimator.weights.sha256,
            "network": card.network,
            "preprocessing": card.preprocessing,
        },
        "preset": asdict(estimator.preset),
        "decoder": asdict(estimator.settings),
        "device": str(estimator.device),
        "engine": {"name": estimator.engine.name, "precision": estimator.engine.precision},
        "batch_size": batch_size,
        "program_sha256": program_sha256(),
    }


def ids_sha256(files: FoundImages) -> str:
    """Names a choice of images."""
    text = " ".join(str(file.image_id) for file in files.found)
    return hashlib.sha256(text.encode()).hexdigest()


def tell_missing(files: FoundImages) -> None:
    if files.missing:
        others = f" and {len(files.missing) - 1} others" if len(files.missing) > 1 else ""
        print(
            f"{len(files.missing)} images have no file and are not measured: "
            f"{files.missing[0]}{others}",
            file=sys.stderr,
        )


def report(metrics: Metrics, content: Mapping[str, Any]) -> str:
    """The figures for people, with all that is needed to get them again."""
    settings, images = content["settings"], content["images"]
    preset = settings["preset"]
    views = f"shorter side {', '.join(map(str, preset['short_sides']))}" + (
        ", mirrored too" if preset["flip"] else ""
    )
    low, high = content["intervals"]["ap"]
    chance = "" if low is None else f"   90 % interval over images: {low:.4f} to {high:.4f}"
    lines = [
        content["command"],
        f"{settings['split']}: {images['measured']} images measured, {images['missing']} without "
        f"a file, {images['broken']} broken",
        *(f"  broken: {image.reason}" for image in metrics.broken),
        f"weights {settings['weights']['name']} (sha256 {settings['weights']['sha256'][:12]}), "
        f"preset {preset['name']} ({views}), {settings['device']}, "
        f"engine {settings['engine']['name']} in {settings['engine']['precision']}",
        *(f"note: {note}" for note in content["notes"]),
        "",
        *(
            f"{TITLES[name]:<10} {value:.4f}{chance if name == 'ap' else ''}"
            for name, value in metrics.figures.items()
        ),
        "",
        f"{metrics.people} labelled people: {metrics.people - metrics.missed} found (OKS 0.5), "
        f"{metrics.missed} missed; {metrics.invented} invented",
        "Keypoints of found people within their OKS distance (KS > 0.5):",
        *(
            f"  {joint.name:<15} {joint.rate:6.1%} of {joint.of_matched}"
            for joint in metrics.per_joint
        ),
        "Milliseconds a photo, median (mean): "
        + ", ".join(
            f"{step} {1000 * time.median:.1f} ({1000 * time.mean:.1f})"
            for step, time in metrics.timings.items()
        ),
        f"on {content['hardware']}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
