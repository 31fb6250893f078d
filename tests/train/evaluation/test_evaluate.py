"""The command's metrics are pycocotools' on its results, nothing is lost, mistakes are one line."""

from __future__ import annotations

import json

import numpy as np
import pytest
from evaluations import IDS, SMALL, measure, official, only_line, write_split
from PIL import Image

from pose import Preset
from pose.errors import UserError
from train.evaluate import main
from train.evaluation.coco_metrics import score_results
from train.evaluation.ground_truth import choose_images
from train.evaluation.measure import evaluate_images


def test_command_equals_pycocotools_on_its_own_results(coco_val, whole_run):
    content = whole_run.content
    results = whole_run.output.with_name(content["results"]["file"])
    assert content["images"]["measured"] == 110
    expected = official(coco_val.annotations, results)
    np.testing.assert_allclose(list(content["metrics"].values()), expected, atol=1e-12)
    assert content["metrics"]["ap"] > 0.05  # the input is tiny, but this is no noise
    low, high = content["intervals"]["ap"]
    assert low < content["metrics"]["ap"] < high
    for entry in whole_run.results:
        assert entry.keys() == {"image_id", "category_id", "keypoints", "score"}
        assert len(entry["keypoints"]) == 51
    assert f"AP         {expected[0]:.4f}" in whole_run.said
    assert "110 images measured" in whole_run.said
    assert content["command"] in whole_run.said
    assert content["settings"]["weights"]["sha256"][:12] in whole_run.said
    assert len(list(whole_run.output.parent.iterdir())) == 2


def test_same_metrics_from_python(annotations, ground_truth, whole_run, estimator):
    some = sorted(ground_truth.imgs)[-IDS:]
    chosen = choose_images(annotations, some)
    metrics = evaluate_images(estimator, chosen, preset=Preset("184", (184,)))
    assert metrics.image_ids == tuple(some)
    assert list(metrics.results) == [r for r in whole_run.results if r["image_id"] in set(some)]
    expected = score_results(ground_truth, whole_run.results, some).metrics
    assert metrics.score.metrics == pytest.approx(expected, nan_ok=True, abs=0)


@pytest.mark.gpu
def test_same_metrics_twice_on_a_gpu(coco_val, tmp_path):
    outputs = tmp_path / "one.json", tmp_path / "two.json"
    for output in outputs:
        assert measure(coco_val, output, "--device", "cuda") == 0
    results = [o.with_name(f"{o.stem}.results.json").read_bytes() for o in outputs]
    assert results[0] == results[1]


def test_missing_and_broken_images_are_counted(small_data, tmp_path, capsys):
    folder = small_data / "val2017"
    gone, cut, empty, text, resized, *_, last = sorted(folder.iterdir())
    content = cut.read_bytes()
    with Image.open(resized) as image:
        smaller = image.convert("RGB").resize((image.width // 2, image.height // 2))
    for path in (gone, cut, empty, text, resized):
        path.unlink()
    cut.write_bytes(content[: len(content) // 3])
    empty.touch()
    text.write_text("<html>404</html>")
    smaller.save(resized)
    output = tmp_path / "metrics.json"
    assert measure(small_data, output) == 0
    told = capsys.readouterr()
    images = json.loads(output.read_text())["images"]
    assert (images["measured"], images["missing"], images["broken"]) == (IDS - 4, 1, 3)
    assert images["missing_names"] == [gone.name]
    assert gone.name in told.err
    broken = {image["file_name"]: image["reason"] for image in images["broken_names"]}
    assert broken.keys() == {p.name for p in (cut, empty, text)}
    assert all(reason in told.out for reason in broken.values())
    assert "labels scaled to resized photos (1)" in told.err
    assert int(last.stem) in images["ids"]
    assert int(cut.stem) not in images["ids"]
    results = json.loads((tmp_path / "metrics.results.json").read_text())
    assert {entry["image_id"] for entry in results} <= set(images["ids"])


def test_nothing_to_measure_is_one_line(small_data, tmp_path, capsys):
    for path in (small_data / "val2017").iterdir():
        path.unlink()
        path.touch()
    assert measure(small_data, tmp_path / "m.json") == 2
    assert "can be measured" in only_line(capsys)
    for path in (small_data / "val2017").iterdir():
        path.unlink()
    assert measure(small_data, tmp_path / "m.json") == 2
    assert "has a photo" in only_line(capsys)
    assert not (tmp_path / "m.json").exists()


def test_names_of_2014(coco_val, ground_truth, tmp_path):
    """A 2014 split, and a 2017 split whose images have 2014's names."""
    ids = sorted(ground_truth.imgs)[:3]
    for annotated in (True, False):
        data = tmp_path / str(annotated)
        split = "val2014" if annotated else "val2017"
        write_split(data, split, ground_truth, ids)
        file = data / "annotations" / f"person_keypoints_{split}.json"
        content = json.loads(file.read_text())
        for image in content["images"]:
            name = f"COCO_val2014_{image['file_name']}"
            (data / split / name).symlink_to(coco_val.images / image["file_name"])
            if annotated:
                image["file_name"] = name
        file.write_text(json.dumps(content))
        output = data / "metrics.json"
        command = ["--data", str(data), "--split", split, *SMALL, "--output", str(output)]
        assert main(command) == 0
        images = json.loads(output.read_text())["images"]
        assert (images["ids"], images["missing"]) == (ids, 0)


def test_limit_counts_images_with_a_file(small_data, tmp_path):
    first, *_ = sorted((small_data / "val2017").iterdir())
    first.unlink()
    output = tmp_path / "metrics.json"
    assert measure(small_data, output, "--limit", "2") == 0
    images = json.loads(output.read_text())["images"]
    assert (images["measured"], images["missing"]) == (2, 1)
    assert int(first.stem) not in images["ids"]


def test_images_by_id_and_by_name(coco_val, annotations, ground_truth, tmp_path):
    one, two, three, *_ = sorted(ground_truth.imgs)
    wanted = tmp_path / "ids.txt"
    wanted.write_text(f"{three}\n{one:012d}.jpg\n\n")
    output = tmp_path / "metrics.json"
    assert measure(coco_val, output, "--image-ids", str(wanted)) == 0
    assert json.loads(output.read_text())["images"]["ids"] == [one, three]
    names = [two, str(two), f"{two:012d}", f"{two:012d}.jpg"]
    assert [i.image_id for i in choose_images(annotations, names).images] == [two]
    with pytest.raises(UserError, match="no image 5"):
        choose_images(annotations, [one, 5])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--data", "nowhere"], "nowhere"),
        (["--split", "val1999"], "val1999"),
        (["--weights", "no-such-weights"], "no-such-weights"),
        (["--limit", "0"], "--limit"),
        (["--batch-size", "-1"], "--batch-size"),
        (["--image-ids", "nowhere.txt"], "nowhere.txt"),
        (["--short-sides", "wide"], "--short-sides"),
        (["--peak-threshold", "7"], "peak_threshold"),
        (["--output", "."], "folder"),
        (["--compare", "a.json", "b.json", "--limit", "3"], "--limit"),
        (["--compare", "a.json", "b.json", "--output", "x.png"], "--output"),
        (["--plot", "a.json", "--output", "x.txt"], "x.txt"),
        (["--plot", "a.json", "--data", "x"], "--data"),
        (["--plot", "a.json", "--output", "x.png"], "a.json"),
    ],
)
def test_bad_input_is_one_line(coco_val, tmp_path, monkeypatch, capsys, options, told):
    monkeypatch.chdir(tmp_path)
    comparing = "--compare" in options or "--plot" in options
    rest = [] if comparing else ["--data", str(coco_val.data), "--output", "m.json", *SMALL]
    assert main([*rest, *options]) == 2
    assert told in only_line(capsys)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["not json", "{}", "captions"])
def test_damaged_annotations_are_one_line(small_data, tmp_path, capsys, damage):
    file = small_data / "annotations" / "person_keypoints_val2017.json"
    content = json.loads(file.read_text())
    if damage == "captions":
        content["annotations"] = [{"id": 1, "image_id": 139, "caption": "a room"}]
    broken = {"not json": "{", "{}": "{}"}.get(damage, json.dumps(content))
    file.write_text(broken)
    assert measure(small_data, tmp_path / "m.json") == 2
    assert file.name in only_line(capsys)
