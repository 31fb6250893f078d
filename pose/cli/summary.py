"""python -m pose summary: the layer table of a network."""

from __future__ import annotations

import argparse

from pose.networks.names import NETWORK_NAMES


def add_parsers(subparsers: argparse._SubParsersAction) -> None:
    """Declares `summary`."""
    parser = subparsers.add_parser("summary", help="print the layer table of a network")
    parser.add_argument("--network", choices=NETWORK_NAMES, default="openpose")
    parser.add_argument(
        "--batch", type=int, default=32, help="batch size of the sizes (default 32)"
    )
    parser.add_argument("--size", type=int, default=368, help="input side in pixels (default 368)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Prints the table."""
    from pose.networks.summary import summary_text

    print(summary_text(args.network, args.batch, args.size))
    return 0
