"""python -m pose detect on real files, as a user runs it."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

import pose
from pose import UserError
from pose.__main__ import main
from pose.answers import Journal
from pose.video import VideoWriter, count_frames, frames_per_second, read_frames

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "assets" / "examples"
FOUR = EXAMPLES / "four-people.jpg"


def detect(*args):
    return main(["detect", "--device", "cpu", "--preset", "fast", *map(str, args)])


def test_folder_to_coco(tmp_path):
    assert detect(EXAMPLES, "--output", tmp_path / "out.json") == 0
    rows = json.loads((tmp_path / "out.json").read_text())
    names = {row["file_name"] for row in rows}
    assert names == {path.name for path in EXAMPLES.glob("*.jpg")}
    assert sum(row["file_name"] == FOUR.name for row in rows) == 4
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
        [str(FOUR), "--overlay", str(EXAMPLES)],
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
    assert not (EXAMPLES / "four-people.png").exists()


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


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import pose", {"gradio", "matplotlib", "torchvision", "torch", "scipy"}),
        ("import pose.__main__ as m; m.build_parser()", {"gradio", "matplotlib", "torch"}),
        ("import pose; assert pose.PoseEstimator", {"gradio", "matplotlib", "torchvision"}),
        ("import app; from pathlib import Path; app.build(app.Models('cpu', Path('runs')))",
         {"matplotlib", "torch", "scipy"}),
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


def test_video(tmp_path):
    photo = cv2.cvtColor(cv2.imread(str(FOUR)), cv2.COLOR_BGR2RGB)[:451, :901]
    clip = VideoWriter(tmp_path / "clip.mp4", 10)
    for step in range(4):
        clip.add(np.roll(photo, 3 * step, axis=1))
    clip.close()
    assert count_frames(tmp_path / "clip.mp4") == 4
    assert frames_per_second(tmp_path / "clip.mp4") == 10
    out = tmp_path / "out"
    assert detect(tmp_path / "clip.mp4", "--output", out / "c.json", "--overlay", out) == 0
    rows = json.loads((out / "c.json").read_text())
    assert {row["image_id"] for row in rows} == {1, 2, 3, 4}
    frames = list(read_frames(out / "clip.mp4"))
    assert len(frames) == 4 and frames[0].shape == (450, 900, 3)
    (tmp_path / "no.mp4").write_bytes(b"no video")
    assert detect(tmp_path / "no.mp4") == 2


def rows_of(path):
    return json.loads(path.read_text())


def photos_in(folder, count=6):
    """Real photos of several sizes; one of them is broken."""
    folder.mkdir()
    examples = sorted(EXAMPLES.glob("*.jpg"))
    for number in range(1, count + 1):
        photo = Image.open(examples[number % len(examples)])
        photo.resize((photo.width // 2, photo.height // 2)).save(folder / f"{number:04d}.jpg")
    (folder / "0003.jpg").write_bytes(b"not a photo")
    return folder


class Stop(Exception):
    pass


def test_a_video_that_is_cut_off_is_told(tmp_path, capsys):
    photo = cv2.cvtColor(cv2.imread(str(FOUR)), cv2.COLOR_BGR2RGB)[:200, :300]
    clip = VideoWriter(tmp_path / "clip.mp4", 10)
    for step in range(30):
        clip.add(np.roll(photo, 9 * step, axis=1))
    clip.close()
    whole = (tmp_path / "clip.mp4").read_bytes()
    start = whole.index(b"mdat")
    for name, share in (("half.mp4", 0.5), ("none.mp4", 0)):
        cut = start + 4 + int((len(whole) - start) * share)
        (tmp_path / name).write_bytes(whole[:cut])
    out = tmp_path / "out.json"
    assert detect(tmp_path / "half.mp4", "--preset", "fast", "--output", out) == 2
    assert "of 30 frames: it is cut off" in capsys.readouterr().err
    assert out.is_file()
    assert detect(tmp_path / "none.mp4", "--output", tmp_path / "none.json") == 2
    assert "none.mp4" in capsys.readouterr().err


def test_an_output_in_this_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert detect(FOUR, EXAMPLES / "astronaut.jpg", "--format", "openpose", "--output", ".") == 0
    assert len(list(tmp_path.glob("*_keypoints.json"))) == 2
    with pytest.raises(UserError, match="cannot write"):
        VideoWriter(Path("/proc/x/clip.mp4"), 10)


def test_journals_are_told_apart(tmp_path):
    """Whatever the output is called: neither a pattern, nor the beginning of another's name."""
    names = ("people[1].json", "people1.json", "people1.json.b", "*.json")
    for name in names:
        journal = Journal(tmp_path / name, {"of": name})
        journal.open({"a": {"key": "a", "problem": None, "of": name}})
        journal.close()
    for name in names:
        assert Journal(tmp_path / name, {"of": name}).read()["a"]["of"] == name
    Journal(tmp_path / names[0], {}).delete()
    assert len(list(tmp_path.iterdir())) == len(names) - 1


def test_a_stopped_run_goes_on(tmp_path, monkeypatch, capsys):
    photos = photos_in(tmp_path / "photos")
    assert detect(photos, "--output", tmp_path / "whole.json") == 2
    from pose.answers import Journal

    real, added = Journal.add, []

    def add(self, key, answer):
        if len(added) == 4:
            raise Stop
        added.append(key)
        real(self, key, answer)

    monkeypatch.setattr(Journal, "add", add)
    with pytest.raises(Stop):
        detect(photos, "--output", tmp_path / "out.json")
    assert not (tmp_path / "out.json").exists()
    (journal,) = tmp_path.glob(".out.json.*.journal")
    # What a crash cut off in the middle of a line is done again.
    journal.write_text(journal.read_text()[:-20])
    assert detect(photos, "--output", tmp_path / "out.json", "--resume", "--min-parts", 5) == 2
    assert "other options" in capsys.readouterr().err
    added.clear()
    monkeypatch.setattr(
        Journal, "add", lambda self, key, a: (added.append(a.place), real(self, key, a))
    )
    assert detect(photos, "--output", tmp_path / "out.json", "--resume") == 2
    assert added == [2, 3, 4, 5], "the broken photo and those after the cut"
    assert (tmp_path / "out.json").read_bytes() == (tmp_path / "whole.json").read_bytes()
    assert not list(tmp_path.glob(".out.json.*"))


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path, monkeypatch):
    photos = photos_in(tmp_path / "photos", 14)
    (photos / "0003.jpg").unlink()
    output = tmp_path / "out.json"
    command = [sys.executable, "-m", "pose", "detect", "--device", "cpu", "--preset", "fast"]
    process = subprocess.Popen(
        [*command, str(photos), "--output", str(output)],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    journal = tmp_path / ".out.json.0.journal"
    for _ in range(10_000):
        if process.poll() is not None or (journal.exists() and lines_of(journal) > 3):
            break
        time.sleep(0.005)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    done = lines_of(journal) - 1
    assert 0 < done < 13 and not output.exists()

    # Killed again while the journal is taken over: nothing of it is lost.
    from pose.answers import Journal

    monkeypatch.setattr(Journal, "delete_others", stop)
    monkeypatch.setattr(Journal, "open", stop)
    with pytest.raises(Stop):
        detect(photos, "--output", output, "--resume")
    monkeypatch.undo()
    assert lines_of(journal) - 1 == done

    added = []
    real = Journal.add
    monkeypatch.setattr(Journal, "add", lambda self, *a: (added.append(a), real(self, *a)))
    assert detect(photos, "--output", output, "--resume") == 0
    assert len(added) == 13 - done
    assert detect(photos, "--output", tmp_path / "whole.json") == 0
    assert output.read_bytes() == (tmp_path / "whole.json").read_bytes()
    assert not journal.exists()


def stop(*_, **__):
    raise Stop


def lines_of(path):
    """Whole lines, below which a kill may have left a part of one."""
    return path.read_bytes().count(b"\n")


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
    assert not list(tmp_path.glob(".two.json.*"))


def test_a_file_named_twice_is_answered_twice(tmp_path):
    assert detect(FOUR, FOUR, "--output", tmp_path / "out.json") == 0
    assert len(rows_of(tmp_path / "out.json")) == 8


@pytest.mark.parametrize(
    "args", [["--engine", "steam"], ["--precision", "fp16"], ["--resume"], ["--batch-size", "0"]]
)
def test_bulk_mistakes(args, capsys):
    try:
        status = detect(FOUR, *args)
    except SystemExit as stopped:
        status = stopped.code
    assert status == 2
    assert "Traceback" not in capsys.readouterr().err
