"""Training runs: memory, interruption, resumption, full disks, what a run leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from places import ROOT
from safetensors.torch import load_file
from splits import read_split

from pose.errors import UserError
from pose.networks.build import MobileNetThin, OpenPoseNet
from pose.presets import get_preset
from pose.weights.load import load_weights
from train import validation
from train.__main__ import main
from train.data.dataset import make_loader
from train.data.samples import take_slice
from train.data.targets import make_targets
from train.distributed import make_accelerator
from train.launch import train
from train.log import TrainingLog
from train.loss import field_loss
from train.network import initial_network
from train.optimizer import make_average, make_optimizer, rate_factor
from train.run_directory import RunDirectory
from train.trainer import Trainer


@pytest.fixture
def settings(settings):
    """Small crops: what is tested here does not depend on their size."""

    def small(**changes):
        return settings(**{"crop": 64, **changes})

    return small


@pytest.fixture
def make_trainer(tmp_path):
    def make(settings) -> Trainer:
        accelerator = make_accelerator(settings)
        run = RunDirectory(settings.output)
        (settings.output / "checkpoints").mkdir(parents=True, exist_ok=True)
        log = TrainingLog(run, active=True, progress=False)
        data = take_slice(read_split(settings.data, "train2017"), max_images=settings.max_images)
        return Trainer(settings, initial_network(settings), data, accelerator, log, run)

    return make


def first_batch(trainer: Trainer):
    return next(iter(make_loader(trainer.dataset, trainer.order.batches(0, 1, 0, 1), workers=0)))


def command(settings, *more: str) -> list[str]:
    options = []
    for name, value in json.loads(settings.to_json()).items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            options.append(flag if value else flag.replace("--", "--no-", 1))
        elif value is not None:
            options += [flag, str(value)]
    return [sys.executable, "-m", "train", *options, *more]


def start(arguments: list[str], **options) -> subprocess.Popen:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        arguments, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, **options
    )


def wait_for_step(settings, step: int, process: subprocess.Popen) -> None:
    path = settings.output / "metrics.jsonl"
    for _ in range(3000):
        if process.poll() is not None:
            raise AssertionError(process.stderr.read())
        if path.is_file() and path.read_text().count('"kind": "step"') >= step:
            return
        time.sleep(0.02)
    raise AssertionError("the training did not get that far")


def test_targets_fit_the_bundled_network(settings):
    """The network that others trained likes our targets better than any shifted or swapped ones."""
    cheap = settings(crop=368, max_images=None, rotation=0, shift=0, flip=0, color_jitter=0)
    data = read_split(cheap.data, "train2017")
    from train.data.dataset import CropDataset, collate
    from train.data.order import Draw

    dataset = CropDataset(data, cheap)
    batch = collate([dataset[Draw(0, i, 45 * i)] for i in range(8)])
    weights = load_weights("mobilenet-thin")
    with torch.no_grad():
        stages = weights.network(weights.preprocessing(batch.images.float()))

    def loss(keypoints):
        return field_loss(stages[-1:], make_targets(keypoints), batch.masks / 255)

    right = loss(batch.keypoints)
    targets = make_targets(batch.keypoints)
    zeros = type(targets)(torch.zeros_like(targets.pafs), torch.zeros_like(targets.heatmaps))
    blank = field_loss([zeros], targets, batch.masks / 255)
    assert right.pafs < 0.8 * blank.pafs and right.heatmaps < 0.1 * blank.heatmaps
    for shift in ((6, 0), (-6, 0), (0, 6), (0, -6)):
        moved = loss(batch.keypoints + torch.tensor([*shift, 0.0]))
        assert right.pafs < moved.pafs and right.heatmaps < moved.heatmaps
    from pose.skeleton import HEATMAP_FLIP

    swapped = loss(batch.keypoints[:, :, HEATMAP_FLIP[:18]])
    assert right.pafs < 0.9 * swapped.pafs and right.heatmaps < swapped.heatmaps


def test_training_lowers_the_loss_of_its_images(make_trainer, settings):
    still = {"rotation": 0, "shift": 0, "flip": 0, "color_jitter": 0, "scale_max": 0.5}
    trainer = make_trainer(settings(learning_rate=2e-5, max_steps=12, warmup=0.1, **still))
    batch = first_batch(trainer)
    losses = [trainer.train_step(batch).loss for _ in range(8)]
    assert losses[-1] < 0.8 * losses[0]


def test_out_of_memory_halves_the_micro_batch_and_keeps_the_batch(
    make_trainer, settings, monkeypatch, capfd
):
    chosen = settings(batch_size=8, clip=0.0)
    plain = make_trainer(chosen)
    batch = first_batch(plain)
    expected = plain.train_step(batch)
    cramped = make_trainer(chosen)
    forward, sizes = MobileNetThin.forward, []

    def picky(self, images):
        sizes.append(len(images))
        if len(images) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return forward(self, images)

    monkeypatch.setattr(MobileNetThin, "forward", picky)
    result = cramped.train_step(batch)
    assert sizes == [8, 4, 2, 2, 2, 2]
    assert result.loss == pytest.approx(expected.loss, rel=1e-5)
    for a, b in zip(
        plain.stepper.network.parameters(), cramped.stepper.network.parameters(), strict=True
    ):
        torch.testing.assert_close(a, b, atol=2e-5, rtol=1e-4)
    told = capfd.readouterr().err.strip().splitlines()
    assert told == [
        "Out of memory with 8 samples at once: trying 4, with gradients accumulated to the batch "
        "of 8.",
        "Out of memory with 4 samples at once: trying 2, with gradients accumulated to the batch "
        "of 8.",
    ]
    sizes.clear()
    cramped.train_step(batch)
    assert sizes == [2, 2, 2, 2]

    def never(self, images):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(MobileNetThin, "forward", never)
    with pytest.raises(UserError, match="--gradient-checkpointing"):
        cramped.train_step(batch)


@pytest.mark.parametrize("name", ["mobilenet-thin", "openpose"])
def test_gradient_checkpointing_changes_no_gradient(name, settings):
    from train.network import fresh_network, recompute_activations

    torch.manual_seed(0)
    network = fresh_network(name).train()
    images = torch.randn(2, 3, 64, 64, requires_grad=True)

    def gradients():
        network.zero_grad()
        sum(s.pafs.square().sum() + s.heatmaps.square().sum() for s in network(images)).backward()
        return {k: p.grad.clone() for k, p in network.named_parameters()}

    keys = list(network.state_dict())
    plain = gradients()
    recompute_activations(network)
    torch.testing.assert_close(gradients(), plain)
    assert list(network.state_dict()) == keys


def test_a_frozen_front_end_stays_and_is_released(make_trainer, settings):
    trainer = make_trainer(
        settings(freeze_epochs=1, max_images=1, max_steps=None, epochs=2, learning_rate=1e-3)
    )
    steps = trainer.order.steps_per_epoch
    batch = first_batch(trainer)
    before = {k: v.clone() for k, v in trainer.stepper.network.state_dict().items()}

    def changed(prefix):
        state = trainer.stepper.network.state_dict()
        return any(not torch.equal(state[k], before[k]) for k in before if k.startswith(prefix))

    for _ in range(steps):
        trainer.train_step(batch)
    assert not changed("backbone") and not changed("stem") and changed("paf_blocks")
    trainer.train_step(batch)
    assert changed("backbone") and changed("stem")


def test_a_run_leaves_everything_and_shows_up(settings, capfd):
    chosen = settings(max_steps=3)
    summary = train(chosen)
    run = chosen.output
    assert summary.finished and summary.weights == run / "weights.safetensors"
    assert {"settings.json", "metrics.jsonl", "log.txt", "loss.png"} <= {
        p.name for p in run.iterdir()
    }
    records = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    steps = [r for r in records if r["kind"] == "step"]
    assert [r["step"] for r in steps] == [1, 2, 3]
    for record in steps:
        terms = record["pafs"] + record["heatmaps"]
        assert len(terms) == 12 and record["loss"] == pytest.approx(sum(terms), rel=1e-4)
    log = (run / "log.txt").read_text()
    assert "Iteration 1 || Loss:" in log and "Epoch_TRAIN_Loss:" in log
    loaded = load_weights("run", weights_dir=run.parent)
    assert loaded.preprocessing.name == "raw-bgr"
    best = load_file(run / "checkpoints" / "best.safetensors")
    assert loaded.network.state_dict().keys() == best.keys()

    with pytest.raises(UserError, match="earlier run"):
        train(chosen)
    with pytest.raises(UserError, match="finished"):
        train(chosen, resume=True)
    with pytest.raises(UserError, match="no file"):
        train(settings(train_split="nothing"), overwrite=True)
    with pytest.raises(UserError, match=r"no file .*nothing"):
        train(settings(val_split="nothing"), overwrite=True)
    assert summary.weights.is_file()


def test_validation_measures_the_averaged_weights_and_keeps_the_best(
    settings, tmp_path, monkeypatch
):
    monkeypatch.setattr(validation, "PRESET", get_preset("balanced"))
    listed = tmp_path / "list.txt"
    listed.write_text("000000000036.jpg\n")
    chosen = settings(max_steps=2, val_split="train2017", val_image_list=listed)
    summary = train(chosen)
    card = load_weights(str(chosen.output)).card
    assert summary.ap == pytest.approx(card.ap, abs=1e-4) and card.ap > 0
    assert "train2017, images of list.txt, preset balanced" in card.ap_note
    records = map(json.loads, (chosen.output / "metrics.jsonl").read_text().splitlines())
    assert [r["ap"] for r in records if r["kind"] == "validation"] == [summary.ap]
    assert "Epoch_VAL_AP:" in (chosen.output / "log.txt").read_text()
    with pytest.raises(UserError, match="nowhere"):
        train(settings(output=tmp_path / "other", val_split="nowhere"))


def test_from_scratch_the_batch_norm_is_folded_away(settings):
    chosen = settings(init="none", max_steps=1)
    summary = train(chosen)
    state = load_file(summary.weights)
    assert state.keys() == MobileNetThin().state_dict().keys()
    last = torch.load(chosen.output / "checkpoints/last.pt", weights_only=True)
    network = MobileNetThin(batch_norm=True)
    prefix = "module."
    average = {k: v for k, v in last["average"].items() if k.startswith(prefix)}
    network.load_state_dict({k.removeprefix(prefix): v for k, v in average.items()})
    folded = MobileNetThin()
    folded.load_state_dict(state)
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        for a, b in zip(network.eval()(images), folded.eval()(images), strict=True):
            torch.testing.assert_close(a.pafs, b.pafs, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("how", [{"init": "none"}, {"relative_rates": True}])
def test_killed_in_the_middle_of_an_epoch_it_goes_on_to_the_same_weights(settings, tmp_path, how):
    same = {**how, "max_images": 8, "max_steps": 9, "workers": 1, "ema": 0.9}
    whole = settings(output=tmp_path / "whole", **same)
    train(whole)
    killed = settings(output=tmp_path / "killed", checkpoint_minutes=0, **same)
    process = start(command(killed))
    wait_for_step(killed, 3, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    state = torch.load(killed.output / "checkpoints/last.pt", weights_only=True)
    samples = state["samples"]
    assert 0 < state["step"] < 9 and state["step"] % -(-samples // 2) != 0
    assert not (killed.output / "weights.safetensors").exists()

    assert main(["--resume", str(killed.output), "--no-progress"]) == 0
    expected, got = (load_file(s.output / "weights.safetensors") for s in (whole, killed))
    assert expected.keys() == MobileNetThin().state_dict().keys()
    for name, value in expected.items():
        torch.testing.assert_close(got[name], value, atol=1e-6, rtol=0)
    for kind in ("step", "epoch"):
        curves = []
        for run in (whole, killed):
            lines = (run.output / "metrics.jsonl").read_text().splitlines()
            records = [r for r in map(json.loads, lines) if r["kind"] == kind]
            curves.append([(r["step"], r["loss"]) for r in records])
        assert [s for s, _ in curves[0]] == [s for s, _ in curves[1]]
        assert [v for _, v in curves[0]] == pytest.approx([v for _, v in curves[1]], abs=1e-6)


def test_ctrl_c_saves_and_says_how_to_go_on(settings):
    chosen = settings(max_steps=500)
    process = start(command(chosen), stdout=subprocess.PIPE)
    wait_for_step(chosen, 1, process)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert f"python -m train --resume {chosen.output}" in output
    assert "Traceback" not in errors
    state = torch.load(chosen.output / "checkpoints/last.pt", weights_only=True)
    assert state["step"] >= 1


def test_two_trainings_do_not_share_a_run(settings):
    chosen = settings(max_steps=500)
    process = start(command(chosen))
    try:
        wait_for_step(chosen, 1, process)
        assert main(["--resume", str(chosen.output)]) == 2
        with pytest.raises(UserError, match="Another training"):
            train(chosen, overwrite=True)
        assert process.poll() is None
    finally:
        process.kill()
        process.communicate()


def test_resume_takes_the_runs_own_settings(settings, tmp_path, capfd):
    assert main(["--resume", str(tmp_path / "nowhere")]) == 2
    assert "not a run directory" in capfd.readouterr().err
    assert main(["--resume", str(tmp_path), "--learning-rate", "1"]) == 2
    assert "--learning-rate cannot change" in capfd.readouterr().err


def test_a_full_disk_leaves_the_last_checkpoint(settings, tmp_path):
    """The system refuses to write beyond a size, as a full disk does."""
    chosen = settings(max_steps=2, checkpoint_minutes=0)
    script = f"""
import resource, signal, sys
from train import validation
from train.__main__ import main
from train.run_directory import RunDirectory
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
save, saved = RunDirectory.save_checkpoint, []
def limited(self, state):
    saved.append(1)
    if len(saved) == 2:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5_000_000, -1))
    save(self, state)
RunDirectory.save_checkpoint = limited
sys.exit(main({command(chosen)[3:]!r}))
"""
    process = start([sys.executable, "-c", script], stdout=subprocess.PIPE)
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 2, errors
    assert "was not saved" in errors and "the earlier one is kept" in errors
    assert "Traceback" not in errors
    folder = chosen.output / "checkpoints"
    state = torch.load(folder / "last.pt", weights_only=True)
    assert state["step"] == 1
    assert not [p for p in folder.iterdir() if p.name.startswith(".")]
    assert not (chosen.output / "weights.safetensors").exists()


def test_a_loss_that_is_not_finite_names_its_images(make_trainer, settings):
    trainer = make_trainer(settings(batch_size=4))
    batch = first_batch(trainer)
    batch.jitter[2] = torch.nan
    before = {k: v.clone() for k, v in trainer.stepper.network.state_dict().items()}
    with pytest.raises(UserError) as told:
        trainer.train_step(batch)
    assert batch.names[2] in str(told.value) and "\n" not in str(told.value)
    others = {n for i, n in enumerate(batch.names) if i != 2} - {batch.names[2]}
    assert not any(name in str(told.value) for name in others)
    for name, value in trainer.stepper.network.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize("how", [{}, {"clip": 0.0}], ids=str)
def test_a_gradient_that_is_not_finite_changes_no_weight(make_trainer, settings, how):
    trainer = make_trainer(settings(**how))
    batch = first_batch(trainer)
    network = trainer.stepper.network
    before = {k: v.clone() for k, v in network.state_dict().items()}

    def spoil(gradient):
        gradient = gradient.clone()
        gradient[0] = torch.inf
        return gradient

    hook = next(network.parameters()).register_hook(spoil)
    with pytest.raises(UserError, match="gradient of step 1 is not finite"):
        trainer.train_step(batch)
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])
    hook.remove()
    assert trainer.train_step(batch).gradient_norm > 0


def test_overwriting_spares_the_weights_it_starts_from(settings, tmp_path, monkeypatch):
    chosen = settings(crop=64, max_steps=1)
    weights = train(chosen).weights
    monkeypatch.setenv("POSE_WEIGHTS_DIR", str(tmp_path))
    for name in (str(chosen.output), str(weights), chosen.name):
        for option in ("init", "teacher"):
            again = replace(chosen, **{option: name})
            with pytest.raises(UserError, match="choose another --output") as told:
                train(again, overwrite=True)
            assert f"--{option} {name}" in str(told.value) and "\n" not in str(told.value)
    assert weights.is_file()
    other = replace(chosen, init=str(weights), output=tmp_path / "other")
    assert train(other).finished and train(other, overwrite=True).finished


def test_two_processes_get_the_loss_of_one(settings, tmp_path):
    same = {"batch_size": 8, "max_images": 8, "max_steps": 2, "seed": 3}
    alone = settings(output=tmp_path / "alone", **same)
    train(alone)
    both = settings(output=tmp_path / "both", **same)
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    process = start([sys.executable, *launcher, *command(both)[1:]], stdout=subprocess.PIPE)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    assert output.count("Weights:") == 1

    def losses(run):
        lines = (run.output / "metrics.jsonl").read_text().splitlines()
        return [r["loss"] for r in map(json.loads, lines) if r["kind"] == "step"]

    assert len(losses(alone)) == 2
    assert losses(both) == pytest.approx(losses(alone), abs=1e-5)
    # The losses of the second step agree only if the gradients were averaged over both.
    expected, got = (load_file(s.output / "weights.safetensors") for s in (alone, both))
    for name, value in expected.items():
        torch.testing.assert_close(got[name], value, atol=1e-4, rtol=0)


def test_unusable_images_are_told_once_and_training_goes_on(small_coco, settings, capfd):
    broken = small_coco.image(0)
    broken.write_bytes(b"\xff\xd8 this is no photo")
    chosen = settings(data=small_coco.folder, max_images=None, max_steps=None, epochs=2)
    assert train(chosen).finished
    told = [line for line in capfd.readouterr().err.splitlines() if broken.name in line]
    assert len(told) == 1 and "Skipped an unreadable image" in told[0]


def test_vgg_features_from_a_file(settings, coco_dir):
    path = coco_dir.parent / "weights" / "vgg19_imagenet_features.safetensors"
    if not path.is_file():
        pytest.skip(f"needs {path}")
    start = initial_network(settings(network="openpose", init=str(path)))
    assert isinstance(start.network, OpenPoseNet)
    assert start.preprocessing.name == "imagenet" and start.fresh_stages
    features = load_file(path)
    for index in (0, 21):
        own = start.network.feature.model[index].weight
        assert torch.equal(own, features[f"features.{index}.weight"])
    with pytest.raises(UserError, match="openpose only"):
        initial_network(settings(init=str(path)))
    with pytest.raises(UserError, match="--network mobilenet-thin"):
        initial_network(settings(network="openpose", init="mobilenet-thin"))


def test_parameter_groups(settings):
    chosen = settings(learning_rate=1e-3)
    network = OpenPoseNet()

    def rates(fresh_stages):
        groups = make_optimizer(network, chosen, fresh_stages).param_groups
        found = {id(p): g["lr"] / 1e-3 for g in groups for p in g["params"]}
        assert len(found) == len(list(network.parameters()))
        return found

    found = rates(fresh_stages=True)
    assert found[id(network.feature.model[0].weight)] == pytest.approx(1)
    assert found[id(network.feature.model[0].bias)] == pytest.approx(2)
    assert found[id(network.block1_2.model[0].weight)] == pytest.approx(1)
    assert found[id(network.block6_1.model[0].weight)] == pytest.approx(4)
    assert found[id(network.block2_2.model[0].bias)] == pytest.approx(8)
    assert set(rates(fresh_stages=False).values()) == {1}


def test_relative_steps_suit_each_channel(settings):
    """The first step of Adam is the learning rate, whatever the gradient: here times the scale."""
    torch.manual_seed(0)
    rows = torch.tensor([1.0, 1e-3, 10.0])[:, None, None, None]
    columns = torch.tensor([1.0, 0.1])[None, :, None, None]
    network = torch.nn.Conv2d(2, 3, 5)
    with torch.no_grad():
        network.weight.copy_(rows * columns * torch.randn(3, 2, 5, 5).sign())
        network.bias.zero_()
    before = [p.detach().clone() for p in network.parameters()]
    optimizer = make_optimizer(network, settings(learning_rate=1e-3, relative_rates=True), False)
    network(torch.randn(2, 2, 9, 9)).square().mean().backward()
    optimizer.step()
    (weights, biases) = [(p - b).abs() for p, b in zip(network.parameters(), before, strict=True)]
    expected = (1e-3 * rows * columns).expand_as(weights)
    torch.testing.assert_close(weights.detach(), expected, rtol=1e-2, atol=0)
    assert (biases - 1e-6).abs().max() < 1e-8, "biases of 0 take the smallest scale, 1e-3"


def test_schedule():
    rates = [rate_factor(step, 100, 0.1) for step in range(100)]
    assert rates[0] == pytest.approx(0.1) and rates[9] == rates[10] == 1
    assert rates[55] == pytest.approx(0.5) and 0 < rates[99] < 0.01


def test_the_average_forgets_the_first_weights():
    network = torch.nn.Linear(1, 1, bias=False)
    average = make_average(network, 0.9)
    for value in (5.0, 1.0, 1.0):
        torch.nn.init.constant_(network.weight, value)
        average.update_parameters(network)
    # 5, then 2/11 * 5 + 9/11 * 1, then 3/12 of that and 9/12 * 1
    assert average.module.weight.item() == pytest.approx(0.25 * (2 * 5 + 9) / 11 + 0.75)
