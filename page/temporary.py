"""Folders for what is made for one visitor: gone with the visit, at the latest with the server."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from tempfile import TemporaryDirectory

PREFIX = "pose-page-"


@cache
def server_folder() -> TemporaryDirectory:
    """This process's folder; deleted when the process ends."""
    return TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)


def new_folder() -> str:
    """An empty folder that no other visitor has."""
    return tempfile.mkdtemp(dir=server_folder().name)


def remove_folder(folder: str | None) -> None:
    """Deletes a folder of `new_folder`."""
    if folder:
        shutil.rmtree(folder, ignore_errors=True)
