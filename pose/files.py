"""Where bundled files lie, and files written whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from pose.errors import UserError


def assets_folder() -> Path:
    """The bundled weights and examples: in an installed package, beside it in a checkout."""
    installed = Path(__file__).resolve().parent / "assets"
    return installed if installed.is_dir() else installed.parents[1] / "assets"


BUNDLED_WEIGHTS = assets_folder() / "weights"
EXAMPLES = assets_folder() / "examples"


def write_atomically(path: str | Path, write: Callable[[Path], object]) -> None:
    """Lets `write` fill a temporary file beside `path`, then renames it, so readers never see half.

    Missing folders are made. A pipe or a device such as /dev/stdout is written to directly.

    Raises:
        UserError: the file cannot be written; one that was there before is unharmed.
    """
    target = Path(path).resolve()  # a symbolic link stays one
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", suffix=target.suffix, dir=target.parent)
        os.close(handle)
        temporary = Path(name)
        write(temporary)
        flush_to_disk(temporary)
        # mkstemp gives 0600; what we write is for others to read as any other file.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
        temporary.replace(target)
    except (OSError, RuntimeError) as error:  # the last is torch.save's
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:120]
        raise UserError(f"cannot write {path}: {reason}; choose another place") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def write_bytes(path: str | Path, data: bytes) -> None:
    """Writes a file atomically; see `write_atomically`."""
    target = Path(path)
    if target.exists() and not target.is_file() and not target.is_dir():
        target.write_bytes(data)  # a pipe must not be replaced by a file
        return
    write_atomically(path, lambda temporary: temporary.write_bytes(data))


def write_text(path: str | Path, text: str) -> None:
    """Writes a UTF-8 file atomically; see `write_atomically`."""
    # A file name that is not Unicode holds lone surrogates, which UTF-8 cannot write.
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def copy_file(source: Path, target: Path) -> None:
    """Copies a file atomically; see `write_atomically`."""
    write_atomically(target, lambda temporary: shutil.copyfile(source, temporary))


def flush_to_disk(path: Path) -> None:
    """Waits until a file's content is on the disk, so that no crash leaves a name without it."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
