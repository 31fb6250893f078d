"""`python -m train.download`: a split's photos and keypoint annotations from COCO's own server.

An interrupted download resumes where it stopped, sizes and checksums are checked, and nothing is
written outside the data folder whatever an archive says.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from pose.errors import UserError
from train.data.photo_files import leaves

COCO_SERVER = "http://images.cocodataset.org"
BLOCK = 1 << 20
ATTEMPTS = 5
"""Attempts without a single new byte before giving up."""


@dataclass(frozen=True)
class Archive:
    """A file to fetch and what to take out of it.

    Attributes:
        kind: "images" or "annotations".
        url: where it is.
        wanted: matches the names of the members to unpack.
    """

    kind: str
    url: str
    wanted: re.Pattern[str]

    @property
    def name(self) -> str:
        return PurePosixPath(self.url).name


def archives(split: str, server: str = COCO_SERVER) -> list[Archive]:
    """A split's two archives.

    Raises:
        UserError: the name is not that of a COCO split with keypoints.
    """
    match = re.fullmatch(r"(?:train|val)(2014|2017)", split)
    if match is None:
        raise UserError(
            f"{split!r} is not a split with keypoints; choose train2017, val2017, train2014 or "
            "val2014."
        )
    server = server.rstrip("/")
    annotations = f"{server}/annotations/annotations_trainval{match[1]}.zip"
    keypoints = re.compile(rf"annotations/person_keypoints_{split}\.json")
    photos = re.compile(rf"{split}/[\w.-]+\.jpg")
    return [
        Archive("annotations", annotations, keypoints),
        Archive("images", f"{server}/zips/{split}.zip", photos),
    ]


def download(
    data: Path, split: str, *, server: str = COCO_SERVER, say: Callable[[str], None] = print
) -> None:
    """Fetches and unpacks what of a split is not there yet.

    Raises:
        UserError: no connection, no space, or a broken archive; running it again resumes.
    """
    wanted = archives(split, server)
    try:
        data.mkdir(parents=True, exist_ok=True)
        for archive in wanted:
            path = data / archive.name
            complete = data / f".{split}-{archive.kind}-complete"
            if not complete.exists():
                fetch(archive.url, path, remote_size(archive.url))
                count = unpack(path, data, archive)
                say(f"{archive.name}: {count} files in {data}")
                complete.touch()
                path.unlink()
        say(f"{split} is complete in {data}.")
    except OSError as error:
        raise UserError(f"{data} cannot be written: {error.strerror or error}.") from None


def size_on_disk(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def remote_size(url: str) -> int:
    """The size of a file on the server.

    Raises:
        UserError: it cannot be reached or does not say.
    """
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=30) as r:
            length = r.headers.get("Content-Length")
    except (OSError, HTTPException, ValueError) as error:
        raise UserError(f"{url} cannot be reached ({reason(error)}).") from None
    if length is None or not length.isdigit():
        raise UserError(f"{url} does not say how large it is.")
    return int(length)


def fetch(url: str, path: Path, size: int) -> None:
    """Downloads into `path`, resuming what an earlier attempt left in `path`.part.

    Raises:
        UserError: the connection keeps breaking or the size is wrong.
    """
    if size_on_disk(path) == size:
        return
    part = path.with_name(path.name + ".part")
    if size_on_disk(part) > size:
        part.unlink()
    failures = 0
    with tqdm(total=size, unit="B", unit_scale=True, desc=path.name, disable=None) as bar:
        while (have := size_on_disk(part)) < size:
            bar.n = have
            try:
                fetch_rest(url, part, have, bar)
                message = "the connection ended early"
            except urllib.error.HTTPError as error:
                raise UserError(f"{url}: the server says {reason(error)}.") from None
            except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
                message = reason(error)
            failures = failures + 1 if size_on_disk(part) <= have else 0
            if failures >= ATTEMPTS:
                raise UserError(f"{url}: {message}. Run the command again to resume.")
            if failures:
                time.sleep(0.1 * 2**failures)
    if size_on_disk(part) != size:
        part.unlink()
        raise UserError(f"{path.name} has another size than the server said; run it again.")
    part.replace(path)


def fetch_rest(url: str, part: Path, have: int, bar: tqdm) -> None:
    """Appends the bytes from `have` on; starts anew where the server cannot resume."""
    headers = {"Range": f"bytes={have}-"} if have else {}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
        resumed = have and answer.status == 206
        if have and not resumed:
            bar.update(-have)
        with part.open("ab" if resumed else "wb") as file:
            while block := answer.read(BLOCK):
                file.write(block)
                bar.update(len(block))


def unpack(path: Path, data: Path, archive: Archive) -> int:
    """Unpacks the wanted members, unless they are there with the right size, and counts them.

    Raises:
        UserError: the archive is broken, wants out of the folder, or lacks what is wanted.
    """
    try:
        with zipfile.ZipFile(path) as file:
            members = file.infolist()
            outside = [m.filename for m in members if leaves(m.filename)]
            if outside:
                raise UserError(f"{path} wants to write outside the folder: {outside[0]!r}.")
            wanted = [m for m in members if archive.wanted.fullmatch(m.filename)]
            if not wanted:
                raise UserError(f"{path} holds no {archive.kind} of the split.")
            for member in tqdm(wanted, desc=f"unpack {path.name}", disable=None):
                target = data / member.filename
                if size_on_disk(target) != member.file_size:
                    try:
                        file.extract(member, data)
                    except BaseException:
                        target.unlink(missing_ok=True)  # damaged, it may have the right size
                        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        path.unlink(missing_ok=True)
        raise UserError(f"{path} is broken ({error}) and was removed; run it again.") from None
    return len(wanted)


def reason(error: Exception) -> str:
    """A short text of a connection's error."""
    if isinstance(error, urllib.error.HTTPError):
        return f"{error.code} {error.reason}"
    return str(getattr(error, "reason", None) or error or type(error).__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 2 for a user's mistake, a missing connection or a full disk."""
    parser = argparse.ArgumentParser(
        prog="python -m train.download",
        description="Fetch a split's photos and keypoint annotations from COCO's server. Run it "
        "again to resume after an interruption.",
    )
    parser.add_argument("--data", type=Path, required=True, help="Folder to put COCO into.")
    parser.add_argument("--split", required=True, help="train2017, val2017, train2014 or val2014.")
    parser.add_argument("--server", default=COCO_SERVER, help=f"[{COCO_SERVER}]")
    arguments = parser.parse_args(argv)
    try:
        download(arguments.data, arguments.split, server=arguments.server)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; run the command again to resume.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
