"""Measuring AP: the figures are pycocotools', nothing is lost, chance is told from a win."""

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from pose import Preset
from pose.errors import UserError
from pose.export import coco_results
from pose.results import Person
from pose.skeleton import COCO_TO_KEYPOINT
from train.bootstrap import Matches, draw_weights, figures_of, paired_intervals, weighted_figures
from train.coco_metrics import score_results
from train.coco_truth import choose_ids, find_images, read_truth
from train.compare import compare
from train.evaluate import evaluate_estimator, main

ROOT = Path(__file__).resolve().parents[1]
IDS = 12
"""Images of most tests: enough to have everything in them, few enough to be quick."""

SMALL = ["--preset", "fast", "--short-sides", "184", "--device", "cpu"]
"""An input so small that a photo takes some 50 ms."""


@pytest.fixture(scope="module")
def truth(coco_val) -> COCO:
    return read_truth(coco_val.annotations)


def measure(coco, output: Path, *options: str) -> int:
    data = ["--data", str(coco if isinstance(coco, Path) else coco.data)]
    return main([*data, "--split", "val2017", *SMALL, "--output", str(output), *options])


@dataclass(frozen=True)
class WholeRun:
    """The command over all images: what it wrote, what it said."""

    output: Path
    content: dict
    results: list[dict]
    said: str


@pytest.fixture(scope="module")
def whole_run(coco_val, tmp_path_factory) -> WholeRun:
    output = tmp_path_factory.mktemp("whole") / "metrics.json"
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert measure(coco_val, output) == 0
    content = json.loads(output.read_text())
    results = json.loads((output.parent / content["results"]["file"]).read_text())
    return WholeRun(output, content, results, said.getvalue())


@pytest.fixture(scope="module")
def whole_matches(whole_run, truth) -> Matches:
    return score_results(truth, whole_run.results, sorted(truth.imgs)).matches


def official(annotations: Path, results: Path, ids=None) -> np.ndarray:
    """pycocotools alone on two files."""
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(annotations))
        evaluation = COCOeval(truth, truth.loadRes(str(results)), "keypoints")
        if ids is not None:
            evaluation.params.imgIds = ids
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats


def perfect(truth: COCO, image_id: int, noise: float = 0.0, seed: int = 0) -> list[dict]:
    """Results that are the labels themselves, moved by `noise` standard deviations of OKS."""
    rng = np.random.default_rng((image_id, seed))
    sigmas = COCOeval(iouType="keypoints").params.kpt_oks_sigmas
    results = []
    for annotation in truth.imgToAnns[image_id]:
        points = np.asarray(annotation["keypoints"], float).reshape(17, 3)
        there = points[:, 2] > 0
        if not there.any() or annotation["iscrowd"]:
            continue
        width = noise * 2 * sigmas[:, None] * np.sqrt(annotation["area"])
        points[:, :2] += width * rng.normal(size=(17, 2))
        points[~there] = 0
        entry = {"image_id": image_id, "category_id": 1, "keypoints": points.ravel().tolist()}
        results.append({**entry, "score": float(rng.uniform())})
    return results


# The figures


def test_command_equals_pycocotools_on_its_own_results(coco_val, whole_run):
    content = whole_run.content
    results = whole_run.output.with_name(content["results"]["file"])
    assert content["images"]["measured"] == 110
    expected = official(coco_val.annotations, results)
    np.testing.assert_allclose(list(content["figures"].values()), expected, atol=1e-12)
    assert content["figures"]["ap"] > 0.05  # the input is tiny, but this is no noise
    low, high = content["intervals"]["ap"]
    assert low < content["figures"]["ap"] < high
    for entry in whole_run.results:
        assert entry.keys() == {"image_id", "category_id", "keypoints", "score"}
        assert len(entry["keypoints"]) == 51
    assert f"AP         {expected[0]:.4f}" in whole_run.said
    assert "110 images measured" in whole_run.said
    assert content["command"] in whole_run.said
    assert content["settings"]["weights"]["sha256"][:12] in whole_run.said
    assert not list(whole_run.output.parent.glob("*journal*"))


def test_same_figures_from_python(coco_val, truth, whole_run, estimator):
    some = sorted(truth.imgs)[-IDS:]
    metrics = evaluate_estimator(
        estimator, truth, coco_val.images, preset=Preset("184", (184,)), image_ids=some
    )
    assert metrics.image_ids == tuple(some)
    assert list(metrics.results) == [r for r in whole_run.results if r["image_id"] in set(some)]
    expected = score_results(truth, whole_run.results, some).figures
    assert metrics.figures == pytest.approx(expected, nan_ok=True, abs=0)


@pytest.mark.gpu
def test_same_figures_twice_on_a_gpu(coco_val, tmp_path):
    outputs = tmp_path / "one.json", tmp_path / "two.json"
    for output in outputs:
        assert measure(coco_val, output, "--device", "cuda") == 0
    results = [o.with_name(f"{o.stem}.results.json").read_bytes() for o in outputs]
    assert results[0] == results[1]


def test_labels_score_one_and_nothing_scores_zero(truth):
    ids = sorted(truth.imgs)
    whole = [entry for i in ids for entry in perfect(truth, i)]
    score = score_results(truth, whole, ids)
    assert score.figures["ap"] == pytest.approx(1)
    assert (score.missed, score.invented) == (0, 0)
    assert score.people == score.detections == len(whole)
    assert all(joint.rate == 1 and joint.labelled > 50 for joint in score.per_joint)
    nothing = score_results(truth, [], ids)
    assert nothing.figures["ap"] == 0
    assert (nothing.missed, nothing.invented) == (score.people, 0)


def test_rates_misses_and_inventions_are_counted(truth):
    ids = sorted(truth.imgs)
    whole = [entry for i in ids for entry in perfect(truth, i)]
    whole.sort(key=lambda entry: -np.count_nonzero(entry["keypoints"][2::3]))
    lacking = [dict(entry) for entry in whole[:3]]
    wrist = 9  # COCO's left wrist
    for entry in lacking:
        entry["keypoints"] = list(entry["keypoints"])
        assert entry["keypoints"][3 * wrist + 2]
        entry["keypoints"][3 * wrist : 3 * wrist + 3] = [0, 0, 0]
    far = {**whole[0], "keypoints": [10_000 + k for k in whole[0]["keypoints"]], "score": 0.1}
    score = score_results(truth, [*lacking, far, *whole[5:]], ids)
    assert (score.missed, score.invented) == (2, 1)
    rates = {joint.name: joint for joint in score.per_joint}
    assert rates["left wrist"].of_matched - rates["left wrist"].found == 3
    others = [joint for joint in score.per_joint if joint.name != "left wrist"]
    assert all(joint.found == joint.of_matched for joint in others)


def test_a_keypoint_counts_up_to_its_oks_distance(truth):
    annotation = next(a for a in truth.anns.values() if a["num_keypoints"] >= 15)
    image_id, nose = annotation["image_id"], 0.026
    entry = {"image_id": image_id, "category_id": 1, "score": 1.0}
    reach = np.sqrt(2 * np.log(2) * annotation["area"]) * 2 * nose  # where KS is 0.5
    found = []
    for factor in (0.99, 1.01):
        points = list(annotation["keypoints"])
        points[0] += reach * factor
        (joint, *_) = score_results(truth, [{**entry, "keypoints": points}], [image_id]).per_joint
        assert (joint.name, joint.of_matched) == ("nose", 1)
        found.append(joint.found)
    assert found == [1, 0]


def test_people_without_a_coco_keypoint_do_no_harm(truth):
    keypoints = np.full((18, 3), np.nan, np.float32)
    keypoints[:, 2] = 0
    keypoints[1] = (10, 10, 0.9)  # the neck is not COCO's
    assert 1 not in COCO_TO_KEYPOINT
    image_id = min(truth.imgs)
    results = coco_results([Person(keypoints, 1.0)], image_id, "x.jpg")
    assert score_results(truth, results, [image_id]).detections == 0


# Intervals


def test_identity_weights_are_pycocotools(whole_run, whole_matches):
    expected = list(whole_run.content["figures"].values())
    np.testing.assert_allclose(figures_of(whole_matches), expected, rtol=0, atol=1e-12)


def test_a_resample_is_what_pycocotools_says_of_copied_images(truth, whole_run, whole_matches):
    """Images drawn twice stand twice in an annotation file made for the purpose."""
    for seed in (1, 2):
        weights = draw_weights(len(whole_matches.image_ids), 1, seed)
        images, labels, results = [], [], []
        drawn = np.repeat(whole_matches.image_ids, weights[0])
        assert len(drawn) == 110 > len(set(drawn))
        for new, old in enumerate(drawn.tolist(), start=1):
            images.append({**truth.imgs[old], "id": new})
            for label in truth.imgToAnns[old]:
                labels.append({**label, "image_id": new, "id": len(labels) + 1})
            results += [
                {**entry, "image_id": new}
                for entry in whole_run.results
                if entry["image_id"] == old
            ]
        copied = COCO()
        copied.dataset = {"images": images, "annotations": labels, "categories": [{"id": 1}]}
        with contextlib.redirect_stdout(io.StringIO()):
            copied.createIndex()
        expected = score_results(copied, results, range(1, len(images) + 1)).figures
        got = weighted_figures(whole_matches, weights)[0]
        np.testing.assert_allclose(got, list(expected.values()), rtol=0, atol=1e-9)


def test_chance_is_noise_and_a_real_difference_is_none(truth):
    ids = sorted(truth.imgs)
    runs = {
        name: score_results(truth, [e for i in ids for e in perfect(truth, i, *how)], ids)
        for name, how in {"a": (0.5, 0), "b": (0.5, 1), "worse": (0.7, 0)}.items()
    }
    same = paired_intervals(runs["a"].matches, runs["a"].matches, 200).difference["ap"]
    assert (same.value, same.low, same.high) == (0, 0, 0)
    chance = paired_intervals(runs["a"].matches, runs["b"].matches, 200).difference["ap"]
    assert chance.low < 0 < chance.high
    worse = paired_intervals(runs["a"].matches, runs["worse"].matches, 200)
    assert worse.difference["ap"].high < 0
    apart = worse.first["ap"].high - worse.first["ap"].low
    assert worse.difference["ap"].high - worse.difference["ap"].low < apart  # pairing pays


def test_resamples_without_people_are_left_out(truth):
    ids = sorted(i for i in truth.imgs if not truth.imgToAnns[i])[:2]
    image_id = next(i for i in truth.imgs if perfect(truth, i))
    score = score_results(truth, perfect(truth, image_id), [image_id])
    figures = weighted_figures(score.matches, np.array([[1], [0], [3]]))
    np.testing.assert_allclose(figures[[0, 2], 0], 1)
    assert np.isnan(figures[1]).all()
    if ids:
        assert np.isnan(score_results(truth, [], ids).figures["ap"])


# Missing and broken images, other layouts


@pytest.fixture
def small_data(coco_val, truth, tmp_path) -> Path:
    """A COCO folder with the first images of the slice, for tests to damage."""
    ids = sorted(truth.imgs)[:IDS]
    data = tmp_path / "coco"
    write_split(data, "val2017", truth, ids)
    for image_id in ids:
        name = truth.imgs[image_id]["file_name"]
        (data / "val2017" / name).symlink_to(coco_val.images / name)
    return data


def write_split(data: Path, split: str, truth: COCO, ids: list[int]) -> None:
    (data / "annotations").mkdir(parents=True)
    (data / split).mkdir()
    content = {
        "images": [truth.imgs[i] for i in ids],
        "annotations": [a for i in ids for a in truth.imgToAnns[i]],
        "categories": truth.dataset["categories"],
    }
    file = data / "annotations" / f"person_keypoints_{split}.json"
    file.write_text(json.dumps(content))


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
    assert (images["measured"], images["missing"], images["broken"]) == (IDS - 5, 1, 4)
    assert images["missing_names"] == [gone.name]
    assert gone.name in told.err
    broken = {image["file_name"]: image["reason"] for image in images["broken_names"]}
    assert broken.keys() == {p.name for p in (cut, empty, text, resized)}
    assert all(reason in told.out for reason in broken.values())
    assert "annotation says" in broken[resized.name]
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
    assert "has a file" in only_line(capsys)
    assert not (tmp_path / "m.json").exists()


def only_line(capsys) -> str:
    """The one line of stderr, behind the progress bar if there is one."""
    told = capsys.readouterr().err
    assert "Traceback" not in told
    lines = [line for line in told.split("\n") if line.strip() and "photo/s" not in line]
    assert len(lines) == 1, told
    return lines[0]


def test_names_of_2014(coco_val, truth, tmp_path):
    """A 2014 split, and a 2017 split whose images have 2014's names."""
    ids = sorted(truth.imgs)[:3]
    for annotated in (True, False):
        data = tmp_path / str(annotated)
        split = "val2014" if annotated else "val2017"
        write_split(data, split, truth, ids)
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


def test_images_by_id_and_by_name(coco_val, truth, tmp_path):
    one, two, three, *_ = sorted(truth.imgs)
    wanted = tmp_path / "ids.txt"
    wanted.write_text(f"{three}\n{truth.imgs[one]['file_name']}\n\n")
    output = tmp_path / "metrics.json"
    assert measure(coco_val, output, "--image-ids", str(wanted)) == 0
    assert json.loads(output.read_text())["images"]["ids"] == [one, three]
    assert choose_ids(truth, [two, str(two), Path(truth.imgs[two]["file_name"]).stem]) == [two]
    with pytest.raises(UserError, match="no image 5"):
        choose_ids(truth, [one, 5])


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
        (["--compare", "a.json", "b.json", "--output", "x.txt"], "x.txt"),
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


@pytest.mark.parametrize("damage", ["not json", "{}", "captions", "no area"])
def test_damaged_annotations_are_one_line(small_data, tmp_path, capsys, damage):
    file = small_data / "annotations" / "person_keypoints_val2017.json"
    content = json.loads(file.read_text())
    if damage == "captions":
        content["annotations"] = [{"id": 1, "image_id": 139, "caption": "a room"}]
    if damage == "no area":
        del content["annotations"][-1]["area"]
    broken = {"not json": "{", "{}": "{}"}.get(damage, json.dumps(content))
    file.write_text(broken)
    assert measure(small_data, tmp_path / "m.json") == 2
    assert file.name in only_line(capsys)


def test_annotations_find_their_images(truth, tmp_path):
    with pytest.raises(UserError, match="There is no folder"):
        find_images(truth, tmp_path / "nowhere", sorted(truth.imgs))


# Stopping and going on


def test_a_killed_measurement_goes_on(coco_val, tmp_path):
    output, journal = tmp_path / "metrics.json", tmp_path / "metrics.journal.jsonl"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "train.evaluate", "--data", str(coco_val.data), *SMALL]
    command += ["--split", "val2017", "--limit", "24", "--output", str(output)]
    process = subprocess.Popen(
        command, env=environment, cwd=tmp_path, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    while process.poll() is None and count_lines(journal) < 5:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not output.exists()
    done = count_lines(journal) - 1
    assert 0 < done < 24
    with journal.open("a") as file:
        file.write('{"image_id": 1, "resul')  # a line the crash cut off
    mark(journal)
    assert measure(coco_val, output, "--limit", "24", "--resume") == 0
    content = json.loads(output.read_text())
    assert content["timings"]["read"]["mean"] > 10  # answers of the killed process were used
    whole = tmp_path / "whole.json"
    assert measure(coco_val, whole, "--limit", "24") == 0
    assert content["figures"] == json.loads(whole.read_text())["figures"]
    results = [tmp_path / f"{name}.results.json" for name in ("metrics", "whole")]
    assert results[0].read_bytes() == results[1].read_bytes()
    assert not journal.exists()


def count_lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def mark(journal: Path) -> None:
    """Gives the answers of a journal a reading time that no real one has."""
    head, *answers, cut = journal.read_text().split("\n")
    marked = [json.loads(line) for line in answers]
    for answer in marked:
        answer["seconds"]["read"] = 1000.0
    journal.write_text("\n".join([head, *map(json.dumps, marked), cut]))


def test_other_settings_do_not_go_on(small_data, tmp_path, monkeypatch, capsys):
    import train.evaluate

    def stop(*_arguments):
        raise KeyboardInterrupt

    output = tmp_path / "metrics.json"
    monkeypatch.setattr(train.evaluate, "metrics_of", stop)
    assert measure(small_data, output) == 130
    assert "--resume" in capsys.readouterr().err
    monkeypatch.undo()
    assert measure(small_data, output, "--resume", "--min-parts", "5") == 2
    assert "decoder" in only_line(capsys)
    assert measure(small_data, output, "--resume") == 0


# Comparing and drawing


@pytest.fixture(scope="module")
def two_runs(coco_val, tmp_path_factory) -> tuple[Path, Path]:
    """The same photos once as they should be and once with a decoder that finds little."""
    folder = tmp_path_factory.mktemp("runs")
    good, bad = folder / "good.json", folder / "bad.json"
    assert measure(coco_val, good, "--limit", "25") == 0
    assert measure(coco_val, bad, "--limit", "20", "--peak-threshold", "0.5") == 0
    return good, bad


def test_compare_tells_a_win_from_noise(two_runs, coco_val, tmp_path, capsys):
    good, bad = two_runs
    picture = tmp_path / "compare.png"
    assert main(["--compare", str(good), str(bad), "--output", str(picture)]) == 0
    said = capsys.readouterr().out
    assert "20 images of val2017" in said
    assert "only the 20 of both count" in said
    row = next(line for line in said.splitlines() if line.startswith("AP "))
    assert row.endswith("A better")
    ids = json.loads(bad.read_text())["images"]["ids"]
    expected = official(coco_val.annotations, good.with_name("good.results.json"), ids)
    assert f"{expected[0]:.3f} [" in row
    with Image.open(picture) as image:
        assert min(image.size) > 400
    assert main(["--compare", str(good), str(good)]) == 0
    assert "better" not in capsys.readouterr().out


def test_compare_refuses_what_does_not_belong_together(two_runs, tmp_path, capsys):
    good, bad = two_runs
    for run in (good, bad):
        shutil.copy(run, tmp_path)
        shutil.copy(run.with_name(f"{run.stem}.results.json"), tmp_path)
    other = tmp_path / "bad.json"
    results = tmp_path / "bad.results.json"
    results.write_text(results.read_text().replace("1", "2", 1))
    assert main(["--compare", str(tmp_path / "good.json"), str(other)]) == 2
    assert "bad.results.json" in only_line(capsys)
    content = json.loads(other.read_text())
    content["settings"]["annotations"]["sha256"] = "0" * 64
    other.write_text(json.dumps(content))
    assert main(["--compare", str(tmp_path / "good.json"), str(other)]) == 2
    assert "annotations" in only_line(capsys)
    other.write_text("[1, 2]")
    assert main(["--compare", str(tmp_path / "good.json"), str(other)]) == 2
    assert "bad.json is not a metrics.json" in only_line(capsys)


def test_compare_finds_annotations_that_moved(two_runs, coco_val, tmp_path):
    good, bad = two_runs
    moved = []
    for run in (good, bad):
        content = json.loads(run.read_text())
        content["settings"]["annotations"]["file"] = "/nowhere/person_keypoints_val2017.json"
        moved.append(tmp_path / run.name)
        moved[-1].write_text(json.dumps(content))
        shutil.copy(run.with_name(f"{run.stem}.results.json"), tmp_path)
    with pytest.raises(UserError, match="--data"):
        compare(*moved)
    there = compare(*moved, coco_val.data, resamples=20)
    assert there.images == 20


def test_picture_of_accuracy_against_time(two_runs, coco_val, tmp_path, capsys):
    good, bad = two_runs
    picture = tmp_path / "accuracy.png"
    assert main(["--plot", str(good), str(bad), "--output", str(picture)]) == 2
    assert "different images" in only_line(capsys)
    assert main(["--plot", str(good), str(good), "--output", str(picture)]) == 0
    with Image.open(picture) as image:
        assert np.asarray(image.convert("L")).std() > 5
