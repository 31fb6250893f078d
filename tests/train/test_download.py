"""Downloads from a local server that breaks off, forgets ranges, and lies."""

from __future__ import annotations

import http.server
import threading
import zipfile
from pathlib import Path

import pytest
from splits import read_split

from pose.errors import UserError
from train import download as module
from train.download import archives, download, main


class Server:
    """COCO's server in small; `requests` are (method, path, Range)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.requests: list[tuple[str, str, str | None]] = []
        self.breaks_after: int | None = None
        self.knows_ranges = True
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_HEAD(self):
                self.answer(body=False)

            def do_GET(self):
                self.answer(body=True)

            def answer(self, body):
                wanted = self.headers.get("Range")
                outer.requests.append((self.command, self.path, wanted))
                path = outer.folder / self.path.lstrip("/")
                if not path.is_file():
                    self.send_error(404)
                    return
                content, start = path.read_bytes(), 0
                if wanted and outer.knows_ranges:
                    start = int(wanted.removeprefix("bytes=").rstrip("-"))
                    self.send_response(206)
                else:
                    self.send_response(200)
                self.send_header("Content-Length", str(len(content) - start))
                self.end_headers()
                if body:
                    part = content[start:]
                    self.wfile.write(part[: outer.breaks_after])
                self.close_connection = True

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def server(tmp_path, small_coco):
    """Serves the small data set as COCO serves train2017."""
    folder = tmp_path / "server"
    (folder / "zips").mkdir(parents=True)
    (folder / "annotations").mkdir()
    with zipfile.ZipFile(folder / "zips/train2017.zip", "w") as file:
        for path in sorted((small_coco.folder / "train2017").iterdir()):
            file.write(path, f"train2017/{path.name}")
    with zipfile.ZipFile(folder / "annotations/annotations_trainval2017.zip", "w", 8) as file:
        name = "annotations/person_keypoints_train2017.json"
        file.write(small_coco.folder / name, name)
        file.writestr("annotations/captions_train2017.json", "{}")
    running = Server(folder)
    yield running
    running.close()


def fetch(server, data):
    said: list[str] = []
    download(data, "train2017", server=server.url, say=said.append)
    return said


def test_a_split_is_fetched_unpacked_and_can_be_trained_on(server, tmp_path, small_coco, capsys):
    data = tmp_path / "data"
    assert fetch(server, data)[-1] == f"train2017 is complete in {data}."
    got = read_split(data, "train2017")
    assert len(got.images) == 4
    for labels in got.images:
        source = small_coco.folder / "train2017" / labels.path.name
        assert labels.path.read_bytes() == source.read_bytes()
    assert not (data / "annotations/captions_train2017.json").exists()
    assert not list(data.rglob("*.zip")) and not list(data.rglob("*.part"))
    before = len(server.requests)
    assert fetch(server, data) == [f"train2017 is complete in {data}."]
    assert len(server.requests) == before
    assert main(["--data", str(data), "--split", "train2017", "--server", server.url]) == 0


def test_a_broken_connection_is_resumed(server, tmp_path):
    server.breaks_after = 60_000
    data = tmp_path / "data"
    fetch(server, data)
    ranges = [r for method, path, r in server.requests if method == "GET" and "zips" in path]
    assert ranges[0] is None and ranges[1] == "bytes=60000-" and len(ranges) > 2
    assert len(read_split(data, "train2017").images) == 4


def test_an_earlier_attempt_is_resumed(server, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    whole = (server.folder / "zips/train2017.zip").read_bytes()
    (data / "train2017.zip.part").write_bytes(whole[:12345])
    fetch(server, data)  # a wrongly joined archive would be refused
    assert ("GET", "/zips/train2017.zip", "bytes=12345-") in server.requests
    assert len(read_split(data).images) == 4


def test_a_server_without_ranges_sends_everything_again(server, tmp_path):
    server.knows_ranges = False
    data = tmp_path / "data"
    data.mkdir()
    (data / "train2017.zip.part").write_bytes(b"x" * 500)
    fetch(server, data)
    assert len(read_split(data, "train2017").images) == 4


def test_a_connection_that_never_works_is_an_error_after_which_it_resumes(
    server, tmp_path, monkeypatch
):
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    server.breaks_after = 0
    with pytest.raises(UserError, match="Run the command again"):
        fetch(server, tmp_path / "data")
    server.breaks_after = None
    fetch(server, tmp_path / "data")


def test_a_broken_archive_is_removed(server, tmp_path):
    archive = server.folder / "zips/train2017.zip"
    content = bytearray(archive.read_bytes())
    content[5000:5100] = bytes(100)
    archive.write_bytes(content)
    data = tmp_path / "data"
    with pytest.raises(UserError, match="broken"):
        fetch(server, data)
    assert not (data / "train2017.zip").exists()
    archive.write_bytes(b"no zip at all")
    with pytest.raises(UserError, match="broken"):
        fetch(server, data)


@pytest.mark.parametrize("name", ["../outside.jpg", "/tmp/outside.jpg", "train2017/../../x.jpg"])
def test_nothing_is_written_outside(server, tmp_path, name):
    with zipfile.ZipFile(server.folder / "zips/train2017.zip", "a") as file:
        file.writestr(name, b"x")
    data = tmp_path / "data"
    with pytest.raises(UserError, match="outside the folder"):
        fetch(server, data)
    assert not (tmp_path / "outside.jpg").exists() and not (tmp_path / "x.jpg").exists()
    assert not (data / "train2017").exists()


def test_mistakes_are_one_line(server, tmp_path, capfd):
    options = ["--data", str(tmp_path / "data"), "--server"]
    assert main([*options, server.url, "--split", "test2017"]) == 2
    assert main([*options, server.url, "--split", "val2014"]) == 2
    assert main([*options, "http://127.0.0.1:9", "--split", "val2017"]) == 2
    assert main([*options, "nonsense", "--split", "val2017"]) == 2
    lines = capfd.readouterr().err.strip().splitlines()
    assert len(lines) == 4 and "404" in lines[1] and "reached" in lines[2]


def test_cocos_own_addresses():
    urls = [a.url for a in archives("val2014")]
    assert urls == [
        "http://images.cocodataset.org/annotations/annotations_trainval2014.zip",
        "http://images.cocodataset.org/zips/val2014.zip",
    ]
