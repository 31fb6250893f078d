"""python -m pose weights and push: the catalogue, and publishing weights on the Hub."""

from __future__ import annotations

import argparse
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pose.weights.catalogue import WeightsCard

COLUMNS = ("name", "network", "source", "size", "licence", "preprocessing", "AP", "here")


def add_parsers(subparsers: argparse._SubParsersAction) -> None:
    """Declares `weights` and `push`."""
    weights = subparsers.add_parser(
        "weights", help="list the available weights", description="Lists the available weights."
    )
    add_weights_dir(weights)
    weights.set_defaults(run=run_weights)

    push = subparsers.add_parser(
        "push",
        help="publish weights on the Hugging Face Hub",
        description="Publishes weights, their metadata and a model card.",
    )
    push.add_argument("--weights", required=True, metavar="RUN", help="a run, or a weights file")
    push.add_argument("--repo", required=True, metavar="OWNER/NAME", help="the Hub repository")
    push.add_argument("--dry-run", metavar="DIR", help="write the folder here, send nothing")
    push.add_argument("--private", action="store_true", help="make the repository private")
    add_weights_dir(push)
    push.set_defaults(run=run_push)


def add_weights_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weights-dir",
        metavar="DIR",
        help="folder of finished runs (default: POSE_WEIGHTS_DIR, else runs)",
    )


def run_weights(args: argparse.Namespace) -> int:
    from pose.weights.catalogue import catalogue

    cards = catalogue(args.weights_dir)
    print(table(cards))
    for note in dict.fromkeys(note for card in cards for note in card.notes):
        print(textwrap.fill(note, 100))
    return 0


def table(cards: list[WeightsCard]) -> str:
    """The catalogue as aligned columns."""
    rows = [COLUMNS, *(row(card) for card in cards)]
    widths = [max(len(r[i]) for r in rows) for i in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(value.ljust(width) for value, width in zip(r, widths, strict=True)).rstrip()
        for r in rows
    )


def row(card: WeightsCard) -> tuple[str, ...]:
    """One card's cells; a dash for what is not known."""
    source = card.source if len(card.source) <= 60 else card.source[:59] + "…"
    return (
        card.name,
        card.network or "-",
        source,
        f"{card.size_bytes / 1e6:.1f} MB" if card.size_bytes is not None else "-",
        card.licence,
        card.preprocessing or "-",
        f"{card.ap:.3f}" if card.ap is not None else "-",
        "yes" if card.present else "no",
    )


def run_push(args: argparse.Namespace) -> int:
    from pose.weights.push import push, write_folder

    if args.dry_run:
        files = write_folder(args.weights, args.repo, args.dry_run, weights_dir=args.weights_dir)
        print(f"Wrote what would be published as {args.repo}:")
        for file in files:
            print(f"  {file}")
    else:
        address = push(args.weights, args.repo, weights_dir=args.weights_dir, private=args.private)
        print(f"Published {address}")
    return 0
