"""Names from others stay in their folder, secrets stay secret, no data is run as code."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys

import pytest
from places import ROOT

from page.components import public_message
from pose.errors import UserError, redacted
from pose.weights.hub_ids import parse_hub_id
from pose.weights.load import load_weights
from train.data.photo_files import leaves
from train.data.read import find_source

SOURCES = [
    ROOT / "app.py",
    *(path for name in ("pose", "train", "page") for path in sorted((ROOT / name).rglob("*.py"))),
]

TOKEN = "hf_" + "AbCdEfGhIjKlMnOpQrSt" + "0123456789"
"""Shaped like a token of the Hub; it opens nothing."""


# Names


@pytest.mark.parametrize(
    "name",
    ["../a", "/etc/passwd", "a/../../b", "..", "..\\a", "\\a", "C:\\a", "c:a", "a\\..\\..\\b"],
)
def test_names_that_leave(name):
    assert leaves(name)


@pytest.mark.parametrize("name", ["a.jpg", "a/b.jpg", "..a", "a..b/c", "...", "a b.jpg"])
def test_names_that_stay(name):
    assert not leaves(name)


@pytest.fixture
def outside(tmp_path):
    """A COCO folder whose annotations name, beside a photo in it, photos outside of it."""
    photo = (ROOT / "assets/examples/astronaut.jpg").read_bytes()
    data, secret = tmp_path / "data", tmp_path / "secret.jpg"
    for path in (data / "val2017/sub/inside.jpg", secret):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo)
    names = ["sub/inside.jpg", "../../secret.jpg", str(secret), "sub/../../../secret.jpg"]
    person = {
        "category_id": 1,
        "keypoints": [100, 100, 2] * 17,
        "num_keypoints": 17,
        "bbox": [50, 50, 200, 200],
        "area": 40000,
        "iscrowd": 0,
    }
    content = {
        "images": [
            {"id": i, "file_name": name, "height": 512, "width": 512}
            for i, name in enumerate(names)
        ],
        "annotations": [{"id": i, "image_id": i, **person} for i in range(len(names))],
        "categories": [{"id": 1, "name": "person", "keypoints": ["k"] * 17}],
    }
    (data / "annotations").mkdir()
    (data / "annotations/person_keypoints_val2017.json").write_text(json.dumps(content))
    return data


def test_annotations_do_not_name_files_outside(outside):
    images = find_source(outside, "val2017").read().images
    assert [i.path.name for i in images if i.path] == ["inside.jpg"] and len(images) == 4


def test_the_cmu_format_does_not_name_files_outside(outside):
    from train.data.cmu import find_photo

    assert find_photo(outside, "val2017/sub/inside.jpg") is not None
    for name in ("../secret.jpg", str(outside.parent / "secret.jpg"), "val2017/../../secret.jpg"):
        assert find_photo(outside, name) is None


@pytest.mark.parametrize(
    "name",
    [
        "o/r//etc/passwd",
        "o/r@main//etc/passwd",
        "o/r/a//b",
        "o/r/../../x",
        "o/r/",
        "//h/o/r",
        "o//r",
    ],
)
def test_hub_ids_hold_no_paths_of_this_machine(name):
    assert parse_hub_id(name) is None


def test_a_hub_id_does_not_reach_out_of_the_cache(tmp_path):
    """The repository is in the cache and the Hub switched off, so the file's name alone decides."""
    secret = tmp_path / "secret.safetensors"
    secret.write_bytes((ROOT / "assets/weights/mobilenet-thin.safetensors").read_bytes())
    commit = "0123456789abcdef" * 2 + "01234567"
    snapshot = tmp_path / "cache/models--o--r/snapshots" / commit
    snapshot.mkdir(parents=True)
    (snapshot / "weights.safetensors").write_bytes(b"not weights")
    code = (
        "import sys\nfrom pose.errors import UserError\n"
        "from page.photo.own_weights import fetched\n"
        "try:\n    print('LOADED', fetched(sys.argv[1], None, 'en').path)\n"
        "except UserError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, f"o/r@{commit}/{secret}"],
        cwd=ROOT,
        env={**os.environ, "HF_HUB_CACHE": str(tmp_path / "cache"), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "a Hub id looks like" in done.stdout and "LOADED" not in done.stdout


# Secrets


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"no weights are called '{TOKEN}'", "no weights are called 'hf_***'"),
        ("https://me:pass@host/x is broken", "https://***@host/x is broken"),
        (f"http://{TOKEN}@host/a", "http://***@host/a"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ("https://h/x?a=1&X-Amz-Signature=ff00&b=2", "https://h/x?a=1&X-Amz-Signature=***&b=2"),
        ("http://h/?token=s3cret rest", "http://h/?token=*** rest"),
        ("owner/hf_pose_model@v1 and a@b.c", "owner/hf_pose_model@v1 and a@b.c"),
        ("/data/coco/val2017: no photo", "/data/coco/val2017: no photo"),
    ],
)
def test_secrets_are_taken_out(text, shown):
    assert redacted(text) == shown
    assert str(UserError(text)) == shown


def test_the_token_of_this_machine_is_taken_out(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "odd-token-of-a-mirror")
    assert str(UserError("status 401 for odd-token-of-a-mirror")) == "status 401 for ***"


def test_a_token_in_a_name_is_not_repeated(tmp_path, capfd):
    from train.__main__ import main as train_main
    from train.download import main as download_main

    with pytest.raises(UserError) as error:
        load_weights(f"https://me:{TOKEN}@huggingface.co/owner/repo")
    assert TOKEN not in str(error.value)
    address = f"http://me:{TOKEN}@127.0.0.1:9"
    assert download_main(["--data", str(tmp_path), "--split", "val2017", "--server", address]) == 2
    told = capfd.readouterr()
    assert TOKEN not in told.out + told.err and "cannot be reached" in told.err
    run = tmp_path / "run"
    options = ["--data", str(tmp_path), "--output", str(run), "--init", address]
    assert train_main(options) == 2
    told = capfd.readouterr()
    assert TOKEN not in told.out + told.err
    kept = [p.read_text(errors="replace") for p in run.rglob("*") if p.is_file()]
    assert not any(TOKEN in text for text in kept)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/srv/app/runs/x/weights.safetensors is damaged", "weights.safetensors is damaged"),
        ("delete /root/.cache/hub/a/b and try", "delete b and try"),
        ("C:\\Users\\me\\w.pth is empty", "w.pth is empty"),
        ("give owner/repo/file, or JPEG/PNG", "give owner/repo/file, or JPEG/PNG"),
        ("http://host/a/b answers", "http://host/a/b answers"),
    ],
)
def test_a_stranger_is_not_told_where_files_lie(text, shown):
    assert public_message(UserError(text)) == shown


# Code in data


def calls(tree: ast.AST):
    """(dotted name, call) of every call in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def keyword(call: ast.Call, name: str) -> object:
    """The constant given for a keyword, None without one."""
    for given in call.keywords:
        if given.arg == name and isinstance(given.value, ast.Constant):
            return given.value.value
    return None


FORBIDDEN = {
    *("pickle.load", "pickle.loads", "eval", "exec", "os.system", "yaml.load", "marshal.loads"),
    *("torch.jit.load", "torch.hub.load", "joblib.load", "np.fromfile", "shelve.open"),
}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_data_is_run_as_code(path):
    """Every loader that could run a pickle is told not to."""
    for name, call in calls(ast.parse(path.read_text())):
        where = f"{path.name}:{call.lineno} {name}"
        assert name not in FORBIDDEN, where
        assert keyword(call, "shell") is not True, where
        if name == "torch.load":
            assert keyword(call, "weights_only") is True, where
        if name in ("np.load", "np.lib.format.read_array"):
            assert keyword(call, "allow_pickle") is False, where
