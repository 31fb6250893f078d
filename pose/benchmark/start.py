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
peak = float("nan")
try:
    # Not getrusage, whose peak begins with that of the process that started this one.
    with open("/proc/self/status") as status:
        peak = int(next(line for line in status if line.startswith("VmHWM")).split()[1]) / 1e3
except OSError:
    pass
print(imported - start, loaded - imported, first - loaded, second - first, peak)
"""


def measure_start(name: str, photos: list[Photo]) -> list[Row]:
    """A fresh process that finds people in a large photo twice, and how soon the page answers."""
    return [*measure_process(name, photos), measure_page()]


def measure_process(name: str, photos: list[Photo]) -> list[Row]:
    with TemporaryDirectory() as folder:
        large = Path(folder) / "large.jpg"
        photo = cv2.imread(str(photos[0].path))
        cv2.imwrite(str(large), cv2.resize(photo, (4000, 3000), interpolation=cv2.INTER_CUBIC))
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


def measure_page() -> Row:
    """Seconds from starting `python app.py` to the whole answer to its first visitor."""
    seconds = []
    for _ in range(PAGE_STARTS):
        start = perf_counter()
        with started_page() as url:
            if not answered(url, start + PAGE_SECONDS):
                return Row(TABLE, "python app.py", float("nan"), "s", note="it does not answer")
            seconds.append(perf_counter() - start)
    return Row(TABLE, "python app.py answers", median(seconds), "s", note=f"{PAGE_STARTS} starts")


@contextmanager
def started_page() -> Iterator[str]:
    """The page in a process of its own, stopped afterwards; gives its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    page = subprocess.Popen(
        [sys.executable, str(APP), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield f"http://127.0.0.1:{port}/"
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
