"""The devices and what this processor can do."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

import torch

from pose.errors import UserError


def pick_device(device: str) -> torch.device:
    """The device that "auto", "cpu", "cuda" or "cuda:1" means.

    Raises:
        UserError: the device does not exist here.
    """
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        picked = torch.device(device)
    except RuntimeError:
        picked = torch.device("meta")
    if picked.type not in ("cpu", "cuda"):
        raise UserError(f"no device is called {device!r}: choose auto, cpu or cuda")
    if picked.type == "cuda" and not torch.cuda.is_available():
        raise UserError("no CUDA device was found on this machine: choose --device cpu or auto")
    if picked.type == "cuda" and (picked.index or 0) >= torch.cuda.device_count():
        raise UserError(f"this machine has {torch.cuda.device_count()} CUDA device(s), no {picked}")
    return picked


@cache
def cpu_has_bf16() -> bool:
    """Whether the processor multiplies bfloat16 itself; emulated it would be slower than fp32."""
    capabilities = getattr(torch.cpu, "get_capabilities", None)
    if capabilities is not None:
        found = capabilities()
        return bool(found.get("avx512_bf16") or found.get("amx_bf16") or found.get("arm_bf16"))
    # Before PyTorch 2.11 only the private names exist.
    checks = (getattr(torch.cpu, f"_is_{name}_supported", None) for name in ("avx512_bf16",))
    return any(check is not None and check() for check in checks)


@cache
def processor_name() -> str:
    """The CPU's name from /proc/cpuinfo, or from Python where there is none."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
