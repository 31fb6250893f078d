"""`python app.py` as a process of its own, for tests and scripts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from places import ROOT
from safetensors import safe_open
from safetensors.torch import save_file

START_SECONDS = 120


@dataclass(frozen=True)
class PageProcess:
    """A served page: its address and process, the caller's folder and that of temporary files."""

    url: str
    process: subprocess.Popen[str]
    folder: Path
    temporary: Path

    def rss(self) -> float:
        """Memory of the process in MB."""
        return psutil.Process(self.process.pid).memory_info().rss / 2**20

    def end(self, number: int, patience: float = 20) -> tuple[int, str]:
        """Sends a signal; the exit status and what was written to stderr."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=patience)
        return self.process.returncode, errors


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_page(folder: Path, *arguments: str, **variables: str) -> PageProcess:
    """Starts the page with its temporary files, and by default its runs, in `folder`.

    Raises:
        RuntimeError: it does not answer in `START_SECONDS`.
    """
    port = free_port()
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [
            *(sys.executable, "app.py", "--device", "cpu", "--port", str(port)),
            *("--weights-dir", str(folder / "runs"), *arguments),
        ],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "GRADIO_TEMP_DIR": str(temporary), **variables},
    )
    page = PageProcess(f"http://127.0.0.1:{port}/", process, folder, temporary)
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(page.url, timeout=10):
                return page
        except OSError:
            time.sleep(0.1)
    process.kill()
    raise RuntimeError(f"the page did not start: {process.communicate()[1]}")


@contextmanager
def page_process(folder: Path, *arguments: str, **variables: str) -> Iterator[PageProcess]:
    """As `start_page`; killed in the end if it still runs."""
    page = start_page(folder, *arguments, **variables)
    try:
        yield page
    finally:
        if page.process.poll() is None:
            page.process.kill()
            page.process.communicate()


def write_second_run(runs: Path, name: str = "second-run") -> Path:
    """A finished run: the bundled network, surer of itself. Returns its folder."""
    bundled = ROOT / "assets" / "weights" / "mobilenet-thin.safetensors"
    with safe_open(bundled, "pt") as file:
        metadata = {k: v for k, v in file.metadata().items() if not k.startswith("ap")}
        state = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    last = [key for key in state if key.startswith(("heatmap_blocks.5.4.", "paf_blocks.5.4."))]
    assert last, "the last layers of the bundled network are not found by name"
    state = {key: value * 1.1 if key in last else value for key, value in state.items()}
    folder = runs / name
    folder.mkdir(parents=True, exist_ok=True)
    save_file(state, folder / "weights.safetensors", metadata)
    return folder
