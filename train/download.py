"""`python -m train.download`: a split's images and keypoint annotations from COCO's own server.

An interrupted download goes on where it stopped; sizes and checksums are checked; nothing is
written outside the data folder whatever an archive says.
"""

from __future__ import annotations

import argparse
import re
import shutil
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

from pose.errors import UserError
from train.safe_names import leaves

COCO_SERVER = "http://images.cocodataset.org"
BLOCK = 1 << 20
ATTEMPTS = 5
"""How often a broken connection is taken up again before giving up."""

UNPACKED = {"images": 1.02, "annotations": 1.8}
"""Bytes unpacked per byte of archive: JPEGs do not shrink; of the annotations one file of six is
unpacked (measured on the 2017 archives' published sizes, rounded up)."""


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
    match = re.fullmatch(r"(train|val)(2014|2017)", split)
    if match is None:
        raise UserError(
            f"{split!r} is not a split with keypoints; choose train2017, val2017, train2014 or "
            "val2014."
        )
    server, year = server.rstrip("/"), match[2]
    annotations = rf"annotations/person_keypoints_{split}\.json"
    return [
        Archive(
            "annotations",
            f"{server}/annotations/annotations_trainval{year}.zip",
            re.compile(annotations),
        ),
        Archive("images", f"{server}/zips/{split}.zip", re.compile(rf"{split}/[\w.-]+\.jpg")),
    ]


def download(
    data: Path,
    split: str,
    *,
    server: str = COCO_SERVER,
    keep_archives: bool = False,
    say: Callable[[str], None] = print,
    progress: bool = True,
) -> None:
    """Fetches and unpacks what of a split is not there yet.

    Raises:
        UserError: no connection, no space, or a broken archive; running it again goes on.
    """
    wanted = archives(split, server)
    try:
        data.mkdir(parents=True, exist_ok=True)
        waiting = [a for a in wanted if not marker(data, split, a.kind).exists()]
        if not waiting:
            say(f"{split} is complete in {data}.")
            return
        sizes = {a.url: remote_size(a.url) for a in waiting}
        check_space(data, waiting, sizes, say)
        for archive in waiting:
            path = data / archive.name
            fetch(archive.url, path, sizes[archive.url], progress)
            count = unpack(path, data, archive, progress)
            say(f"{archive.name}: {count} files in {data}")
            marker(data, split, archive.kind).touch()
            if not keep_archives:
                path.unlink()
    except OSError as error:
        raise UserError(f"{data} cannot be written: {error.strerror or error}.") from None


def marker(data: Path, split: str, kind: str) -> Path:
    """An empty file that says that an archive has been unpacked whole."""
    return data / f".{split}-{kind}-complete"


def check_space(
    data: Path, waiting: Sequence[Archive], sizes: dict[str, int], say: Callable[[str], None]
) -> None:
    """Says how much disk is needed; a UserError where there is less."""
    need = 0.0
    for archive in waiting:
        part = data / f"{archive.name}.part"
        have = part.stat().st_size if part.exists() else 0
        whole = (data / archive.name).stat().st_size if (data / archive.name).exists() else 0
        size = sizes[archive.url]
        need += max(0, size - max(have, whole)) + size * UNPACKED[archive.kind]
    free = shutil.disk_usage(data).free
    say(f"Needs about {gigabytes(need)} of disk, {gigabytes(free)} are free in {data}.")
    if need > free:
        raise UserError(
            f"{data} has {gigabytes(free)} free and {gigabytes(need)} are needed; make room or "
            "give another --data."
        )


def gigabytes(size: float) -> str:
    return f"{size / 1e9:.2f} GB"


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


def fetch(url: str, path: Path, size: int, progress: bool) -> None:
    """Downloads into `path`, going on with what an earlier attempt left in `path`.part.

    Raises:
        UserError: the connection keeps breaking or the size is wrong.
    """
    from tqdm import tqdm

    if path.exists() and path.stat().st_size == size:
        return
    part = path.with_name(path.name + ".part")
    if part.exists() and part.stat().st_size > size:
        part.unlink()
    options = {"unit": "B", "unit_scale": True, "desc": path.name, "disable": not progress}
    failures = 0
    with tqdm(total=size, **options) as bar:
        while (have := part.stat().st_size if part.exists() else 0) < size:
            bar.n = have
            try:
                fetch_rest(url, part, have, bar.update)
                message = "the connection ended early"
            except urllib.error.HTTPError as error:
                raise UserError(f"{url}: the server says {reason(error)}.") from None
            except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
                message = reason(error)
            now = part.stat().st_size if part.exists() else 0
            failures = failures + 1 if now <= have else 0
            if failures >= ATTEMPTS:
                raise UserError(f"{url}: {message}. Run the command again to go on.")
            if now < size and failures:
                time.sleep(0.1 * 2**failures)
    if part.stat().st_size != size:
        part.unlink()
        raise UserError(f"{path.name} has another size than the server said; run it again.")
    part.replace(path)


def fetch_rest(url: str, part: Path, have: int, told: Callable[[int], object]) -> None:
    """Appends the bytes from `have` on; starts anew where the server cannot go on."""
    headers = {"Range": f"bytes={have}-"} if have else {}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
        resumed = have and answer.status == 206
        if have and not resumed:
            told(-have)
        with part.open("ab" if resumed else "wb") as file:
            while block := answer.read(BLOCK):
                file.write(block)
                told(len(block))


def unpack(path: Path, data: Path, archive: Archive, progress: bool) -> int:
    """Unpacks the wanted members; those already there with the right size are left.

    Returns:
        How many there are.

    Raises:
        UserError: the archive is broken, wants out of the folder, or lacks what is wanted.
    """
    from tqdm import tqdm

    try:
        with zipfile.ZipFile(path) as file:
            members = file.infolist()
            outside = [m.filename for m in members if leaves(m.filename)]
            if outside:
                raise UserError(f"{path} wants to write outside the folder: {outside[0]!r}.")
            wanted = [m for m in members if archive.wanted.fullmatch(m.filename)]
            if not wanted:
                raise UserError(f"{path} holds nothing of what {archive.kind} should be.")
            for member in tqdm(wanted, desc=f"unpack {path.name}", disable=not progress):
                unpack_member(file, member, data / member.filename)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        path.unlink(missing_ok=True)
        raise UserError(f"{path} is broken ({error}) and was removed; run it again.") from None
    return len(wanted)


def unpack_member(file: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path) -> None:
    if target.is_file() and target.stat().st_size == member.file_size:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.part")
    try:
        with file.open(member) as source, temporary.open("wb") as sink:
            shutil.copyfileobj(source, sink, BLOCK)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def reason(error: Exception) -> str:
    """A short text of a connection's error."""
    if isinstance(error, urllib.error.HTTPError):
        return f"{error.code} {error.reason}"
    return str(getattr(error, "reason", None) or error or type(error).__name__)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 2 for a user's mistake, a missing connection or a full disk."""
    parser = argparse.ArgumentParser(
        prog="python -m train.download",
        description="Fetch a split's images and keypoint annotations from COCO's server. Run it "
        "again to go on after an interruption.",
    )
    parser.add_argument("--data", type=Path, required=True, help="Folder to put COCO into.")
    parser.add_argument("--split", required=True, help="train2017, val2017, train2014 or val2014.")
    parser.add_argument("--server", default=COCO_SERVER, help=f"[{COCO_SERVER}]")
    parser.add_argument(
        "--keep-archives", action="store_true", help="Keep the zip files after unpacking."
    )
    arguments = parser.parse_args(argv)
    try:
        download(
            arguments.data,
            arguments.split,
            server=arguments.server,
            keep_archives=arguments.keep_archives,
        )
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped; run the command again to go on.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
