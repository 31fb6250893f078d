"""The options of `python -m train.evaluate`, and the preset that they name."""

from __future__ import annotations

import argparse
from dataclasses import fields, replace
from pathlib import Path

from pose.decoding.decode import DecodeSettings
from pose.errors import UserError
from pose.presets import PRESETS, Preset, get_preset
from train.data.read import add_source_options

PROGRAM = "python -m train.evaluate"


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Measures COCO keypoint AP, or compares measurements.",
        epilog="Beside metrics.json it writes metrics.results.json, which evaluation servers take "
        "and pycocotools scores to the same metrics.",
    )
    add_source_options(parser, split="val2017")
    add = parser.add_argument
    add("--weights", default="mobilenet-thin", metavar="NAME|FILE|HUB_ID")
    add("--weights-dir", type=Path, metavar="DIR", help="folder of training runs (default runs)")
    add("--preprocessing", metavar="NAME", help="overrule the checkpoint's own normalisation")
    add("--preset", default="balanced", choices=PRESETS)
    add("--short-sides", metavar="N,N", help="other input sizes than the preset's, in pixels")
    add(
        "--person-heights",
        metavar="N,N|none",
        help="body heights, in pixels, at which a second pass runs people again",
    )
    add("--flip", action=argparse.BooleanOptionalAction, help="overrule the preset's mirrored view")
    add("--output", type=Path, metavar="FILE", help="metrics.json, or the picture of --plot")
    add("--limit", type=int, metavar="N", help="only the first N images with a photo")
    add("--image-ids", type=Path, metavar="FILE", help="only these: an id or file name a line")
    add("--device", default="auto", metavar="auto|cpu|cuda")
    add("--batch-size", type=int, metavar="N", help="photos at once (default 8 on a GPU, else 1)")
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


def chosen_preset(arguments: argparse.Namespace) -> Preset:
    """The preset, or one of its own name where its scales are overruled."""
    preset = get_preset(arguments.preset)
    sides, heights = preset.short_sides, preset.person_heights
    flip = preset.flip if arguments.flip is None else arguments.flip
    if arguments.short_sides is not None:
        sides = sizes("--short-sides", arguments.short_sides)
    if arguments.person_heights is not None:
        none = arguments.person_heights == "none"
        heights = () if none else sizes("--person-heights", arguments.person_heights)
    changed = replace(preset, short_sides=sides, flip=flip, person_heights=heights)
    return preset if changed == preset else replace(changed, name=scales_name(changed))


def sizes(option: str, text: str) -> tuple[int, ...]:
    """Sizes in pixels from "276,460".

    Raises:
        UserError: no numbers, or out of range.
    """
    try:
        found = tuple(int(size) for size in text.split(","))
    except ValueError:
        found = ()
    if not found or not all(64 <= size <= 2048 for size in found):
        raise UserError(f"{option} is one or more sizes from 64 to 2048 with commas, not {text!r}.")
    return found


def scales_name(preset: Preset) -> str:
    """A name such as "368 crops 180+320 flip"."""
    crops = f" crops {'+'.join(map(str, preset.person_heights))}" if preset.person_heights else ""
    return f"{'+'.join(map(str, preset.short_sides))}{crops}{' flip' if preset.flip else ''}"
