"""`python -m train`: trains a network on COCO keypoints into a run directory."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 0 when finished or interrupted, 2 for a user's mistake, 130 for Ctrl-C."""
    try:
        # Loading takes seconds, in which Ctrl-C is to be no accident either.
        from train.command import run

        return run(argv)
    except KeyboardInterrupt:
        print("Stopped at once; a checkpoint that was written is kept.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
