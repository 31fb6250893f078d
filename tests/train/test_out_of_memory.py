"""Out of memory in a training: how it is recognised, and what it says."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from pose.engines.out_of_memory import first_line, is_out_of_memory
from pose.errors import UserError
from train.data.dataset import CropDataset, collate
from train.data.order import Order
from train.data.read import chosen_data
from train.distributed import half_precision, make_accelerator
from train.network import initial_network
from train.stepper import Stepper

CUDNN = "GET was unable to find an engine to execute this computation"

MESSAGES = (
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be reported later"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError(CUDNN),
    RuntimeError("FIND was unable to find an engine to execute this computation"),
    RuntimeError("Unable to find a valid cuDNN algorithm to run convolution"),
)


@pytest.mark.parametrize("error", MESSAGES, ids=str)
def test_known_forms(error):
    assert is_out_of_memory(error)
    assert "\n" not in first_line(error) and str(error).startswith(first_line(error))


@pytest.mark.parametrize("error", [RuntimeError("shape mismatch"), ValueError(CUDNN)], ids=repr)
def test_other_errors(error):
    assert not is_out_of_memory(error)


@pytest.fixture
def stepper(settings):
    chosen = settings(crop=64, clip=0.0)
    return Stepper(chosen, initial_network(chosen), make_accelerator(chosen), 10, lambda line: None)


@pytest.fixture
def batch(stepper):
    dataset = CropDataset(chosen_data(stepper.settings), stepper.settings)
    return collate([dataset[draw] for draw in Order(len(dataset), 2, 0).epoch(0)[0]])


def test_cudnns_form_halves_the_micro_batch(stepper, batch, monkeypatch):
    losses, sizes = stepper.losses, []

    def picky(part):
        sizes.append(len(part))
        if len(part) > 1:
            raise RuntimeError(CUDNN)
        return losses(part)

    monkeypatch.setattr(stepper, "losses", picky)
    stepper.step(batch)
    assert sizes == [2, 1, 1]


def test_what_the_device_said_is_told_where_not_even_one_sample_fits(stepper, batch, monkeypatch):
    def never(part):
        raise RuntimeError(f"{CUDNN}\nand a second line")

    monkeypatch.setattr(stepper, "losses", never)
    with pytest.raises(UserError, match="Not even one sample") as told:
        stepper.step(batch)
    assert CUDNN in str(told.value) and "\n" not in str(told.value)


def test_another_error_of_a_step_is_no_lack_of_memory(stepper, batch, monkeypatch):
    def wrong(part):
        raise RuntimeError("shape mismatch")

    monkeypatch.setattr(stepper, "losses", wrong)
    with pytest.raises(RuntimeError, match="shape mismatch"):
        stepper.step(batch)


@pytest.fixture
def emulating_gpu(monkeypatch):
    """A GPU that PyTorch sees, and that computes in bf16 by emulation alone."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda including_emulation=True: including_emulation
    )
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)


def test_bf16_is_refused_where_it_is_emulated(settings, emulating_gpu):
    with pytest.raises(UserError, match="--precision fp16"):
        make_accelerator(settings(precision="bf16", device="auto"))
    assert half_precision(cpu=False) == "fp16" and half_precision(cpu=True) == "bf16"


def test_the_hint_names_the_precision_of_the_gpu(stepper, emulating_gpu, monkeypatch):
    stepper.micro_batch = 1
    with pytest.raises(UserError, match="--precision bf16"):
        stepper.halve_micro_batch("no room")
    monkeypatch.setattr(stepper, "accelerator", SimpleNamespace(device=torch.device("cuda")))
    with pytest.raises(UserError, match="--precision fp16"):
        stepper.halve_micro_batch("no room")
