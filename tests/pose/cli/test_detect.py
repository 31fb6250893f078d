"""python -m pose detect on real files, as a user runs it."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from detecting import FOUR, detect, rows_of, walking_clip
from PIL import Image
from places import EXAMPLES, ROOT, SHARED

import pose
from pose import UserError, load_image
from pose.__main__ import main
from pose.cli.inputs import find_files, is_video
from pose.images.video_writer import VideoWriter


def test_folder_to_coco(tmp_path):
    assert detect(EXAMPLES, "--output", tmp_path / "out.json") == 0
    rows = json.loads((tmp_path / "out.json").read_text())
    names = {row["file_name"] for row in rows}
    assert names == {path.name for path in EXAMPLES.glob("*.jpg")}
    assert sum(row["file_name"] == "group.jpg" for row in rows) == 8
    for row in rows:
        assert len(row["keypoints"]) == 51 and row["category_id"] == 1
    # None of these names holds a digit: photos are numbered as they come.
    assert sorted({row["image_id"] for row in rows}) == [1, 2, 3, 4]


def test_image_id_is_the_last_run_of_digits(tmp_path):
    (tmp_path / "shot12_000000000139.jpg").write_bytes(FOUR.read_bytes())
    assert detect(tmp_path, "--output", tmp_path / "out.json") == 0
    assert {row["image_id"] for row in json.loads((tmp_path / "out.json").read_text())} == {139}


def test_same_bytes_on_two_runs(tmp_path):
    for name in ("a.json", "b.json"):
        assert detect(FOUR, "--output", tmp_path / name) == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_openpose_and_csv_and_overlays(tmp_path, capsys):
    assert detect(FOUR, "--format", "openpose", "--overlay", tmp_path / "overlay") == 0
    people = json.loads(capsys.readouterr().out)["people"]
    assert len(people) == 4 and len(people[0]["pose_keypoints_2d"]) == 54
    photo, overlay = Image.open(FOUR), Image.open(tmp_path / "overlay" / "four-people.png")
    assert overlay.size == photo.size
    changed = np.abs(np.asarray(photo, int) - np.asarray(overlay, int)).max(2) > 60
    nose = people[0]["pose_keypoints_2d"][:2]
    assert changed[round(nose[1]), round(nose[0])]
    assert 0.005 < changed.mean() < 0.3

    assert detect(FOUR, "--format", "csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == 4 * 18
    assert float(rows[0]["x"]) == pytest.approx(people[0]["pose_keypoints_2d"][0], abs=0.01)


def test_openpose_for_several_photos_is_a_folder(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.jpg").write_bytes(FOUR.read_bytes())
    out = tmp_path / "out"
    assert detect(tmp_path / "a", tmp_path / "b", "--format", "openpose", "--output", out) == 0
    assert sorted(p.name for p in out.iterdir()) == ["same-2_keypoints.json", "same_keypoints.json"]


def test_a_broken_photo_does_not_stop_the_others(tmp_path, capsys):
    (tmp_path / "broken.jpg").write_bytes(b"not a photo")
    (tmp_path / "good.jpg").write_bytes(FOUR.read_bytes())
    assert detect(tmp_path, "--output", tmp_path / "out.json") == 2
    assert "broken.jpg" in capsys.readouterr().err
    assert len(json.loads((tmp_path / "out.json").read_text())) == 4


@pytest.mark.parametrize(
    "args",
    [
        ["missing.jpg"],
        [str(FOUR), "--weights", "missing"],
        [str(FOUR), "--peak-threshold", "2"],
        [str(FOUR), "--device", "tpu"],
        [str(FOUR), "--overlay", str(FOUR.parent)],
        [str(EXAMPLES), "--format", "openpose"],
        ["https://example.com/photo.jpg"],
        [str(FOUR), "--output", str(EXAMPLES)],
        [str(EXAMPLES), "--format", "openpose", "--output", "/"],
        [str(EXAMPLES), "--format", "openpose", "--output", str(FOUR)],
        [str(FOUR), "--weights", "~nosuchuser/weights.pth"],
        [str(FOUR), "--weights", "w" * 5000],
        [str(FOUR), "--weights", "owner/two--dashes/weights.pth"],
        ["p" * 5000 + ".jpg"],
    ],
)
def test_mistakes_are_one_line_and_status_2(args, capsys):
    assert detect(*args) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if "python -m pose:" in line]
    assert len(lines) == 1
    assert not FOUR.with_suffix(".png").exists()


def test_as_a_process_without_a_traceback(tmp_path):
    (tmp_path / "text.jpg").write_text("hello")
    done = subprocess.run(
        [sys.executable, "-m", "pose", "detect", str(tmp_path / "text.jpg")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "text.jpg" in done.stderr


PAGE_WITHOUT = {"matplotlib"} if sys.version_info >= (3, 11) else set()
"""Gradio imports a part of pandas that, before version 3, imports Matplotlib."""


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import pose", {"gradio", "matplotlib", "torchvision", "torch", "scipy"}),
        ("import pose.__main__ as m; m.build_parser()", {"gradio", "matplotlib", "torch"}),
        ("import pose; assert pose.PoseEstimator", {"gradio", "matplotlib", "torchvision"}),
        ("import app; from pathlib import Path; app.build(app.Models('cpu', Path('runs')))",
         {"torch", "scipy", *PAGE_WITHOUT}),
    ],
)  # fmt: skip
def test_imports_are_light(code, unwanted):
    """The page and a mistake in an option answer before PyTorch, which takes seconds, is there."""
    code += "\nimport sys; print(*[m for m in sys.modules if '.' not in m])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not unwanted & set(done.stdout.split())


def test_the_package_names_what_it_imports_late():
    assert set(pose.__all__) <= set(dir(pose))
    with pytest.raises(AttributeError, match="Estimators"):
        _ = pose.Estimators


@pytest.mark.parametrize(("turns", "option"), [(1, "90"), (2, "180"), (3, "270"), (2, "auto")])
def test_a_rotated_photo_is_answered_in_its_own_coordinates(tmp_path, estimator, turns, option):
    """Four people turned counterclockwise are those of the upright photo, turned."""
    photo = load_image(FOUR)
    turned = np.rot90(photo, turns)
    Image.fromarray(turned).save(tmp_path / "turned.png")
    out = tmp_path / "out.json"
    overlays = ["--overlay", tmp_path / "o"]
    assert detect(tmp_path / "turned.png", "--rotate", option, "--output", out, *overlays) == 0
    marked = np.zeros(photo.shape[:2], int)
    marked[:] = np.arange(marked.size).reshape(marked.shape)
    marked = np.rot90(marked, turns)
    height, width = turned.shape[:2]
    expected = estimator(photo, preset="fast").to_coco()
    rows = rows_of(out)
    assert len(rows) == len(expected) == 4
    for row, upright in zip(rows, expected, strict=True):
        for (x, y, v), (u, w, _) in zip(triples(row), triples(upright), strict=True):
            if v:
                column, line = min(round(x), width - 1), min(round(y), height - 1)
                place = divmod(marked[line, column], photo.shape[1])
                assert np.abs(np.subtract(place, (w, u))).max() <= 1
    assert Image.open(tmp_path / "o" / "turned.png").size == (width, height)


def triples(row):
    return np.array(row["keypoints"]).reshape(-1, 3)


def test_folders_and_patterns_hold_every_photo_and_video(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small = Image.open(FOUR).resize((60, 60))
    names = ["a.jfif", "b.tga", "c.ppm", "d.jp2", "e.ico", "f.PNG", "g.jpg"]
    for name in names:
        small.save(name, {"g.jpg": "JPEG"}.get(name))
    frames = [small, small.rotate(90)]
    frames[0].save("h.gif", save_all=True, append_images=frames[1:])
    small.save("still.gif")
    walking_clip(tmp_path / "i.mp4", [0])
    (tmp_path / "notes.txt").write_text("no photo")
    found = [path.name for path in find_files(["."])]
    assert found == sorted([*names, "h.gif", "i.mp4", "still.gif"])
    assert [is_video(Path(n)) for n in ("h.gif", "still.gif", "i.mp4")] == [True, False, True]
    assert [str(path) for path in find_files(["*.j*"])] == ["a.jfif", "d.jp2", "g.jpg"]
    assert detect("*.webp") == 2
    assert "no file matches" in capsys.readouterr().err


def test_nobody_in_a_blank_strip_and_no_keypoint_beyond_the_photo(estimator):
    for shape in ((20, 3000, 3), (3000, 20, 3), (9, 8000, 3)):
        for value in (0, 128, 255):
            assert not estimator(np.full(shape, value, np.uint8)).people
    photo = load_image(FOUR)
    for height, width in ((333, 518), (261, 349)):
        for person in estimator(photo[200 : 200 + height, 60 : 60 + width]).people:
            points = person.keypoints[person.found, :2]
            assert (points >= 0).all() and (points <= (width - 1, height - 1)).all()


@pytest.mark.parametrize("kind", ["photos", "video"])
def test_the_shared_cases(kind, tmp_path, capsys):
    """Real files of every kind; the one that cannot be read says why."""
    folder = SHARED / "cases" / kind
    if not folder.is_dir():
        pytest.skip(f"needs {folder}")
    out = tmp_path / "out.csv"
    assert detect(folder, "--format", "csv", "--no-smooth", "--output", out) == 2
    reason = {"photos": "fake.heic is a HEIC", "video": "audio_only.mp4 has sound but no picture"}
    problems = [line for line in capsys.readouterr().err.splitlines() if "python -m pose" in line]
    assert len(problems) == 1 and reason[kind] in problems[0]
    with out.open() as file:
        images = {row["image"] for row in csv.DictReader(file)}
    expected = {path.name for path in folder.iterdir()} - {"fake.heic", "audio_only.mp4"}
    assert images == expected - {"white_3000x20.png"}


def photos_in(folder, count=6):
    """Real photos of several sizes; one of them is broken."""
    folder.mkdir()
    examples = sorted(EXAMPLES.glob("*.jpg"))
    for number in range(1, count + 1):
        photo = Image.open(examples[number % len(examples)])
        photo.resize((photo.width // 2, photo.height // 2)).save(folder / f"{number:04d}.jpg")
    (folder / "0003.jpg").write_bytes(b"not a photo")
    return folder


def test_an_output_in_this_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert detect(FOUR, EXAMPLES / "astronaut.jpg", "--format", "openpose", "--output", ".") == 0
    assert len(list(tmp_path.glob("*_keypoints.json"))) == 2
    with pytest.raises(UserError, match="cannot write"):
        VideoWriter(Path("/proc/x/clip.mp4"))


def test_two_processes_share_the_work(tmp_path):
    photos = photos_in(tmp_path / "photos")
    (photos / "0003.jpg").unlink()
    options = ["--device", "cpu", "--preset", "fast", "--overlay"]
    assert main(["detect", *options, str(tmp_path / "a"), str(photos), "--output",
                 str(tmp_path / "one.json")]) == 0  # fmt: skip
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += ["-m", "pose", "detect", *options, str(tmp_path / "b"), str(photos)]
    done = subprocess.run(
        [*command, "--output", str(tmp_path / "two.json")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert rows_of(tmp_path / "two.json") == rows_of(tmp_path / "one.json")
    names = [sorted(p.name for p in (tmp_path / d).iterdir()) for d in ("a", "b")]
    assert names[0] == names[1] and len(names[0]) == 5


def test_a_file_named_twice_is_answered_twice(tmp_path):
    assert detect(FOUR, FOUR, "--output", tmp_path / "out.json") == 0
    assert len(rows_of(tmp_path / "out.json")) == 8


@pytest.mark.parametrize(
    "args", [["--engine", "steam"], ["--precision", "fp16"], ["--on-black"], ["--batch-size", "0"]]
)
def test_bulk_mistakes(args, capsys):
    try:
        status = detect(FOUR, *args)
    except SystemExit as stopped:
        status = stopped.code
    assert status == 2
    assert "Traceback" not in capsys.readouterr().err
