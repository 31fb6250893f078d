"""The layer table of a network, in the layout of torchsummary."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from torch import nn

from pose.errors import UserError
from pose.geometry import STRIDE
from pose.networks.build import NETWORKS, build_network
from pose.networks.mobilenet_thin import Separable
from pose.networks.openpose import Block

WITHOUT_ROW = (nn.Sequential, nn.ModuleList, nn.Identity, Block, Separable)
"""Modules that only hold others in a row, or do nothing, have no row of their own."""

WIDTH = 64
MEBIBYTE = 1024**2
FLOAT_BYTES = 4


@dataclass(frozen=True)
class Row:
    """One line of the table: a module, its output shape and the parameters it holds itself."""

    name: str
    shape: tuple[int, ...]
    parameters: int
    trainable: int


def layer_rows(network: nn.Module, batch: int, size: int) -> list[Row]:
    """A row for every module in the order in which their outputs come, for a square input.

    `network` may be on the meta device, where nothing is computed.
    """
    rows: list[Row] = []

    def record(module: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
        own = list(module.parameters(recurse=False))
        rows.append(
            Row(
                f"{type(module).__name__}-{len(rows) + 1}",
                tuple(output.shape),
                sum(p.numel() for p in own),
                sum(p.numel() for p in own if p.requires_grad),
            )
        )

    listed = [m for m in network.modules() if m is not network and not isinstance(m, WITHOUT_ROW)]
    hooks = [module.register_forward_hook(record) for module in listed]
    device = next(network.parameters()).device
    try:
        with torch.no_grad():
            network(torch.empty(batch, 3, size, size, device=device))
    finally:
        for hook in hooks:
            hook.remove()
    return rows


def summary_text(network_name: str, batch: int = 32, size: int = 368) -> str:
    """The layer table: type, output shape, parameters; then totals of parameters and memory.

    Args:
        network_name: a name in `pose.networks.NETWORKS`.
        batch: images in the batch.
        size: pixels of the square input's side, a multiple of 8.

    Raises:
        UserError: no such network, or a size or batch that it cannot take.
    """
    if network_name not in NETWORKS:
        names = ", ".join(NETWORKS)
        raise UserError(f"no network is called {network_name!r}; the names are: {names}")
    if batch < 1:
        raise UserError(f"the batch must have at least one image, not {batch}")
    if size < STRIDE or size % STRIDE:
        raise UserError(f"the size must be a multiple of {STRIDE}, not {size}")
    with torch.device("meta"):
        network = build_network(network_name)
    rows = layer_rows(network, batch, size)
    lines = ["-" * WIDTH, table_line("Layer (type)", "Output Shape", "Param #"), "=" * WIDTH]
    lines += [table_line(row.name, str(list(row.shape)), f"{row.parameters:,}") for row in rows]
    lines += total_lines(rows, batch * 3 * size * size)
    return "\n".join(lines) + "\n"


def table_line(name: str, shape: str, parameters: str) -> str:
    return f"{name:>20}  {shape:>25} {parameters:>15}"


def total_lines(rows: list[Row], inputs: int) -> list[str]:
    """Totals; a pass keeps every output twice, forward and backward, as 32-bit numbers."""
    total = sum(row.parameters for row in rows)
    trainable = sum(row.trainable for row in rows)
    input_size = inputs * FLOAT_BYTES / MEBIBYTE
    pass_size = 2 * sum(prod(row.shape) for row in rows) * FLOAT_BYTES / MEBIBYTE
    params_size = total * FLOAT_BYTES / MEBIBYTE
    return [
        "=" * WIDTH,
        f"Total params: {total:,}",
        f"Trainable params: {trainable:,}",
        f"Non-trainable params: {total - trainable:,}",
        "-" * WIDTH,
        f"Input size (MB): {input_size:.2f}",
        f"Forward/backward pass size (MB): {pass_size:.2f}",
        f"Params size (MB): {params_size:.2f}",
        f"Estimated Total Size (MB): {input_size + pass_size + params_size:.2f}",
        "-" * WIDTH,
    ]
