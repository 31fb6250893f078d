"""The page as a Space on ZeroGPU, with a stand-in for the host's package."""

from __future__ import annotations

import subprocess
import sys

from places import ROOT

SPACES = """
import functools, multiprocessing, sys
assert "torch" not in sys.modules, "spaces has to be imported before torch"
CALLS = []

def GPU(duration):
    def decorate(function):
        @functools.wraps(function)
        def lent(*arguments):
            CALLS.append(duration)
            reader, writer = multiprocessing.Pipe(False)
            context = multiprocessing.get_context("fork")
            run = lambda: writer.send(function(*arguments))
            process = context.Process(target=run)
            process.start()
            answer = reader.recv()
            process.join()
            return answer
        return lent
    return decorate
"""

PROGRAM = """
import app, spaces, torch
torch.set_num_threads(1)
from page.models import Job, Models
from pose import load_image
models = Models("cpu")
models.load_default()
app.build(models)
photo = load_image("assets/examples/photographer.jpg")
result = models.estimate(Job(photo, "mobilenet-thin", "fast", stages=True))
print(len(result.people), len(result.stages), spaces.CALLS)
"""


def test_the_network_runs_where_the_accelerator_is_lent(tmp_path, estimator, monkeypatch):
    (tmp_path / "spaces.py").write_text(SPACES)
    monkeypatch.setenv("SPACES_ZERO_GPU", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{ROOT}")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    people = estimator(ROOT / "assets/examples/photographer.jpg", preset="fast").people
    assert done.stdout.split("\n")[0] == f"{len(people)} 6 [60]"
