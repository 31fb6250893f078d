"""Opening a weights file by its content, without trusting it.

Names, shapes and sizes are read before any tensor takes memory, and no code from the file ever
runs. Three containers are read: safetensors, PyTorch's `.pth` (with `weights_only`, mapped rather
than read) and NumPy's `.npz`.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from pose.errors import UserError
from pose.weights.checkpoint_file import CheckpointFile, checked_floats, damaged
from pose.weights.npz_files import DAMAGED_ZIP, open_npz
from pose.weights.pytorch_files import open_legacy, open_pth

MAX_ENTRIES = 20_000
"""Most files in a zip."""


def open_checkpoint(path: Path) -> CheckpointFile:
    """Opens a weights file by what it contains, whatever it is called.

    Raises:
        UserError: it is not a file, not a checkpoint, damaged, or wants to run code.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder, not a weights file; give a file or a finished run")
    if path.exists() and not path.is_file():
        raise UserError(f"{path} is not an ordinary file; give a weights file")
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(512)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from None
    if size == 0:
        raise UserError(f"{path} is empty; download or copy it again")
    if start.startswith(b"PK"):
        return open_zip(path, size)
    # Protocol 2 or later, as the pickles of PyTorch before 1.6 begin.
    if start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return open_legacy(path, size)
    if start[8:9] == b"{":
        return open_safetensors(path)
    raise UserError(f"{path} {what_it_is(start)}")


def what_it_is(start: bytes) -> str:
    """Why a file with these first bytes is no checkpoint, and what to do."""
    if start.startswith(b"version https://git-lfs"):
        return (
            "is a Git LFS pointer, a short text that stands for the real file; run `git lfs pull`, "
            "or download the file itself"
        )
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        return (
            "is a web page, not weights: the link led to a page about the file, a login or an "
            "error; download the file itself"
        )
    if start.startswith(b"\x1f\x8b") or start[257:262] == b"ustar":
        return "is a packed archive; unpack it and give the file inside"
    return (
        "is not a checkpoint we can read (safetensors, PyTorch .pth or tf-pose .npz), or it is "
        "damaged; give another file or download it again"
    )


def open_safetensors(path: Path) -> CheckpointFile:
    try:
        file = safe_open(path, framework="pt")
        shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
        metadata = file.metadata() or {}
    except (SafetensorError, OSError, ValueError) as error:
        raise damaged(path, error, "safetensors header") from None

    def read(key: str) -> torch.Tensor:
        try:
            tensor = file.get_tensor(key)
        except (SafetensorError, OSError, ValueError, RuntimeError, TypeError) as error:
            raise damaged(path, error) from None
        return checked_floats(tensor, key, path)

    return CheckpointFile(path, shapes, metadata, read)


def open_zip(path: Path, size: int) -> CheckpointFile:
    """A `.pth` or a `.npz`, recognised by the zip's table of contents."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except DAMAGED_ZIP as error:
        raise damaged(path, error) from None
    if len(entries) > MAX_ENTRIES:
        raise UserError(f"{path} packs {len(entries)} files, far more than any checkpoint")
    names = [entry.filename for entry in entries]
    if names and all(name.endswith(".npy") for name in names):
        return open_npz(path, entries)
    return open_pth(path, size, entries)
