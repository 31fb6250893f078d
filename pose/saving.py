"""Writing weights with everything needed to use them again."""

from __future__ import annotations

import copy
import json
import os
import shutil
import struct
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import nn

from pose.errors import UserError
from pose.known_files import FORMAT_MARKER
from pose.networks import NETWORKS
from pose.preprocessing import PREPROCESSINGS

FORMAT_VERSION = "1"
LIBRARY_VERSION = "0.1.0"
"""Written into every weights file; follows pyproject.toml."""


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
        metadata: further texts to keep, for instance "licence", "ap", "source", "settings".

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
        "library_version": LIBRARY_VERSION,
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
    from safetensors.torch import save_file

    save_file(dict(state), path, metadata=dict(metadata))
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
    """The state dict without batch norms; the network itself is left as it is."""
    if any(isinstance(module, nn.BatchNorm2d) for module in network.modules()):
        network = copy.deepcopy(network).eval()
        network.fold()
    return network.state_dict()


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Lets `write` fill a temporary file beside `path`, then puts it in place at once.

    Raises:
        UserError: the place cannot be written.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{path.name}.", suffix=path.suffix, dir=path.parent
        )
        os.close(handle)
        temporary = Path(name)
        write(temporary)
        on_disk(temporary)
        # mkstemp gives 0600; what we write is for others to read as any other file.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    except (OSError, SafetensorError, RuntimeError) as error:  # the last is torch.save's
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:120]
        raise UserError(f"{path} cannot be written: {reason}") from None
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def on_disk(path: Path) -> None:
    """Waits until a file's content is on the disk, so that no crash leaves a name without it."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def copy_file(source: Path, target: Path) -> None:
    """Copies a file by an atomic rename.

    Raises:
        UserError: the place cannot be written.
    """
    write_atomically(target, lambda temporary: shutil.copyfile(source, temporary))
