"""One folder for all files of visitors, deleted when the server ends.

It holds Gradio's files, the files to download and the weights that visitors add. A server that was
killed cannot delete its own folder; the next one does. A lock on a file in the folder shows whether
its owner still runs.

Import this before Gradio, which reads `GRADIO_TEMP_DIR` when it is imported.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path
from secrets import token_hex

from pose.errors import UserError

if sys.platform != "win32":  # there a killed server's folder stays
    import fcntl

VARIABLE = "GRADIO_TEMP_DIR"
PREFIX = "pose-page-"
LOCK = "lock"
BASE = Path(os.environ.get(VARIABLE) or tempfile.gettempdir())
PROCESS = os.getpid()
ROOT = BASE / f"{PREFIX}{token_hex(8)}"
os.environ[VARIABLE] = str(ROOT / "gradio")


@cache
def workspace() -> Path:
    """This process's folder, made at the first call, which deletes those of killed servers.

    Raises:
        UserError: it cannot be made.
    """
    try:
        ROOT.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(ROOT / f"{LOCK}.new", os.O_RDWR | os.O_CREAT, 0o600)
        if sys.platform != "win32":
            fcntl.flock(lock, fcntl.LOCK_EX)  # stays open, and so locked, until the process ends
        # Named when it is locked: no other server sees it before.
        (ROOT / f"{LOCK}.new").rename(ROOT / LOCK)
    except OSError as error:
        raise UserError(
            f"{BASE}, the folder for visitors' files, cannot be written ({error.strerror}): "
            f"name another by {VARIABLE}"
        ) from None
    if sys.platform != "win32":
        delete_abandoned(BASE)
    atexit.register(delete_own)
    return ROOT


def new_folder(kind: str) -> Path:
    """A new folder for files that visitors may fetch."""
    parent = workspace() / "gradio"
    parent.mkdir(exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=f"{kind}-", dir=parent))


def remove_folder(folder: str | None) -> None:
    """Deletes a folder of `new_folder`."""
    if folder:
        shutil.rmtree(folder, ignore_errors=True)


def delete_own() -> None:
    """Deletes the workspace, unless this is a forked copy of the process that made it."""
    if os.getpid() == PROCESS:
        shutil.rmtree(ROOT, ignore_errors=True)


def delete_abandoned(base: Path) -> None:
    """Deletes the workspaces whose servers no longer run."""
    for folder in base.glob(f"{PREFIX}*"):
        try:
            lock = os.open(folder / LOCK, os.O_RDWR)
        except OSError:  # somebody else's, or one without a lock yet
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # its server runs
            pass
        finally:
            os.close(lock)
