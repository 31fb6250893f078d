"""Start-up and memory: fresh processes of the library and of the page."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from urllib.request import urlopen

import cv2

from pose.benchmark.subjects import Photo
from pose.benchmark.timing import Row
from pose.catalogue import bundled_cards

TABLE = "Start-up and memory, a photo of 12 megapixels, preset balanced"

APP = Path(__file__).resolve().parents[2] / "app.py"
PAGE_STARTS = 3
PAGE_SECONDS = 120
"""Longest wait for the page."""

START = """
import sys, time
start = time.perf_counter()
import pose
imported = time.perf_counter()
estimator = pose.PoseEstimator.from_pretrained(sys.argv[1], device="cpu")
loaded = time.perf_counter()
estimator(sys.argv[2])
first = time.perf_counter()
estimator(sys.argv[2])
second = time.perf_counter()
from pose.benchmark.start import peak_megabytes
peak = peak_megabytes("self")
print(imported - start, loaded - imported, first - loaded, second - first, peak)
"""


def measure_start(name: str, photos: list[Photo]) -> list[Row]:
    """Fresh processes: one that finds people in a large photo twice, and the page."""
    with TemporaryDirectory() as folder:
        large = Path(folder) / "large.jpg"
        photo = cv2.imread(str(photos[0].path))
        cv2.imwrite(str(large), cv2.resize(photo, (4000, 3000), interpolation=cv2.INTER_CUBIC))
        return [*measure_process(name, large), *measure_page(large)]


def measure_process(name: str, large: Path) -> list[Row]:
    """Import, loading, two looks at the photo, and the memory."""
    done = subprocess.run(
        [sys.executable, "-c", START, name, str(large)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it stopped"])[-1]
        return [Row(TABLE, "a fresh process", float("nan"), "s", note=reason)]
    imported, loaded, first, second, peak = map(float, done.stdout.split()[-5:])
    return [
        Row(TABLE, "import pose", imported, "s"),
        Row(TABLE, "PyTorch, weights and engine", loaded, "s", note="warm cache"),
        Row(TABLE, "first photo", first, "s"),
        Row(TABLE, "the same photo again", second, "s"),
        Row(TABLE, "peak resident memory", peak, "MB"),
    ]


def measure_page(large: Path) -> list[Row]:
    """Seconds from starting `python app.py` to its first answer; its memory with the photo."""
    seconds = []
    for left in reversed(range(PAGE_STARTS)):
        start = perf_counter()
        with started_page() as (url, process):
            if not answered(url, start + PAGE_SECONDS):
                return [Row(TABLE, "python app.py", float("nan"), "s", note="it does not answer")]
            seconds.append(perf_counter() - start)
            if not left:
                look_at(url, large)
                peak = peak_megabytes(process.pid)
    return [
        Row(TABLE, "python app.py answers", median(seconds), "s", note=f"{PAGE_STARTS} starts"),
        Row(TABLE, "peak memory of the page", peak, "MB", note="bundled weights as A and B"),
    ]


def look_at(url: str, photo: Path) -> None:
    """The photo through all of the page's endpoints, with every bundled weights."""
    from gradio_client import Client, handle_file

    client = Client(url, verbose=False)
    here = [card.name for card in bundled_cards()]
    sides = {"weights_a": here[0], "weights_b": here[-1]}
    for endpoint, named in (("/detect", {}), ("/compare", sides), ("/field_map", {})):
        client.predict(handle_file(str(photo)), api_name=endpoint, **named)


def peak_megabytes(process: int | str) -> float:
    """The most memory that a process ("self": this one) has had; NaN where nothing tells it."""
    # Not getrusage, whose peak begins with that of the process that started this one.
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return float("nan")
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024 / 1e6


@contextmanager
def started_page() -> Iterator[tuple[str, subprocess.Popen]]:
    """The page in a process of its own, stopped afterwards; its address and process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    page = subprocess.Popen(
        [sys.executable, str(APP), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{port}/", page
    finally:
        page.terminate()
        page.wait()


def answered(url: str, until: float) -> bool:
    """Waits for a whole answer of an address, at most until a time of `perf_counter`."""
    while perf_counter() < until:
        try:
            with urlopen(url, timeout=PAGE_SECONDS) as answer:
                answer.read()
            return True
        except OSError:
            sleep(0.02)
    return False
