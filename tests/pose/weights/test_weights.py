"""The catalogue, names, saving, converting and publishing."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from places import ROOT
from safetensors import safe_open
from safetensors.numpy import load_file as load_arrays

from pose.cli import export, weights
from pose.cli.export import export_weights
from pose.engines.openvino_engine import shared_core
from pose.errors import UserError
from pose.weights.catalogue import catalogue
from pose.weights.load import load_weights
from pose.weights.preprocessing_guess import example_photo
from pose.weights.save import save_weights

BUNDLED = ROOT / "assets" / "weights" / "mobilenet-thin.safetensors"


@pytest.fixture
def runs(tmp_path, monkeypatch) -> Path:
    """An empty folder of runs, made the default one."""
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setenv("POSE_WEIGHTS_DIR", str(folder))
    return folder


def finished_run(folder: Path, **metadata: str) -> Path:
    """A run as the trainer leaves it, with the bundled network's numbers."""
    folder.mkdir(parents=True)
    network = load_weights("mobilenet-thin").network
    texts = {"licence": "CC-BY-4.0", "ap": "0.321", "training_data": "COCO train2017", **metadata}
    save_weights(folder / "weights.safetensors", network, preprocessing="imagenet", metadata=texts)
    (folder / "settings.json").write_text(json.dumps({"epochs": 10, "batch_size": 16}))
    (folder / "metrics.jsonl").write_text('{"epoch": 1, "loss": 0.5}\n')
    shutil.copy(next((ROOT / "assets" / "examples").glob("*.jpg")), folder / "loss.png")
    return folder


def run(*arguments: str) -> int:
    """One of the commands, as `python -m pose` calls it."""
    parser = argparse.ArgumentParser()
    subparsers = parser.add_subparsers(required=True)
    weights.add_parsers(subparsers), export.add_parsers(subparsers)
    args = parser.parse_args(arguments)
    return args.run(args)


def test_catalogue_lists_what_is_here_and_what_can_be_fetched(runs):
    cards = {card.name: card for card in catalogue()}
    bundled, cmu = cards["mobilenet-thin"], cards["openpose-coco"]
    assert bundled.present
    assert bundled.licence == "Apache-2.0"
    assert bundled.preprocessing == "raw-bgr"
    assert bundled.ap == 0.443
    assert bundled.size_bytes == BUNDLED.stat().st_size
    assert "non-commercial" in cmu.licence
    assert any("non-commercial" in note for note in cmu.notes)
    assert cmu.preprocessing == "caffe"


def test_a_run_appears_once_it_is_finished(runs):
    unfinished = runs / "busy"
    unfinished.mkdir()
    (unfinished / "metrics.jsonl").write_text("{}")
    assert "busy" not in {card.name for card in catalogue()}
    with pytest.raises(UserError, match="unfinished run"):
        load_weights(str(unfinished))
    finished_run(runs / "mine")
    card = {card.name: card for card in catalogue()}["mine"]
    assert (card.network, card.preprocessing, card.ap) == ("mobilenet-thin", "imagenet", 0.321)
    for name in ("mine", str(runs / "mine"), str(runs / "mine" / "weights.safetensors")):
        loaded = load_weights(name)
        assert loaded.preprocessing.name == "imagenet"
        assert loaded.card.licence == "CC-BY-4.0"
        assert not loaded.network.training


def test_a_damaged_run_does_not_break_the_catalogue(runs):
    finished_run(runs / "mine")
    (runs / "broken").mkdir()
    (runs / "broken" / "weights.safetensors").write_bytes(b"not weights")
    names = {card.name for card in catalogue()}
    assert "mine" in names
    assert "broken" not in names


def test_a_run_cannot_take_a_bundled_name(runs):
    finished_run(runs / "mobilenet-thin")
    cards = {card.name: card for card in catalogue()}
    assert cards["mobilenet-thin"].path == BUNDLED
    assert cards[str(runs / "mobilenet-thin")].ap == 0.321
    assert load_weights(str(runs / "mobilenet-thin")).preprocessing.name == "imagenet"


def test_weights_dir_overrides(tmp_path, runs):
    finished_run(tmp_path / "elsewhere" / "other")
    assert "other" not in {card.name for card in catalogue()}
    assert "other" in {card.name for card in catalogue(tmp_path / "elsewhere")}


@pytest.mark.parametrize("ending", [".safetensors", ".pth", ".pt"])
def test_saving_keeps_numbers_and_metadata(ending, tmp_path):
    original = load_weights("mobilenet-thin")
    path = save_weights(
        tmp_path / f"saved{ending}",
        original.network,
        preprocessing="raw-bgr",
        metadata={"licence": "MIT", "ap": "0.5", "settings": "a\nb"},
    )
    loaded = load_weights(str(path))
    assert loaded.card.licence == "MIT"
    assert loaded.card.ap == 0.5
    assert loaded.card.metadata["settings"] == "a\nb"
    assert loaded.card.metadata["library_version"]
    for key, value in original.network.state_dict().items():
        assert torch.equal(loaded.network.state_dict()[key], value)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_the_same_content_gives_the_same_file(tmp_path):
    network = load_weights("mobilenet-thin").network
    texts = {name: name for name in "zyxwvuts"}
    for name in ("a", "b"):
        save_weights(
            tmp_path / f"{name}.safetensors", network, preprocessing="caffe", metadata=texts
        )
    a = (tmp_path / "a.safetensors").read_bytes()
    assert a == (tmp_path / "b.safetensors").read_bytes()
    with safe_open(tmp_path / "a.safetensors", "pt") as file:
        assert list(file.metadata()) and file.metadata()["z"] == "z"


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    network = load_weights("mobilenet-thin").network
    path = save_weights(tmp_path / "w.pth", network, preprocessing="raw-bgr")
    before = path.read_bytes()

    def broken(content, target):
        Path(target).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", broken)
    with pytest.raises(UserError, match="No space left"):
        save_weights(path, network, preprocessing="raw-bgr")
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["w.pth"]


def test_export_there_and_back(tmp_path):
    export_weights("mobilenet-thin", tmp_path / "a.pth")
    export_weights(str(tmp_path / "a.pth"), tmp_path / "b.safetensors")
    contents = []
    for path in (BUNDLED, tmp_path / "b.safetensors"):
        with safe_open(path, "np") as file:
            metadata = {**file.metadata(), "library_version": ""}
        contents.append((metadata, {k: v.tobytes() for k, v in load_arrays(path).items()}))
    assert contents[0] == contents[1]


def test_onnx_gives_the_same_maps_at_any_size(tmp_path):
    path = tmp_path / "m.onnx"
    assert run("export", "--weights", "mobilenet-thin", "--output", str(path)) == 0
    texts = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert (texts["preprocessing"], texts["licence"]) == ("raw-bgr", "Apache-2.0")
    compiled = shared_core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    loaded = load_weights("mobilenet-thin")
    photo = example_photo()
    for height, width, batch in ((160, 96, 1), (104, 200, 3)):
        crops = np.stack([photo[i : i + height, i : i + width] for i in range(batch)])
        inputs = loaded.preprocessing(torch.from_numpy(crops)).contiguous()
        with torch.inference_mode():
            expected = loaded.network(inputs)[-1]
        found = compiled({"images": inputs.numpy()})
        assert found["heatmaps"].shape == (batch, 19, height // 8, width // 8)
        np.testing.assert_allclose(found["pafs"], expected.pafs.numpy(), atol=1e-3)
        np.testing.assert_allclose(found["heatmaps"], expected.heatmaps.numpy(), atol=1e-3)


def test_onnx_is_checked_without_the_example_photos(tmp_path, monkeypatch):
    monkeypatch.setattr("pose.weights.preprocessing_guess.EXAMPLES", tmp_path / "nowhere")
    notes = export_weights("mobilenet-thin", tmp_path / "m.onnx")
    assert "differ from PyTorch's" in notes[-1] and (tmp_path / "m.onnx").is_file()


@pytest.mark.parametrize(
    ("output", "message"), [("w.h5", "should end in"), ("", "should end in"), (".onnx/", "end in")]
)
def test_export_refuses_other_endings(output, message, tmp_path):
    with pytest.raises(UserError, match=message):
        export_weights("mobilenet-thin", tmp_path / output)


def test_unknown_preprocessing_is_refused():
    with pytest.raises(UserError, match="caffe, imagenet, raw-bgr"):
        load_weights("mobilenet-thin", preprocessing="rgb")


def test_overruling_the_preprocessing_is_told():
    loaded = load_weights("mobilenet-thin", preprocessing="caffe")
    assert loaded.preprocessing.name == "caffe"
    assert any("belong to raw-bgr" in note for note in loaded.notes)


def test_push_writes_the_folder_it_would_send(runs, tmp_path):
    finished_run(runs / "mine")
    target = tmp_path / "out"
    assert run("push", "--weights", "mine", "--repo", "me/net", "--dry-run", str(target)) == 0
    names = {path.name for path in target.iterdir()}
    assert names == {
        "weights.safetensors", "README.md", "settings.json", "metrics.jsonl", "loss.png",
    }  # fmt: skip
    card = (target / "README.md").read_text("utf-8")
    for part in (
        "license: cc-by-4.0",
        'PoseEstimator.from_pretrained("me/net")',
        "| AP | 0.321 |",
        "COCO train2017",
        '"epochs": 10',
        "![Loss curve](loss.png)",
        "`imagenet`",
    ):
        assert part in card
    loaded = load_weights(str(target / "weights.safetensors"))
    assert loaded.preprocessing.name == "imagenet"
    assert loaded.card.ap == 0.321


def test_push_refuses_what_is_not_ours_and_bad_names(runs, tmp_path):
    with pytest.raises(UserError, match="not ours to publish"):
        run("push", "--weights", "openpose-coco", "--repo", "me/x", "--dry-run", str(tmp_path))
    with pytest.raises(UserError, match="owner/name"):
        run("push", "--weights", "mobilenet-thin", "--repo", "x", "--dry-run", str(tmp_path))


def test_the_weights_command_shows_the_table(runs, capsys):
    finished_run(runs / "mine")
    assert run("weights") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "name", "network", "source", "size", "licence", "preprocessing", "AP", "here",
    ]  # fmt: skip
    rows = {line.split()[0]: line for line in lines[1:]}
    assert "0.321" in rows["mine"]
    assert rows["mine"].endswith("yes")
    assert "Apache-2.0" in rows["mobilenet-thin"]
    assert "non-commercial" in rows["openpose-coco"]


@pytest.mark.parametrize("shift", ["1", "nan,0", "0,nan", "900,0", "a,b", "1,2,3"])
def test_a_shift_that_is_none_is_one_line(shift, tmp_path):
    run = finished_run(tmp_path / "run", shift=shift)
    with pytest.raises(UserError, match="shift"):
        load_weights(str(run))
