"""The page's process killed, interrupted, and robbed of what it works with."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from gradio_client.exceptions import AppError
from page_process import page_process, write_second_run
from places import EXAMPLES, ROOT
from questions import Asker, Question

PHOTO = EXAMPLES / "photographer.jpg"
SLOW = Question("/detect", "group.jpg", (("preset", "accurate"),))
PROMPT = 5
"""Seconds in which a server that has nobody to wait for is gone, on any machine."""


def test_killed_in_the_middle_then_started_again(tmp_path):
    with page_process(tmp_path) as page:
        asker = Asker(page.url, tmp_path)
        before = asker.detect(PHOTO, preset="fast")[1]["people"]
        asker.leave(SLOW, after=0.5)
        assert page.end(signal.SIGKILL)[0] == -signal.SIGKILL
        (left,) = page.temporary.iterdir()
    with page_process(tmp_path) as page:
        assert not left.exists(), "the files of the killed server are still there"
        asker = Asker(page.url, tmp_path)
        assert asker.detect(PHOTO, preset="fast")[1]["people"] == before
        asker.leave(SLOW, after=0.5)
        start = time.monotonic()
        status, errors = page.end(signal.SIGINT)
        assert (status, errors) == (0, "")
        assert time.monotonic() - start < PROMPT
        assert list(page.temporary.iterdir()) == []


def test_a_run_that_vanishes_or_turns_to_garbage(tmp_path):
    runs = tmp_path / "runs"
    run = write_second_run(runs)
    with page_process(tmp_path) as page:
        asker = Asker(page.url, tmp_path)
        assert asker.detect(PHOTO, weights=run.name, preset="fast")[1]["people"]
        weights = run / "weights.safetensors"
        whole = weights.read_bytes()
        for damaged in (None, b"", b"garbage" * 1000, whole[: len(whole) // 2]):
            shutil.rmtree(run, ignore_errors=True)
            if damaged is not None:
                run.mkdir()
                weights.write_bytes(damaged)
            with pytest.raises(AppError, match=run.name) as error:
                asker.detect(PHOTO, weights=run.name, preset="fast")
            assert "\n" not in str(error.value)
        asker.close()
        status, errors = page.end(signal.SIGTERM)
        assert (status, errors) == (0, "")


def test_a_folder_for_files_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    done = subprocess.run(
        [sys.executable, "app.py", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "GRADIO_TEMP_DIR": str(tmp_path / "file" / "folder")},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "GRADIO_TEMP_DIR" in done.stderr


def test_only_what_killed_servers_left_is_deleted(tmp_path):
    """A workspace whose server runs stays, and so does what is nobody's."""
    code = (
        "import sys, page.workspace as w; w.workspace(); "
        "print(w.new_folder('files'), flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code]
    options = {
        "cwd": ROOT,
        "env": {**os.environ, "GRADIO_TEMP_DIR": str(tmp_path)},
        "stdin": subprocess.PIPE,
        "stdout": subprocess.PIPE,
        "text": True,
    }
    other = tmp_path / "pose-page-notes"
    other.mkdir()
    killed, living = (subprocess.Popen(command, **options) for _ in range(2))
    places = [Path(p.stdout.readline().strip()) for p in (killed, living)]
    assert all(place.is_dir() for place in places)
    killed.kill()
    killed.wait()
    third = subprocess.Popen(command, **options)
    own = Path(third.stdout.readline().strip())
    assert [place.is_dir() for place in (*places, own, other)] == [False, True, True, True]
    for process in (living, third):
        process.communicate("", timeout=60)
    assert [path.name for path in tmp_path.iterdir()] == ["pose-page-notes"]
