"""Checkpoint formats: found by their keys, the same maps whatever the names."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from checkpoint_makers import caffe_maps, state_dict
from safetensors.torch import save_file

from pose.errors import UserError
from pose.networks.build import MobileNetThin
from pose.networks.preprocessing import PREPROCESSINGS
from pose.weights.load import load_file, load_weights
from pose.weights.preprocessing_guess import clearness, example_photo, guess_preprocessing

EXPECTED = {
    "tensorboy": ("tensorboy", None),
    "yutaro": ("yutaro", "imagenet"),
    "modules": ("yutaro-modules", "imagenet"),
    "caffe": ("caffe", "caffe"),
    "own": ("own", None),
}


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(1, 3, 48, 64, generator=torch.Generator().manual_seed(1)) - 0.5


@pytest.fixture(scope="module")
def expected(images) -> list[tuple[torch.Tensor, torch.Tensor]]:
    with torch.inference_mode():
        return caffe_maps(state_dict("caffe"), images)


@pytest.mark.parametrize("form", EXPECTED)
def test_every_format_gives_the_same_maps(form, tmp_path, images, expected):
    path = tmp_path / "weights.pth"
    torch.save(state_dict(form), path)
    loaded = load_file(path)
    name, preprocessing = EXPECTED[form]
    assert loaded.format == name
    if preprocessing:
        assert loaded.preprocessing.name == preprocessing
    with torch.inference_mode():
        stages = loaded.network(images)
    assert len(stages) == 6
    for stage, (pafs, heatmaps) in zip(stages, expected, strict=True):
        torch.testing.assert_close(stage.pafs, pafs, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(stage.heatmaps, heatmaps, rtol=1e-4, atol=1e-4)


def prefixed(state):
    return {f"module.{key}": value for key, value in state.items()}


def nested(state):
    """A dictionary a module, as some exporters write them."""
    modules = {}
    for key, value in state.items():
        module, _, kind = key.rpartition(".")
        modules.setdefault(module, {})[kind] = value
    return modules


WAYS = {
    **{
        name: lambda state, name=name: {"epoch": 3, name: state, "best": 0.5}
        for name in ("state_dict", "ema", "checkpoint", "model_state", "model")
    },
    "module": prefixed,
    "state_dict.module": lambda state: {"state_dict": prefixed(state)},
    "checkpoint.ema.module": lambda state: {"checkpoint": {"ema": prefixed(state), "epoch": 3}},
    "model.module": lambda state: {"model": {f"model.module.{k}": v for k, v in state.items()}},
    "nested": lambda state: {"net": nested(state)},
    "half": lambda state: {key: value.half() for key, value in state.items()},
    "bfloat16": lambda state: {key: value.bfloat16() for key, value in state.items()},
    "double": lambda state: {key: value.double() for key, value in state.items()},
    "parameters": lambda state: {k: torch.nn.Parameter(v) for k, v in state.items()},
    "channels_last": lambda state: {
        k: v.to(memory_format=torch.channels_last) if v.dim() == 4 else v for k, v in state.items()
    },
}


@pytest.mark.parametrize("way", WAYS)
def test_ways_of_saving(way, tmp_path):
    state = state_dict("caffe")
    path = tmp_path / "weights.pth"
    torch.save(WAYS[way](state), path)
    loaded = load_file(path)
    weight = loaded.network.state_dict()["block6_1.model.12.weight"]
    wanted = state["Mconv7_stage6_L1.weight"]
    if way in ("half", "bfloat16"):
        wanted = wanted.to(torch.float16 if way == "half" else torch.bfloat16).float()
    assert weight.dtype == torch.float32
    assert weight.is_contiguous()
    assert torch.equal(weight, wanted)


OPTIMIZER = {"state": {0: {"exp_avg": torch.zeros(3)}, 1: {"exp_avg": torch.zeros(3)}}}


def test_other_tensors_are_left_out_with_a_note(tmp_path):
    """What trainings keep beside the network, in a file as they are called."""
    state = state_dict("caffe")
    state |= {"classifier.weight": torch.zeros(5, 5), "classifier.bias": torch.zeros(5)}
    state |= {"conv1_1.num_batches_tracked": torch.tensor(7)}
    path = tmp_path / "best.pth.tar"
    torch.save({"model_state": prefixed(state), "optimizer": OPTIMIZER, "epoch": 3}, path)
    loaded = load_file(path)
    assert loaded.format == "caffe"
    (note,) = loaded.notes
    for text in (
        "classifier (2 tensors)",
        "num_batches_tracked (1 tensor)",
        "optimizer (2 tensors)",
    ):
        assert text in note
    assert "model_state.module" in note


def test_averaged_weights_come_first(tmp_path):
    averaged = state_dict("caffe", seed=1)
    path = tmp_path / "last.pth"
    torch.save({"model": state_dict("caffe"), "ema": averaged}, path)
    loaded = load_file(path)
    weight = loaded.network.state_dict()["feature.model.0.weight"]
    assert torch.equal(weight, averaged["conv1_1.weight"])
    (note,) = loaded.notes
    assert "model (184 tensors)" in note and "under ema" in note


def test_safetensors_may_hold_more_too(tmp_path):
    state = {f"model.{k}": v for k, v in state_dict("caffe").items()}
    path = tmp_path / "model.safetensors"
    save_file(state | {"head.weight": torch.zeros(2), "step": torch.tensor([3])}, path)
    loaded = load_file(path)
    assert loaded.format == "caffe"
    assert "head (1 tensor), step (1 tensor)" in loaded.notes[0]


def test_batch_norms_that_our_network_lacks_are_refused(tmp_path):
    """Without them the maps would be wrong in silence."""
    state = {**state_dict("tensorboy"), "model2_1.1.running_mean": torch.zeros(128)}
    torch.save(state, tmp_path / "normed.pth")
    with pytest.raises(UserError, match=r"1 extra \(model2_1\.1\.running_mean\)"):
        load_file(tmp_path / "normed.pth")


def test_saved_on_cuda_loads_without_cuda(tmp_path):
    """A file whose storages say cuda:0, made by rewriting the location in its pickle."""
    import zipfile

    plain, path = tmp_path / "cpu.pth", tmp_path / "cuda.pth"
    torch.save(state_dict("caffe"), plain)
    cpu, cuda = b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0"
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename.endswith("data.pkl"):
                assert content.count(cpu) == 1  # later uses are references to it
                content = content.replace(cpu, cuda)
            new.writestr(entry.filename, content)
    loaded = load_file(path)
    assert next(loaded.network.parameters()).device.type == "cpu"
    assert torch.equal(
        loaded.network.state_dict()["feature.model.0.weight"], state_dict("caffe")["conv1_1.weight"]
    )


def test_pytorchs_old_format(tmp_path):
    path = tmp_path / "body_pose_model.pth"
    torch.save(state_dict("caffe"), path, _use_new_zipfile_serialization=False)
    loaded = load_file(path)
    assert loaded.format == "caffe"
    assert loaded.preprocessing.name == "caffe"


def test_safetensors_of_another_project(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file(state_dict("caffe"), path)
    assert load_file(path).format == "caffe"


@pytest.mark.parametrize(
    ("name", "wanted"), [("pose_model.pth", "caffe"), ("pose_model_scratch.pth", "imagenet")]
)
def test_tensorboys_two_files_are_told_apart_by_name(name, wanted, tmp_path):
    torch.save(state_dict("tensorboy"), tmp_path / name)
    loaded = load_file(tmp_path / name)
    assert loaded.preprocessing.name == wanted
    assert any(wanted in note for note in loaded.notes)


def test_tensorboy_under_another_name_is_guessed_and_can_be_overruled(tmp_path):
    path = tmp_path / "mine.pth"
    torch.save(state_dict("tensorboy"), path)
    guessed = load_file(path)
    assert any("clearest peaks" in note and "--preprocessing" in note for note in guessed.notes)
    for name in PREPROCESSINGS:
        assert load_file(path, preprocessing=name).preprocessing.name == name


def expecting(preprocessing: str) -> MobileNetThin:
    """The bundled network, its first layer changed to want another preprocessing.

    raw-bgr is BGR x, the others are a * x + b per channel, so the first convolution's weights are
    divided by a and its bias takes -b/a; only the outermost pixels differ, where zeros are padded.
    """
    network = load_weights("mobilenet-thin").network
    if preprocessing == "caffe":
        a, b = np.full(3, 1 / 256), np.full(3, -0.5)
    else:
        mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
        a, b = 1 / (255 * std), -mean / std
    with torch.no_grad():
        weight = network.stem.weight.clone()
        if preprocessing == "imagenet":
            weight = weight.flip(1)  # now its inputs are RGB
        scale = torch.tensor(a, dtype=torch.float32).view(1, 3, 1, 1)
        shift = torch.tensor(b / a, dtype=torch.float32).view(1, 3, 1, 1)
        network.stem.weight.copy_(weight / scale)
        network.stem.bias.sub_((weight * shift).sum((1, 2, 3)))
    return network


@pytest.mark.parametrize("wanted", ["caffe", "imagenet"])
def test_the_guess_finds_what_a_network_wants(wanted):
    network = expecting(wanted)
    guess = guess_preprocessing(network)
    assert guess.name == wanted
    assert wanted in guess.sentence
    # The right one must do about as well as the network it was made from.
    original = load_weights("mobilenet-thin").network
    photo = example_photo()
    assert clearness(network, photo, wanted) > 0.9 * clearness(original, photo, "raw-bgr")


def test_preprocessings_follow_their_formulas():
    rgb = np.random.default_rng(0).integers(0, 256, (2, 8, 16, 3), np.uint8)
    x = torch.from_numpy(rgb)
    chw = rgb.transpose(0, 3, 1, 2).astype(np.float64)
    mean = np.array([0.485, 0.456, 0.406])[:, None, None]
    std = np.array([0.229, 0.224, 0.225])[:, None, None]
    wanted = {
        "caffe": chw[:, ::-1] / 256 - 0.5,
        "imagenet": (chw / 255 - mean) / std,
        "raw-bgr": chw[:, ::-1],
    }
    assert set(wanted) == set(PREPROCESSINGS)
    for name, values in wanted.items():
        np.testing.assert_allclose(PREPROCESSINGS[name](x).numpy(), values, rtol=1e-5, atol=1e-5)


def test_mobilenet_with_batch_norm_is_folded(tmp_path):
    torch.manual_seed(0)
    network = MobileNetThin(batch_norm=True)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.running_mean, -0.5, 0.5)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    network.eval()
    torch.save(network.state_dict(), tmp_path / "training.pth")
    loaded = load_file(tmp_path / "training.pth")
    assert loaded.format == "own-mobilenet-bn"
    x = torch.rand(1, 3, 64, 64) * 255
    with torch.inference_mode():
        torch.testing.assert_close(
            loaded.network(x)[-1].pafs, network(x)[-1].pafs, rtol=1e-3, atol=1e-3
        )


def test_near_misses_name_the_format_and_the_keys(tmp_path):
    state = state_dict("tensorboy")
    del state["model0.0.weight"]
    state["model6_1.14.weight"] = torch.zeros(3)
    state["model6_2.12.weight"] = torch.zeros(20, 128, 1, 1)
    path = tmp_path / "near.pth"
    torch.save(state, path)
    with pytest.raises(UserError) as error:
        load_file(path)
    message = str(error.value)
    assert "\n" not in message
    for part in ("tensorboy", "1 missing (model0.0.weight)", "1 extra (model6_1.14.weight)"):
        assert part in message
    assert "model6_2.12.weight is 20×128×1×1, not 19×128×1×1" in message


def test_something_else_entirely(tmp_path):
    path = tmp_path / "resnet.pth"
    torch.save({"fc.weight": torch.zeros(10, 10)}, path)
    with pytest.raises(UserError, match=r"none of the keys of a pose network.*fc\.weight"):
        load_file(path)
