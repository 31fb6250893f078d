"""`python -m train.average`: the mean of several runs' weights, often better than each of them.

Runs from the same weights with other seeds learn the same and err differently ("Model soups",
Wortsman et al., arXiv 2203.05482). The weights they started from may be among them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from pose.errors import UserError
from pose.networks.build import PoseNetwork
from pose.weights.load import LoadedWeights, load_weights
from pose.weights.save import save_weights
from train.run_directory import RunDirectory


def averaged(weights: Sequence[LoadedWeights]) -> PoseNetwork:
    """The first network with the mean of all weights.

    Raises:
        UserError: they are of different networks, or expect different inputs.
    """
    first = weights[0]
    for other in weights[1:]:
        kinds = [(w.network.name, w.preprocessing.name, w.shift) for w in (first, other)]
        if kinds[0] != kinds[1]:
            raise UserError(
                f"{other.card.name} does not fit {first.card.name}: only runs from the same "
                "weights can be averaged."
            )
    states = [w.network.state_dict() for w in weights]
    mean = {key: torch.stack([state[key] for state in states]).mean(0) for key in states[0]}
    first.network.load_state_dict(mean)
    return first.network


def average(names: Sequence[str], output: Path) -> Path:
    """Writes the mean into a folder that the page lists like a run.

    Args:
        names: what `load_weights` takes; who is named twice counts twice.

    Returns:
        The weights file.

    Raises:
        UserError: weights are missing or do not fit, or the folder holds a run.
    """
    folder = RunDirectory(output)
    if folder.started:
        raise UserError(f"{output} holds an earlier run; give another --output.")
    weights = [load_weights(name) for name in names]
    licences = dict.fromkeys(w.metadata["licence"] for w in weights)
    metadata = {
        "title": f"{output.name}, {weights[0].network.name}",
        "source": f"the mean of {', '.join(names)}",
        "licence": ", ".join(licences),
        "shift": "{:g},{:g}".format(*weights[0].shift),
    }
    network, preprocessing = averaged(weights), weights[0].preprocessing.name
    save_weights(folder.weights, network, preprocessing=preprocessing, metadata=metadata)
    return folder.weights


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 2 for a user's mistake."""
    parser = argparse.ArgumentParser(
        prog="python -m train.average",
        description="Write the mean of several runs' weights.",
    )
    parser.add_argument("weights", nargs="+", metavar="NAME|FILE|RUN_DIR")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    arguments = parser.parse_args(argv)
    try:
        written = average(arguments.weights, arguments.output)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"Weights: {written}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
