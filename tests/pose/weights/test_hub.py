"""Weights from a stand-in for the Hub on loopback, and from a folder laid out like its cache.

huggingface_hub reads its environment when it is imported, so each case runs in its own process.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from checkpoint_makers import state_dict
from hub_server import COMMIT, HubServer
from places import ROOT

from pose.weights.hub_ids import HubSource, parse_hub_id

BUNDLED = ROOT / "assets" / "weights" / "mobilenet-thin.safetensors"
NOWHERE = "http://127.0.0.1:9"  # the discard port, nobody listens

LOAD = """
import json, logging, sys, time
from pose.errors import UserError
from pose.weights.load import load_weights
seen, said = [], []

class Listener(logging.Handler):
    def emit(self, record):
        said.append([record.getMessage(), len(seen)])

logging.getLogger("pose").addHandler(Listener())
key, *names = sys.argv[1:]
for name in names:
    seen.clear(), said.clear()
    start = time.perf_counter()
    try:
        loaded = load_weights(
            name, progress=lambda done, total, name: seen.append([done, total, name])
        )
    except UserError as error:
        answer = {"error": str(error)}
    else:
        answer = {
            "format": loaded.format,
            "preprocessing": loaded.preprocessing.name,
            "notes": loaded.notes,
            "licence": loaded.card.licence,
            "weight": float(loaded.network.state_dict()[key].flatten()[0]),
        }
    seconds = time.perf_counter() - start
    print(json.dumps({**answer, "seconds": seconds, "progress": seen, "said": said}))
"""


def load(
    name: str, endpoint: str, home: Path, key: str = "stem.weight", **environment: str
) -> dict:
    """Loads weights in a process of its own and gives what it printed."""
    return load_all([name], endpoint, home, key, **environment)[0]


def load_all(
    names: Sequence[str], endpoint: str, home: Path, key: str = "stem.weight", **environment: str
) -> list[dict]:
    """The same for several, one after the other."""
    variables = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
    variables |= {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", LOAD, key, *names],
        cwd=home.parent,
        env=variables | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()[-len(names) :]]


@pytest.fixture
def home(tmp_path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def repositories(tmp_path) -> Path:
    """me/pose with our own file, other/one with one `.safetensors` of another name."""
    root = tmp_path / "repositories"
    for repo, file in (("me/pose", "weights.safetensors"), ("other/one", "sub/any.safetensors")):
        (root / repo / file).parent.mkdir(parents=True)
        shutil.copy(BUNDLED, root / repo / file)
    return root


def test_a_repository_a_revision_and_a_file(repositories, home):
    with HubServer(repositories) as hub:
        names = ("me/pose", f"me/pose@{COMMIT}", "me/pose/weights.safetensors", "other/one")
        for found in load_all(names, hub.url, home):
            assert found.get("format") == "own-mobilenet", found
            assert found["preprocessing"] == "raw-bgr"
            assert found["licence"] == "Apache-2.0"


def test_progress_reaches_the_whole_size(repositories, home):
    with HubServer(repositories) as hub:
        found = load("me/pose", hub.url, home)
    size = BUNDLED.stat().st_size
    assert found["progress"][-1] == [size, size, "weights.safetensors"]


def test_a_cut_connection_is_resumed(repositories, home):
    """The library keeps what it has in pieces of 10 MB, so the file must be larger."""
    state = {key: value.half() for key, value in state_dict("caffe").items()}
    path = repositories / "me" / "pose" / "body_pose_model.pth"
    torch.save(state, path)
    size = path.stat().st_size
    with HubServer(repositories) as hub:
        hub.cut_after = size // 2
        found = load(f"me/pose/{path.name}", hub.url, home, "feature.model.0.weight")
        ranges = [r for method, _, r in hub.requests if method == "GET" and r]
    assert found.get("format") == "caffe", found
    assert len(ranges) == 1
    assert int(ranges[0].removeprefix("bytes=").split("-")[0]) > size // 4
    assert found["progress"][-1] == [size, size, path.name]


@pytest.mark.parametrize("bare", [False, True])
def test_openpose_coco_from_a_mirror(bare, tmp_path, home):
    """CMU's layout under its published name; the mirror has neither the commit nor the content."""
    repo = tmp_path / "mirror" / "lllyasviel" / "Annotators"
    repo.mkdir(parents=True)
    state = state_dict("caffe")
    torch.save(state, repo / "body_pose_model.pth")
    key = "feature.model.0.weight"
    with HubServer(tmp_path / "mirror") as hub:
        hub.bare = bare
        found = load("openpose-coco", hub.url, home, key)
    assert found.get("format") == "caffe", found
    assert found["preprocessing"] == "caffe"
    assert found["weight"] == pytest.approx(float(state["conv1_1.weight"].flatten()[0]))
    assert any("sha256" in note for note in found["notes"])
    # The licence is told before anything is fetched.
    assert [count for text, count in found["said"] if "non-commercial" in text] == [0]
    assert found["progress"]
    # Now it is here, and the Hub is not needed.
    again = load("openpose-coco", NOWHERE, home, key, HF_HUB_OFFLINE="1")
    assert again.get("format") == "caffe", again


def test_a_folder_laid_out_like_the_cache(tmp_path, home):
    folder = tmp_path / "cache" / "models--lllyasviel--Annotators"
    snapshot = folder / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(COMMIT)
    torch.save(state_dict("caffe"), snapshot / "body_pose_model.pth")
    found = load(
        "openpose-coco",
        NOWHERE,
        home,
        "feature.model.0.weight",
        HF_HUB_CACHE=str(tmp_path / "cache"),
        HF_HUB_OFFLINE="1",
    )
    assert found.get("format") == "caffe", found
    # Without offline mode but without a Hub, the same copy serves and a note says so.
    found = load(
        "lllyasviel/Annotators/body_pose_model.pth",
        NOWHERE,
        home,
        "feature.model.0.weight",
        HF_HUB_CACHE=str(tmp_path / "cache"),
    )
    assert found.get("format") == "caffe", found
    assert any("cannot be reached" in note for note in found["notes"])


def test_offline_and_not_here(home):
    found = load("me/pose", NOWHERE, home, HF_HUB_OFFLINE="1")
    assert "HF_HUB_OFFLINE" in found["error"]


def test_out_of_reach_is_told_and_nothing_hangs(repositories, home):
    with HubServer(repositories) as hub:
        hub.silent = True
        started = time.monotonic()
        silent = load("me/pose", hub.url, home)
        waited = time.monotonic() - started
    refused = load("me/pose", NOWHERE, home)
    for found in (silent, refused):
        assert "the Hub cannot be reached" in found["error"]
        assert "\n" not in found["error"]
    # A hang is what the silent server would cause: the library alone waits for minutes.
    assert waited < 60


def test_the_hub_says_no(repositories, home):
    (repositories / "empty" / "repo").mkdir(parents=True)
    (repositories / "empty" / "repo" / "README.md").write_text("nothing")
    messages = {
        "no/such": "no file, run or Hub repository no/such",
        "me/pose/no.pth": "me/pose has no file no.pth",
        "me/pose@v9": "me/pose has no revision v9",
        "empty/repo": "no file that is clearly the weights",
    }
    with HubServer(repositories) as hub:
        for found, message in zip(
            load_all(list(messages), hub.url, home), messages.values(), strict=True
        ):
            assert message in found["error"]


def test_a_mirror_without_the_file_and_without_reasons(tmp_path, home):
    (tmp_path / "mirror").mkdir()
    with HubServer(tmp_path / "mirror") as hub:
        hub.bare = True
        first, second = load_all(["openpose-coco", "no/such"], hub.url, home)
    assert "has no file" in first["error"]
    assert "status 404" in second["error"]


def test_the_token_is_sent(repositories, home):
    with HubServer(repositories) as hub:
        load("me/pose", hub.url, home, HF_TOKEN="hf_test")
        tokens = {token for path, token in hub.tokens if path.startswith("/me/pose/")}
    assert tokens == {"Bearer hf_test"}


def test_a_stranger_does_not_borrow_the_token(repositories, home):
    """The page asks without the machine's token for what a visitor names."""
    code = (
        "from page.photo.own_weights import fetched\n"
        "print(fetched('me/pose', None, 'en').card.name)"
    )
    with HubServer(repositories) as hub:
        variables = {k: v for k, v in os.environ.items() if not k.startswith("HF_")}
        variables |= {"HF_ENDPOINT": hub.url, "HF_HOME": str(home), "HF_TOKEN": "hf_test"}
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=variables,
            capture_output=True,
            text=True,
            timeout=120,
        )
        asked = [token for path, token in hub.tokens if path.startswith("/me/pose/")]
    assert done.returncode == 0, done.stderr
    assert asked and set(asked) == {None}


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("a/b", HubSource("a/b")),
        ("a/b@v1", HubSource("a/b", revision="v1")),
        ("a/b/c/d.pth", HubSource("a/b", "c/d.pth")),
        ("a/b@v1/d.pth", HubSource("a/b", "d.pth", "v1")),
        ("a/b/d.pth@v1", HubSource("a/b", "d.pth", "v1")),
        ("a/b@refs/pr/3", HubSource("a/b", revision="refs/pr/3")),
        ("runs/x.pth", None),
        ("/a/b", None),
        ("./a/b", None),
        ("a/../b", None),
        ("a", None),
        ("a\\b", None),
    ],
)
def test_hub_ids(text, source):
    assert parse_hub_id(text) == source
