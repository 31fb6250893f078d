"""python -m pose: detect, weights, export, push, summary."""

from __future__ import annotations

import argparse
import os
import sys

from pose.errors import UserError
from pose.version import __version__


def build_parser() -> argparse.ArgumentParser:
    """The command line; each subcommand lives in a module of `pose.cli`."""
    # Imported here: asking for help should not wait for every library.
    from pose.cli import detect, export, summary, weights

    parser = argparse.ArgumentParser(
        prog="python -m pose", description="Multi-person 2D pose estimation, OpenPose style."
    )
    parser.add_argument("--version", action="version", version=f"pose {__version__}")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (detect, weights, export, summary):
        command.add_parsers(subparsers)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Runs a command; 0 on success, 2 with one line on stderr for a user's mistake."""
    args = build_parser().parse_args(argv)
    try:
        return args.run(args)
    except UserError as error:
        print(f"python -m pose: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("python -m pose: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output left (`| head`); its side of the pipe is gone for good.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
