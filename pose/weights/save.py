"""Saving weights with everything needed to load them again."""

from __future__ import annotations

import copy
import json
import struct
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from pose.errors import UserError
from pose.files import write_atomically
from pose.networks.build import NETWORKS, MobileNetThin
from pose.networks.preprocessing import PREPROCESSINGS
from pose.version import __version__
from pose.weights.known_files import FORMAT_MARKER

FORMAT_VERSION = "1"


def save_weights(
    path: str | Path,
    network: nn.Module,
    *,
    preprocessing: str,
    metadata: Mapping[str, str] | None = None,
    half: bool = False,
) -> Path:
    """Writes a network's weights and metadata by an atomic rename.

    Batch norms are folded away first (in a copy). Tensors are float32, or float16 with `half`.

    Args:
        path: `.safetensors` (recommended), or `.pth` / `.pt` for PyTorch's own format, which is
            {"state_dict": …, "metadata": …}.
        network: one of `pose.networks.NETWORKS`.
        preprocessing: name of the normalisation the weights belong to.
        metadata: other texts to store, for instance "licence", "ap", "source", "settings".

    Raises:
        UserError: unknown ending, network or preprocessing, or a place that cannot be written.
    """
    path = Path(path)
    name = getattr(network, "name", None)
    if name not in NETWORKS:
        raise UserError(f"{type(network).__name__} is not a network we can save")
    if preprocessing not in PREPROCESSINGS:
        raise UserError(
            f"no preprocessing is called {preprocessing!r}; the names are: "
            f"{', '.join(PREPROCESSINGS)}"
        )
    if path.suffix not in (".safetensors", ".pth", ".pt"):
        raise UserError(f"{path} should end in .safetensors or .pth")
    dtype = torch.float16 if half else torch.float32
    state = {
        key: value.detach().to("cpu", dtype).contiguous()
        for key, value in plain_state(network).items()
    }
    texts = {
        **{key: str(value) for key, value in (metadata or {}).items()},
        "format": FORMAT_MARKER,
        "format_version": FORMAT_VERSION,
        "library_version": __version__,
        "network": name,
        "preprocessing": preprocessing,
    }
    if path.suffix == ".safetensors":
        write_atomically(path, lambda temporary: write_safetensors(state, temporary, texts))
    else:
        content = {"state_dict": state, "metadata": texts}
        write_atomically(path, lambda temporary: torch.save(content, temporary))
    return path


def write_safetensors(
    state: Mapping[str, torch.Tensor], path: Path, metadata: Mapping[str, str]
) -> None:
    """Writes a safetensors file whose bytes depend on its content alone."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    try:
        save_file(dict(state), path, metadata=dict(metadata))
    except SafetensorError as error:  # a full disk
        raise OSError(str(error)) from None
    # The library writes the metadata in an order that changes from run to run.
    with path.open("r+b") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
        if len(text) <= length:
            file.seek(8)
            file.write(text.ljust(length))


def plain_state(network: nn.Module) -> dict[str, torch.Tensor]:
    """The state dict without batch norms; the network itself does not change."""
    if isinstance(network, MobileNetThin):
        network = copy.deepcopy(network).eval()
        network.fold()
    return network.state_dict()
