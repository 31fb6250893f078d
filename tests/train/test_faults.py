"""Faults in a training: nothing reported saved is lost, nothing half-written is used."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import faults
import psutil
import pytest
import torch
from faults import Training, options
from places import ROOT
from safetensors.torch import load_file

from pose.errors import UserError
from pose.weights.load import load_weights
from train.__main__ import main
from train.launch import train
from train.run_directory import RunDirectory


@pytest.fixture(scope="module")
def three_people(tmp_path_factory) -> Path:
    """A list of three images with one person to train on each: two steps per epoch."""
    path = tmp_path_factory.mktemp("list") / "train.txt"
    path.write_text("000000000036.jpg\n000000000086.jpg\n000000000136.jpg\n")
    return path


@pytest.fixture(scope="module")
def listed(tmp_path_factory) -> Path:
    """A list with one image to validate on."""
    path = tmp_path_factory.mktemp("list") / "list.txt"
    path.write_text("000000000036.jpg\n")
    return path


@pytest.fixture
def small(settings, three_people):
    """Two epochs of two steps, a checkpoint after every step."""

    def make(**changes):
        same = {"crop": 64, "max_images": None, "max_steps": 4, "checkpoint_minutes": 0}
        return settings(**{**same, "image_list": three_people, **changes})

    return make


@pytest.fixture
def validated(small, listed):
    """The same, with a validation at the end of each epoch."""

    def make(**changes):
        return small(val_split="train2017", val_image_list=listed, **changes)

    return make


def records(run: Path, kind: str) -> list[dict]:
    lines = (run / "metrics.jsonl").read_text().splitlines()
    return [r for r in map(json.loads, lines) if r["kind"] == kind]


def left_over(run: Path) -> list[str]:
    """Temporary files anywhere in a run directory."""
    return [p.name for p in run.rglob(".*") if p.name != ".lock"]


def one_line(told: str) -> str:
    """The only line of what was said."""
    lines = [line for line in told.strip().splitlines() if line]
    assert len(lines) == 1 and "Traceback" not in told, told
    return lines[0]


KILLS = {
    faults.in_a_step: False,
    faults.before_a_checkpoint_is_in_place: False,
    faults.in_a_validation: True,
    faults.after_the_best_weights: True,
    faults.while_the_final_weights_are_written: True,
}
"""Moments to be killed at, and whether the run validates."""

LEAVES_FILES = (
    faults.before_a_checkpoint_is_in_place,
    faults.while_the_final_weights_are_written,
)

MADE: dict[bool, dict[str, torch.Tensor]] = {}


@pytest.fixture
def whole(small, validated, tmp_path):
    """The weights of an uninterrupted run with or without validation; each is made once."""

    def weights(with_validation: bool = False) -> dict[str, torch.Tensor]:
        if with_validation not in MADE:
            chosen = (validated if with_validation else small)(output=tmp_path / "whole")
            MADE[with_validation] = load_file(train(chosen).weights)
        return MADE[with_validation]

    return weights


def assert_same_weights(run: Path, expected: dict[str, torch.Tensor]) -> None:
    got = load_file(run / "weights.safetensors")
    for name, value in expected.items():
        torch.testing.assert_close(got[name], value, atol=1e-6, rtol=0)


@pytest.mark.parametrize("moment", KILLS, ids=lambda moment: moment.__name__)
def test_killed_at_any_moment_it_goes_on_to_the_same_weights(
    moment, small, validated, tmp_path, whole
):
    killed = (validated if KILLS[moment] else small)(output=tmp_path / "killed")
    training = Training(options(killed), tmp_path / "said", moment)
    assert training.wait() == -signal.SIGKILL, training.text
    assert not (killed.output / "weights.safetensors").exists()
    state = torch.load(killed.output / "checkpoints/last.pt", weights_only=True)
    reported = records(killed.output, "step")[-1]["step"]
    assert reported - state["step"] <= 1, "with a checkpoint at every step one step is lost"
    assert bool(left_over(killed.output)) == (moment in LEAVES_FILES)

    assert main(["--resume", str(killed.output), "--no-progress"]) == 0
    assert left_over(killed.output) == []
    assert [r["step"] for r in records(killed.output, "step")] == [1, 2, 3, 4]
    assert_same_weights(killed.output, whole(KILLS[moment]))


@pytest.fixture
def small_disk(tmp_path):
    """A real file system of 80 MB that can be filled, enlarged and made read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("mounting needs root on Linux")
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", str(folder)], capture_output=True
    )
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


def test_a_full_then_a_read_only_disk(small_disk, small, whole, capfd):
    run, filler = small_disk / "run", small_disk / "filler"
    expected = whole()
    capfd.readouterr()
    chosen = small(output=run)
    save = RunDirectory.save_checkpoint

    def filling(self, state):
        if state["step"] == 2:
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                while shutil.disk_usage(small_disk).free > 4_000_000:
                    file.write(bytes(1_000_000))
        save(self, state)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunDirectory, "save_checkpoint", filling)
        assert main(options(chosen)) == 2
    told = capfd.readouterr().err
    assert "the earlier one is kept" in told and "Traceback" not in told
    assert "make room and finish with --resume" in told.strip().splitlines()[-1]
    assert left_over(run) == [] and not (run / "weights.safetensors").exists()
    assert torch.load(run / "checkpoints/last.pt", weights_only=True)["step"] == 1

    again = ["--resume", str(run), "--no-progress"]
    remount(small_disk, "ro")
    assert main(again) == 2
    assert "cannot be written (Read-only file system)" in one_line(capfd.readouterr().err)
    assert main(options(small(output=small_disk / "other"))) == 2
    assert "Read-only file system" in one_line(capfd.readouterr().err)
    remount(small_disk, "rw")
    filler.unlink()
    assert main(again) == 0
    assert_same_weights(run, expected)


def test_loaders_of_a_killed_training_end(small):
    training = Training(options(small(max_steps=500, workers=2)), Path(os.devnull))
    run = psutil.Process(training.process.pid)
    wait_for(lambda: len(run.children(recursive=True)) >= 3, training)  # server, two loaders
    processes = run.children(recursive=True)
    run.kill()
    assert training.wait() == -signal.SIGKILL
    assert psutil.wait_procs(processes, timeout=60)[1] == []


def test_data_that_vanishes_is_one_line_and_what_was_learned_is_kept(small_coco, small, tmp_path):
    more = {"image_list": None, "max_steps": 500, "workers": 1, "checkpoint_minutes": 9}
    chosen = small(data=small_coco.folder, **more)
    training = Training(options(chosen), tmp_path / "said")
    wait_for(lambda: "Iteration 2 " in training.text, training)
    (small_coco.folder / "train2017").rename(small_coco.folder / "gone")
    assert training.wait() == 2
    assert "Traceback" not in training.text
    last = training.text.strip().splitlines()[-1]
    assert "No image can be read" in last and f"--resume {chosen.output}" in last
    state = torch.load(chosen.output / "checkpoints/last.pt", weights_only=True)
    assert state["step"] == records(chosen.output, "step")[-1]["step"] >= 2


def wait_for(happened, training: Training) -> None:
    for _ in range(6000):
        if happened():
            return
        assert training.process.is_alive(), training.text
        time.sleep(0.02)
    raise AssertionError(f"the training did not get that far: {training.text}")


def test_a_half_written_checkpoint_and_a_clock_that_is_set_back_change_nothing(
    small, whole, tmp_path, monkeypatch
):
    chosen = small(output=tmp_path / "back")
    training = Training(options(chosen), tmp_path / "said", faults.in_a_half_written_checkpoint)
    assert training.wait() == -signal.SIGKILL and left_over(chosen.output)
    for path in chosen.output.rglob("*"):
        os.utime(path, (4e9, 4e9))  # written in the future
    now = [3e8]

    def back() -> float:
        now[0] -= 1000
        return now[0]

    monkeypatch.setattr(time, "time", back)
    assert main(["--resume", str(chosen.output), "--no-progress"]) == 0
    monkeypatch.undo()
    assert left_over(chosen.output) == []
    assert_same_weights(chosen.output, whole())


@pytest.mark.parametrize("seconds", [0.4, 2.0])
def test_ctrl_c_while_it_starts_is_one_line(seconds, small):
    process = subprocess.Popen(
        [sys.executable, "-m", "train", *options(small(max_steps=500))],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    assert "Traceback" not in errors
    if not errors and process.returncode == -signal.SIGINT:
        return  # On a busy machine the first of these finds an interpreter that is not up yet.
    # On a fast machine the last of these finds a training that has begun, and saves it.
    if "Resume with" not in output:
        assert "Stopped" in one_line(errors)
        # The same to a shell: Python ends by the signal where that fell into an `exec`, such as
        # that of a named tuple, although it was caught.
        assert process.returncode in (130, -signal.SIGINT)


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_in_a_validation(times, validated, tmp_path):
    """Once: it ends after the validation. Twice: at once, with the last checkpoint."""
    chosen = validated(max_steps=500)
    training = Training(options(chosen), tmp_path / "said", slow_validation)
    wait_for(lambda: "validating" in training.text, training)
    training_pid = training.process.pid
    os.kill(training_pid, signal.SIGINT)
    if times == 2:
        time.sleep(2.2)
        os.kill(training_pid, signal.SIGINT)
    status = training.wait()
    assert "Traceback" not in training.text
    state = torch.load(chosen.output / "checkpoints/last.pt", weights_only=True)
    steps = records(chosen.output, "step")
    if times == 1:
        assert status == 0 and f"--resume {chosen.output}" in training.text
        assert state["step"] == steps[-1]["step"] and records(chosen.output, "validation")
        assert state["step"] == records(chosen.output, "epoch")[0]["step"]
    else:
        assert status == 130 and "Stopped at once" in training.text
        assert state["step"] == steps[-1]["step"] - 1


def slow_validation() -> None:
    from train.validation import Validator

    real = Validator.measure

    def measure(self, network):
        print("validating", flush=True)
        time.sleep(3)
        return real(self, network)

    Validator.measure = measure


def test_what_is_damaged_is_one_line(validated, capfd):
    chosen = validated(max_steps=2)
    train(chosen)
    weights = chosen.output / "weights.safetensors"
    last, best = (chosen.output / "checkpoints" / n for n in ("last.pt", "best.safetensors"))
    whole = {path: path.read_bytes() for path in (weights, last, best)}
    for content in (b"", b"garbage" * 999, whole[weights][: len(whole[weights]) // 2]):
        weights.write_bytes(content)
        with pytest.raises(UserError, match=r"weights\.safetensors") as told:
            load_weights(str(chosen.output))
        assert "\n" not in str(told.value)
    weights.unlink()
    resume = ["--resume", str(chosen.output), "--no-progress"]
    capfd.readouterr()
    for content in (b"", b"garbage" * 999, whole[last][: len(whole[last]) // 2]):
        last.write_bytes(content)
        assert main(resume) == 2
        told = capfd.readouterr().err.strip().splitlines()[-1]
        assert "last.pt cannot be read" in told and "--overwrite" in told
    last.write_bytes(whole[last])
    settings_file = chosen.output / "settings.json"
    text = settings_file.read_text()
    for broken in ("", "[1]", "3", '{"data"', "\xff"):
        settings_file.write_text(broken, "latin-1")
        assert main(resume) == 2
        assert "not a run directory" in one_line(capfd.readouterr().err)
    settings_file.write_text(text)
    # A best file that is damaged is not passed on as the run's weights.
    best.write_bytes(whole[best][: len(whole[best]) // 2])
    with (chosen.output / "metrics.jsonl").open("a") as file:
        file.write('[1]\n"x"\n{"kind": "st')
    assert main(resume) == 0
    assert "taken in place of the best ones" in capfd.readouterr().err
    loaded = load_weights(str(chosen.output))
    assert loaded.card.ap is None


def test_a_checkpoint_runs_no_code(small, tmp_path, capfd):
    class Runs:
        def __reduce__(self):
            return os.system, (f"touch {tmp_path / 'trace'}",)

    chosen = small(max_steps=1)
    train(chosen)
    (chosen.output / "weights.safetensors").unlink()
    torch.save({"version": 1, "step": Runs()}, chosen.output / "checkpoints/last.pt")
    capfd.readouterr()
    assert main(["--resume", str(chosen.output), "--no-progress"]) == 2
    assert "last.pt cannot be read" in capfd.readouterr().err.strip().splitlines()[-1]
    assert not (tmp_path / "trace").exists()


def test_a_best_that_could_not_be_written_is_not_the_best(validated, monkeypatch):
    """The run's AP is that of its weights, also where the disk was full for a while."""
    from train.validation import RunWeights, Validator

    values = iter([0.1, 0.9, 0.2])
    monkeypatch.setattr(Validator, "measure", lambda *_: next(values))
    write = RunWeights.write

    def full(self, path, network, step, ap):
        if ap == 0.9:
            raise UserError("no room")
        write(self, path, network, step, ap)

    monkeypatch.setattr(RunWeights, "write", full)
    summary = train(validated(max_images=1, max_steps=None, epochs=3))
    assert summary.ap == 0.2
    assert load_weights(str(summary.weights)).card.ap == 0.2
