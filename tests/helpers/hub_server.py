"""A stand-in for the Hub on loopback: a folder of repositories, served as the Hub does."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class HubServer:
    """Serves root/owner/name/FILE; use as a context manager.

    Attributes:
        cut_after: bytes after which the next download breaks off, once; None for never.
        requests: (method, path, Range header) of everything asked.
        tokens: (path, Authorization header) of everything asked.
        bare: refuse with a status alone, as a simple mirror does.
        silent: accept connections and never answer.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.cut_after: int | None = None
        self.silent = False
        self.bare = False
        self.release = threading.Event()
        self.requests: list[tuple[str, str, str | None]] = []
        self.tokens: list[tuple[str, str | None]] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                hub.answer(self, body=False)

            def do_GET(self) -> None:
                hub.answer(self, body=True)

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> HubServer:
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def answer(self, request: BaseHTTPRequestHandler, body: bool) -> None:
        path = unquote(urlsplit(request.path).path)
        self.requests.append((request.command, path, request.headers.get("Range")))
        self.tokens.append((path, request.headers.get("Authorization")))
        if self.silent:
            self.release.wait()
            request.close_connection = True
            return
        parts = path.strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            self.api(request, parts[2:])
            return
        if parts[2:3] != ["resolve"]:
            self.refuse(request, "EntryNotFound")
            return
        repo, revision, file = self.root.joinpath(*parts[:2]), parts[3], "/".join(parts[4:])
        if not repo.is_dir():
            self.refuse(request, "RepoNotFound")
        elif revision not in ("main", COMMIT):
            self.refuse(request, "RevisionNotFound")
        elif not (repo / file).is_file():
            self.refuse(request, "EntryNotFound")
        else:
            self.send(request, (repo / file).read_bytes(), body)

    def send(self, request: BaseHTTPRequestHandler, content: bytes, body: bool) -> None:
        first = 0
        if wanted := request.headers.get("Range"):
            first = int(wanted.removeprefix("bytes=").split("-")[0])
        request.send_response(206 if first else 200)
        request.send_header("Content-Length", str(len(content) - first))
        if first:
            request.send_header("Content-Range", f"bytes {first}-{len(content) - 1}/{len(content)}")
        request.send_header("Accept-Ranges", "bytes")
        request.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        request.send_header("X-Repo-Commit", COMMIT)
        request.end_headers()
        if not body:
            return
        content = content[first:]
        if self.cut_after is not None:
            content, self.cut_after = content[: self.cut_after], None
            request.close_connection = True
        request.wfile.write(content)

    def api(self, request: BaseHTTPRequestHandler, parts: list[str]) -> None:
        repo = self.root.joinpath(*parts[:2])
        if not repo.is_dir():
            self.refuse(request, "RepoNotFound")
            return
        files = sorted(p for p in repo.rglob("*") if p.is_file())
        names = [p.relative_to(repo).as_posix() for p in files]
        if "tree" in parts:
            answer: object = [
                {"type": "file", "path": name, "size": file.stat().st_size, "oid": "0" * 40}
                for name, file in zip(names, files, strict=True)
            ]
        else:
            answer = {
                "id": "/".join(parts[:2]),
                "sha": COMMIT,
                "siblings": [{"rfilename": name} for name in names],
            }
        content = json.dumps(answer).encode()
        request.send_response(200)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        request.wfile.write(content)

    def refuse(self, request: BaseHTTPRequestHandler, code: str) -> None:
        request.send_response(404)
        if not self.bare:
            request.send_header("X-Error-Code", code)
            request.send_header("X-Error-Message", "not here")
        request.send_header("Content-Length", "0")
        request.end_headers()
