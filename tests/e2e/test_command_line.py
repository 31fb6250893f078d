"""`python app.py` as a user starts it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time

import pytest
import torch
from gradio_client import Client, handle_file
from page_process import free_port
from places import EXAMPLES, ROOT


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "app.py", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=200)


def test_a_port_that_is_taken_is_one_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("--port", str(port))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--port", "70000"), "a port is a number"),
        (("--annotations", "missing.json"), "missing.json"),
        (("--annotations", "pyproject.toml"), "pyproject.toml is not JSON"),
    ],
)
def test_mistakes_are_one_line(arguments, sentence):
    done = run("--port", str(free_port()), *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_annotations_of_another_kind(tmp_path):
    file = tmp_path / "annotations.json"
    file.write_text('{"images": [], "annotations": ["x"]}')
    done = run("--port", str(free_port()), "--annotations", str(file))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "it is not a COCO keypoint file" in done.stderr


def test_a_port_in_the_environment_that_is_none(monkeypatch):
    monkeypatch.setenv("GRADIO_SERVER_PORT", "abc")
    done = run()
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "GRADIO_SERVER_PORT is a port number, not 'abc'" in done.stderr


def test_a_gpu_that_is_not_there():
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device")
    done = run("--port", str(free_port()), "--device", "cuda")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "CUDA" in done.stderr


def test_it_serves_all_addresses_without_the_hub(monkeypatch):
    """HF_ENDPOINT points at a port where nobody listens: nothing may wait for it."""
    port = free_port()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    server = subprocess.Popen(
        [sys.executable, "app.py", "--host", "0.0.0.0", "--port", str(port)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert server.poll() is None, server.stderr.read()
            time.sleep(0.5)
        client = Client(f"http://127.0.0.1:{port}/", verbose=False)
        photo = handle_file(str(EXAMPLES / "photographer.jpg"))
        _, answer = client.predict(photo, preset="fast", api_name="/detect")
        assert len(answer["people"]) >= 1
    finally:
        server.terminate()
        server.wait(30)
