"""`python -m train.evaluate`: COCO AP of weights and presets, and comparisons of measurements."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields

from pose.decoding.decode import DecodeSettings
from pose.errors import UserError, redacted
from pose.weights.load import file_sha256
from train.data.read import Source, find_source
from train.data.samples import read_names
from train.evaluation.compare import compare
from train.evaluation.ground_truth import choose_images
from train.evaluation.measure import default_batch_size, evaluate_images
from train.evaluation.metrics_file import results_path, write_metrics
from train.evaluation.options import PROGRAM, chosen_preset, make_parser
from train.evaluation.report import report

BESIDE = {
    "compare": {"compare", "data", "split", "annotations", "images"},
    "plot": {"plot", "output"},
}
"""The options that go with each of the two that only load earlier measurements."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 0 on success, 2 with one line on stderr for a user's mistake."""
    argv = sys.argv[1:] if argv is None else list(argv)
    parser = make_parser()
    arguments = parser.parse_args(argv)
    given = {k for k, v in vars(arguments).items() if v != parser.get_default(k)}
    try:
        for mode in sorted(given & BESIDE.keys()):
            for name in sorted(given - BESIDE[mode]):
                raise UserError(
                    f"--{name.replace('_', '-')} does not go with --{mode}, which only loads "
                    "earlier measurements."
                )
        if arguments.compare:
            moved = arguments.data or arguments.annotations
            first, second = arguments.compare
            print(compare(first, second, source_of(arguments) if moved else None))
        elif arguments.plot:
            from train.evaluation.accuracy_plot import draw_accuracy

            if arguments.output is None:
                raise UserError("--plot needs --output, the name of the picture.")
            draw_accuracy(arguments.plot, arguments.output)
        else:
            measure(arguments, redacted(f"{PROGRAM} {shlex.join(argv)}"))
    except UserError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{PROGRAM}: stopped; nothing was written", file=sys.stderr)
        return 130
    return 0


def source_of(arguments: argparse.Namespace) -> Source:
    """The data set that the options name."""
    return find_source(arguments.data, arguments.split, arguments.annotations, arguments.images)


def measure(arguments: argparse.Namespace, command: str) -> None:
    """Measures, prints the report and writes the files."""
    check_measuring(arguments)
    from pose.estimator import PoseEstimator
    from train.evaluation.machine import hardware_line, library_versions

    preset = chosen_preset(arguments)
    names = [field.name for field in fields(DecodeSettings)]
    decoder = DecodeSettings().changed(**{name: getattr(arguments, name) for name in names})
    source = source_of(arguments)
    annotations = source.read()
    wanted = read_names(arguments.image_ids)
    chosen = choose_images(annotations, wanted, arguments.limit, str(arguments.image_ids))
    estimator = PoseEstimator.from_pretrained(
        arguments.weights,
        device=arguments.device,
        preset=preset,
        settings=decoder,
        preprocessing=arguments.preprocessing,
        weights_dir=arguments.weights_dir,
    )
    if estimator.device.type == "cuda":
        make_cudnn_deterministic()
    for note in annotations.notes:
        print(note, file=sys.stderr)
    if chosen.missing:
        others = f" and {len(chosen.missing) - 1} others" if len(chosen.missing) > 1 else ""
        print(
            f"{len(chosen.missing)} images have no photo and are not measured: "
            f"{chosen.missing[0]}{others}",
            file=sys.stderr,
        )
    batch_size = arguments.batch_size or default_batch_size(estimator)
    metrics = evaluate_images(
        estimator, chosen, preset=preset, batch_size=batch_size, progress=True
    )
    card = estimator.weights.card
    about = {
        "command": command,
        "settings": {
            "split": source.split,
            "annotations": {
                "file": str(source.file.resolve()),
                "sha256": file_sha256(source.file),
                "photos": str(source.folder.resolve()),
            },
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
        },
        "hardware": hardware_line(estimator.device),
        "versions": library_versions(),
        "notes": estimator.notes,
    }
    print(report(metrics, write_metrics(arguments.output, metrics, about)))
    print(f"Written: {arguments.output} and {results_path(arguments.output)}")


def check_measuring(arguments: argparse.Namespace) -> None:
    """Refuses what is missing or impossible before any work is done."""
    if arguments.output is None:
        raise UserError(f"--output is needed; see {PROGRAM} --help.")
    for name in ("limit", "batch_size"):
        value = getattr(arguments, name)
        if value is not None and value < 1:
            raise UserError(f"--{name.replace('_', '-')} is at least 1, not {value}.")
    if arguments.output.is_dir():
        raise UserError(f"{arguments.output} is a folder; --output is a file: metrics.json.")


def make_cudnn_deterministic() -> None:
    """Lets CUDA pick its kernels by rule rather than by racing them: equal runs, equal metrics."""
    import torch

    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True


if __name__ == "__main__":
    sys.exit(main())
