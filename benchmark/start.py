"""Start-up time and peak memory of fresh processes: the library and the page."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from urllib.request import urlopen

from PIL import Image

from benchmark.subjects import Photo
from benchmark.timing import Row
from pose.engines.memory import peak_memory_bytes
from pose.weights.catalogue import bundled_cards

TABLE = "Start-up and memory, a photo of 12 megapixels, preset balanced"

LARGE = (4000, 3000)
APP = Path(__file__).resolve().parents[1] / "app.py"
PAGE_STARTS = 3
PAGE_SECONDS = 120
"""How long to wait for the page at most."""

LIBRARY = """
import json, sys, time
times = [time.perf_counter()]
import pose
times.append(time.perf_counter())
estimator = pose.PoseEstimator.from_pretrained(sys.argv[1], device="cpu")
times.append(time.perf_counter())
for _ in range(2):
    estimator(sys.argv[2])
    times.append(time.perf_counter())
from pose.engines.memory import peak_memory_bytes
print(json.dumps({"times": times, "peak": peak_memory_bytes()}))
"""


def measure_start(name: str, photos: list[Photo]) -> list[Row]:
    """Fresh processes: one that runs the estimator on a large photo twice, and the page."""
    with TemporaryDirectory() as folder:
        large = Path(folder) / "large.jpg"
        Image.open(photos[0].path).convert("RGB").resize(LARGE).save(large)
        return [*measure_library(name, large), *measure_page(large)]


def measure_library(name: str, photo: Path) -> list[Row]:
    """Seconds to import, load and run the estimator, and the peak memory."""
    command = [sys.executable, "-c", LIBRARY, name, str(photo)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it failed without a message"])[-1]
        return [Row(TABLE, "the library", float("nan"), "s", note=reason)]
    measured = json.loads(done.stdout.splitlines()[-1])
    start, imported, loaded, first, second = measured["times"]
    return [
        Row(TABLE, "import pose", imported - start, "s"),
        Row(TABLE, "PyTorch, weights and engine", loaded - imported, "s", note="warm cache"),
        Row(TABLE, "first photo", first - loaded, "s"),
        Row(TABLE, "the same photo again", second - first, "s"),
        Row(TABLE, "peak memory of the library", measured["peak"] / 1e6, "MB"),
    ]


def measure_page(photo: Path) -> list[Row]:
    """Seconds from starting app.py to its first answer, and its peak memory with the photo."""
    seconds: list[float] = []
    peak, note = float("nan"), "bundled weights as A and B"
    for number in range(PAGE_STARTS):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = str(probe.getsockname()[1])
        start, url = perf_counter(), f"http://127.0.0.1:{port}/"
        command = [sys.executable, str(APP), "--port", port]
        page = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            if not answers(url, page):
                return [Row(TABLE, "python app.py", float("nan"), "s", note="it does not answer")]
            seconds.append(perf_counter() - start)
            if number == PAGE_STARTS - 1:
                call_endpoints(url, photo)
                peak = peak_memory_bytes(page.pid) / 1e6
        except OSError as error:
            note = str(error)
        finally:
            page.terminate()
            page.wait()
    return [
        Row(TABLE, "python app.py answers", median(seconds), "s", note=f"{PAGE_STARTS} starts"),
        Row(TABLE, "peak memory of the page", peak, "MB", note=note),
    ]


def call_endpoints(url: str, photo: Path) -> None:
    """Sends the photo to every endpoint of the page, with all bundled weights."""
    from gradio_client import Client, handle_file

    client = Client(url, verbose=False)
    names = [card.name for card in bundled_cards()]
    sides = {"weights_a": names[0], "weights_b": names[-1]}
    for endpoint, options in (("/detect", {}), ("/compare", sides), ("/field_map", {})):
        client.predict(handle_file(str(photo)), api_name=endpoint, **options)


def answers(url: str, page: subprocess.Popen) -> bool:
    """Whether the page answers before it ends and before our patience does."""
    deadline = perf_counter() + PAGE_SECONDS
    while perf_counter() < deadline and page.poll() is None:
        try:
            with urlopen(url, timeout=PAGE_SECONDS) as response:
                response.read()
            return True
        except OSError:
            sleep(0.02)
    return False
