"""The catalogue, names, saving, converting and publishing."""

from __future__ import annotations

import argparse
import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from pose.catalogue import catalogue
from pose.commands.weights import add_parsers
from pose.errors import UserError
from pose.estimator_cache import EstimatorCache
from pose.saving import save_weights
from pose.weights import load_weights
from pose.weights_export import export_weights

ROOT = Path(__file__).resolve().parents[1]
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
    add_parsers(parser.add_subparsers(required=True))
    args = parser.parse_args(arguments)
    return args.run(args)


def test_catalogue_lists_what_is_here_and_what_can_be_fetched(runs):
    cards = {card.name: card for card in catalogue()}
    bundled, cmu = cards["mobilenet-thin"], cards["openpose-coco"]
    assert bundled.present
    assert bundled.licence == "Apache-2.0"
    assert bundled.preprocessing == "raw-bgr"
    assert bundled.ap == 0.376
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
    assert (tmp_path / "b.safetensors").read_bytes() == BUNDLED.read_bytes()


def test_onnx_gives_the_same_maps_at_any_size(tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    from pose.preprocessing_guess import example_photo

    path = export_weights("mobilenet-thin", tmp_path / "m.onnx").path
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map["preprocessing"] == "raw-bgr"
    loaded = load_weights("mobilenet-thin")
    photo = example_photo()
    for height, width, batch in ((160, 96, 1), (104, 200, 3)):
        crops = np.stack([photo[i : i + height, i : i + width] for i in range(batch)])
        inputs = loaded.preprocessing(torch.from_numpy(crops))
        with torch.inference_mode():
            expected = loaded.network(inputs)[-1]
        pafs, heatmaps = session.run(["pafs", "heatmaps"], {"images": inputs.numpy()})
        assert heatmaps.shape == (batch, 19, height // 8, width // 8)
        np.testing.assert_allclose(pafs, expected.pafs.numpy(), atol=1e-3)
        np.testing.assert_allclose(heatmaps, expected.heatmaps.numpy(), atol=1e-3)


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


def test_cache_drops_the_least_recently_used():
    made = []

    def make(key: str) -> str:
        made.append(key)
        return key.upper()

    cache = EstimatorCache(make)
    assert [cache.get(key) for key in ("a", "b", "a", "c")] == ["A", "B", "A", "C"]
    assert cache.keys == ("a", "c")
    cache.get("b")
    assert made == ["a", "b", "c", "b"]
    assert cache.keys == ("c", "b")


def test_cache_makes_a_key_once_for_many_threads():
    made, begin = [], threading.Barrier(8)

    def make(key: str) -> object:
        made.append(key)
        threading.Event().wait(0.05)
        return object()

    cache = EstimatorCache(make, max_size=2)
    found = []

    def want() -> None:
        begin.wait()
        found.append(cache.get("a"))

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == ["a"]
    assert len(set(map(id, found))) == 1


def test_cache_never_holds_more_than_its_size_while_making():
    sizes = []
    cache = EstimatorCache(lambda key: sizes.append(len(cache)) or key, max_size=2)
    for key in "abcd":
        cache.get(key)
    assert max(sizes) == 1  # room was made before the value


def test_cache_keeps_nothing_of_a_failure():
    answers = iter([ValueError("no"), "yes"])

    def make(key: str) -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    cache = EstimatorCache(make, max_size=1)
    with pytest.raises(ValueError, match="no"):
        cache.get("a")
    assert cache.get("a") == "yes"
    with pytest.raises(ValueError, match="at least 1"):
        EstimatorCache(make, max_size=0)


@pytest.mark.parametrize("shift", ["1", "nan,0", "0,nan", "900,0", "a,b", "1,2,3"])
def test_a_shift_that_is_none_is_one_line(shift, tmp_path):
    run = finished_run(tmp_path / "run", shift=shift)
    with pytest.raises(UserError, match="shift"):
        load_weights(str(run))
