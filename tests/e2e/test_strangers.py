"""What a stranger can make the served page do: nothing with this machine's files or network."""

from __future__ import annotations

import http.server
import json
import re
import threading
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from places import EXAMPLES, ROOT

PHOTO = EXAMPLES / "astronaut.jpg"
API = "gradio_api"


class Inside:
    """A server that only this machine can reach; `asked` are the paths it was asked for."""

    def __init__(self) -> None:
        asked: list[str] = []
        self.asked = asked
        photo = PHOTO.read_bytes()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_response(200)
                self.send_header("Content-Length", str(len(photo)))
                self.end_headers()
                self.wfile.write(photo)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def inside():
    running = Inside()
    yield running
    running.server.shutdown()
    running.server.server_close()


def post(url: str, content: object) -> dict:
    request = urllib.request.Request(
        url, json.dumps(content).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


OPTIONS = {
    "detect": ["mobilenet-thin", "fast", 0.1, 0.05, 4],
    "compare": ["mobilenet-thin", "mobilenet-thin", "fast", 0.1, 0.05, 4],
    "field_map": ["mobilenet-thin", "heatmap", "all joints", 6, "fast"],
}
"""What the endpoints are given beside the image."""


def called(url: str, endpoint: str, given: dict) -> tuple[str, str]:
    """An endpoint called over plain HTTP: how it ended ("complete", "error") and what it said."""
    data = [given, *OPTIONS[endpoint]]
    event = post(f"{url}{API}/call/{endpoint}", {"data": data})["event_id"]
    with urllib.request.urlopen(f"{url}{API}/call/{endpoint}/{event}", timeout=120) as answer:
        text = answer.read().decode()
    return re.findall(r"^event: (\w+)", text, re.MULTILINE)[-1], text


def image(**values: str) -> dict:
    return {**values, "meta": {"_type": "gradio.FileData"}}


def test_an_address_inside_is_not_fetched(served, inside, capfd):
    places = [
        f"http://127.0.0.1:{inside.port}/a.jpg",
        f"http://localhost:{inside.port}/b.jpg",
        f"http://[::ffff:127.0.0.1]:{inside.port}/c.jpg",
        f"http://0.0.0.0:{inside.port}/d.jpg",
        f"http://2130706433:{inside.port}/e.jpg",
    ]
    for place in places:
        for given in (image(path=place), image(path=place, url=place), image(path="", url=place)):
            ended, text = called(served.url, "detect", given)
            assert ended == "error", text
            assert "127.0.0.1" not in text.replace(place, "")
    assert inside.asked == []
    told = capfd.readouterr().err
    assert "didn't receive enough input" not in told, "each call was refused for its address"


def test_the_machine_of_the_cloud_is_not_asked(served):
    """No such address answers here; what counts is that it is refused, not that it times out."""
    ended, text = called(served.url, "detect", image(path="http://169.254.169.254/latest/"))
    assert ended == "error" and "time" not in text.lower()


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        str(PHOTO),
        "assets/examples/astronaut.jpg",
        "../../etc/passwd",
        "/gradio_api/file=/etc/passwd",
    ],
)
@pytest.mark.parametrize("endpoint", ["detect", "compare", "field_map"])
def test_a_file_of_the_server_is_not_read(served, path, endpoint, capfd):
    ended, text = called(served.url, endpoint, image(path=path))
    assert ended == "error"
    told = capfd.readouterr().err
    assert "not uploaded by a user" in told or "not a valid path" in told, told[-2000:]
    assert "root:" not in text and "Traceback" not in text and str(ROOT) not in text


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", str(ROOT / "README.md"), "app.py", "../../../../etc/passwd", ".git/config"],
)
def test_files_are_not_served(served, path):
    for route in ("file=", "file/", "static/", "assets/", "stream/"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{served.url}{API}/{route}{path}", timeout=30)
        assert refused.value.code in (400, 403, 404, 405), route


@pytest.mark.parametrize("name", ["../../outside.jpg", "/tmp/outside.jpg", "..\\outside.jpg"])
def test_an_upload_stays_in_its_folder(served, name):
    """A name with a way out in it; the upload is answered with where it lies."""
    border = uuid.uuid4().hex
    body = (
        f'--{border}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    ).encode()
    body += PHOTO.read_bytes() + f"\r\n--{border}--\r\n".encode()
    request = urllib.request.Request(
        f"{served.url}{API}/upload",
        body,
        {"Content-Type": f"multipart/form-data; boundary={border}"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        (path,) = json.load(answer)
    from gradio.utils import get_upload_folder

    assert Path(path).resolve().is_relative_to(Path(get_upload_folder()).resolve())
    assert not Path("/tmp/outside.jpg").exists()
    with urllib.request.urlopen(f"{served.url}{API}/file={path}", timeout=30) as answer:
        assert answer.read() == PHOTO.read_bytes(), "whoever knows its path gets an upload back"
    ended, text = called(served.url, "detect", image(path=path))
    assert ended == "complete", text
    named = json.loads(text.rpartition("data: ")[2])[1]["image"]
    assert "/" not in named and ".." not in Path(named).parts


def test_what_goes_wrong_inside_is_not_told(served, monkeypatch, capfd):
    """An error that is no user's mistake: the server's log has it, the stranger does not."""

    def broken(*_, **__):
        raise RuntimeError(f"secret place {ROOT}/inside")

    monkeypatch.setattr(served.models, "estimate", broken)
    with pytest.raises(AppError) as told:
        Client(served.url, verbose=False).predict(handle_file(str(PHOTO)), api_name="/detect")
    assert "secret" not in str(told.value) and str(ROOT) not in str(told.value)
    assert "secret place" in capfd.readouterr().err


def test_a_damaged_run_is_told_without_where_it_lies(served):
    folder = Path(served.models.weights_dir) / "damaged"
    folder.mkdir()
    whole = (ROOT / "assets/weights/mobilenet-thin.safetensors").read_bytes()
    try:
        # The header is right, so that the page offers it; the numbers are NaN.
        (folder / "weights.safetensors").write_bytes(whole[:-4000] + b"\xff" * 4000)
        with pytest.raises(AppError) as told:
            Client(served.url, verbose=False).predict(
                handle_file(str(PHOTO)), weights="damaged", api_name="/detect"
            )
    finally:
        (folder / "weights.safetensors").unlink()
        folder.rmdir()
    assert str(told.value).startswith("Weights.safetensors has weights that are NaN")
    assert str(folder.parent) not in str(told.value)


@pytest.mark.parametrize("name", ["../{}", "{}/..", "/etc", "~", "./assets/weights", "C:\\x"])
def test_weights_are_names_not_paths(served, name):
    name = name.format(Path(served.models.weights_dir).name)
    with pytest.raises(AppError, match=r"(?i)no weights are called"):
        Client(served.url, verbose=False).predict(
            handle_file(str(PHOTO)), weights=name, api_name="/detect"
        )
