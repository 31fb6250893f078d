"""Reading PyTorch's `.pth` without trusting it: scanned, then loaded with `weights_only`."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from pose.errors import UserError
from pose.weights.checkpoint_file import CheckpointFile, checked_floats, damaged
from pose.weights.npz_files import DAMAGED_ZIP
from pose.weights.pickle_scan import check_pickle

MAX_DEPTH = 8
"""Dictionaries inside each other that are searched for tensors."""

MAX_PICKLE_BYTES = 16 << 20
"""Largest pickle inside a `.pth`; the tensors' numbers are not part of it."""

MAX_READ_BYTES = 450 << 20
"""Largest `.pth` read whole; of larger ones (with an optimiser's state) only the weights are."""

MAX_LEGACY_BYTES = 450 << 20
"""Largest `.pth` of PyTorch before 1.6, which cannot be mapped and must be read whole."""


def open_pth(path: Path, size: int, entries: list[zipfile.ZipInfo]) -> CheckpointFile:
    """A `.pth` since PyTorch 1.6: a zip of one pickle and the tensors' numbers."""
    names = [entry.filename for entry in entries]
    if any(name.endswith("/constants.pkl") or "/code/" in name for name in names):
        raise UserError(
            f"{path} is a TorchScript program, which contains code; save net.state_dict() instead"
        )
    pickles = [entry for entry in entries if entry.filename.endswith("data.pkl")]
    if len(pickles) != 1:
        raise UserError(f"{path} is a zip archive, not a checkpoint; unpack it and give the file")
    # PyTorch stores without compression, so a packed entry can only be a bomb or a mistake.
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries) or (
        sum(entry.file_size for entry in entries) > size
    ):
        raise UserError(
            f"{path} is a compressed archive that PyTorch did not write, it could unpack to "
            "any size; save it with torch.save and give that"
        )
    if pickles[0].file_size > MAX_PICKLE_BYTES:
        raise UserError(
            f"{path} has a pickle of {pickles[0].file_size} bytes; refused as too large"
        )
    try:
        with zipfile.ZipFile(path) as archive:
            pickled = archive.read(pickles[0])
    except DAMAGED_ZIP as error:
        raise damaged(path, error) from None
    check_pickle(pickled, path)
    # Mapped, which costs nothing, to see what is in it; read whole once it is known to be wanted.
    stored = sum(entry.file_size for entry in entries)
    again = (lambda: torch_load(path, mmap=False)) if stored <= MAX_READ_BYTES else None
    return open_state(path, torch_load(path, mmap=True), again)


def open_legacy(path: Path, size: int) -> CheckpointFile:
    """A `.pth` of PyTorch before 1.6: five pickles in a row, then the numbers."""
    if size > MAX_LEGACY_BYTES:
        raise UserError(
            f"{path} is a {size >> 20} MB checkpoint in PyTorch's old format, too large to check; "
            "save its state_dict again with a current PyTorch"
        )
    with path.open("rb") as file:
        for _ in range(5):
            check_pickle(file, path)
    return open_state(path, torch_load(path, mmap=False))


def torch_load(path: Path, mmap: bool) -> object:
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mmap)
    except Exception as error:
        # torch.load reports damage with a dozen exception types (RuntimeError, EOFError,
        # UnpicklingError, KeyError, …); all of them mean that this file cannot be used.
        if "weights_only" in str(error) or "Unsupported" in str(error):
            raise UserError(
                f"{path} is a pickle that holds more than tensors, and loading it could run code "
                "from the file, so it is refused; save net.state_dict() or safetensors instead"
            ) from None
        raise damaged(path, error) from None


def open_state(
    path: Path, loaded: object, again: Callable[[], object] | None = None
) -> CheckpointFile:
    """The tensors in what torch.load returned.

    `again` loads the same file without mapping it; it is called when the first tensor is read,
    so that pages of the mapped file and copies of them do not take memory side by side.
    """
    state = named_tensors(loaded)
    if not state:
        raise UserError(
            f"{path} holds no state dict (a dictionary of tensors); save net.state_dict()"
        )

    def read(key: str) -> torch.Tensor:
        nonlocal state, again
        if again is not None:
            state, again = named_tensors(again()), None
        return checked_floats(state[key], key, path)

    shapes = {key: tuple(tensor.shape) for key, tensor in state.items()}
    return CheckpointFile(path, shapes, metadata_texts(loaded), read)


def named_tensors(loaded: object) -> dict[str, torch.Tensor]:
    """Every tensor in dictionaries inside each other, by its keys joined with dots."""
    found: dict[str, torch.Tensor] = {}
    seen: set[int] = set()

    def collect(value: object, name: str, depth: int) -> None:
        if isinstance(value, torch.Tensor):
            found.setdefault(name, value)
        elif isinstance(value, Mapping) and depth < MAX_DEPTH and id(value) not in seen:
            seen.add(id(value))  # a small pickle can repeat a dictionary endlessly
            for key, inner in value.items():
                collect(inner, f"{name}.{key}" if name else str(key), depth + 1)

    if isinstance(loaded, Mapping):
        collect(loaded, "", 0)
    return found


def metadata_texts(loaded: object) -> dict[str, str]:
    """What `pose.weights.save` writes beside the state dict of a `.pth`."""
    texts = loaded.get("metadata") if isinstance(loaded, Mapping) else None
    items = texts.items() if isinstance(texts, Mapping) else ()
    return {k: v for k, v in items if isinstance(k, str) and isinstance(v, str)}
