"""The order of samples, their independence of processes, and unreadable images."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from splits import read_split

from pose.errors import UserError
from train.data.dataset import CropDataset, collate, jittered, make_loader
from train.data.order import Draw, Order
from train.data.samples import take_slice


def test_an_epoch_visits_everyone_and_fills_its_last_batch():
    order = Order(samples=10, batch_size=4, seed=1)
    batches = order.epoch(0)
    assert [len(b) for b in batches] == [4, 4, 4] and order.steps_per_epoch == 3
    counts = Counter(d.index for b in batches for d in b)
    assert set(counts) == set(range(10)) and sorted(counts.values()) == [1] * 8 + [2, 2]
    assert [d.index for d in order.epoch(1)[0]] != [d.index for d in batches[0]]
    assert [len(b) for b in Order(3, 8, 0).epoch(0)] == [8]


def test_shares_of_processes_make_up_the_batch_and_starts_in_the_middle_agree():
    order = Order(10, 4, 1)
    whole = list(order.batches(0, 7, 0, 1))
    assert list(order.batches(4, 7, 0, 1)) == whole[4:]
    halves = zip(order.batches(0, 7, 0, 2), order.batches(0, 7, 1, 2), strict=True)
    for batch, (a, b) in zip(whole, halves, strict=True):
        assert sorted(d.position for d in a + b) == [d.position for d in batch]


def test_loader_processes_change_nothing(settings):
    chosen = settings(max_images=6)
    data = take_slice(read_split(chosen.data, "train2017"), max_images=6)
    dataset, order = CropDataset(data, chosen), Order(len(data.samples), 3, 0)
    alone = list(make_loader(dataset, order.batches(0, 4, 0, 1), workers=0))
    helped = list(make_loader(dataset, order.batches(0, 4, 0, 1), workers=2))
    late = list(make_loader(dataset, order.batches(2, 4, 0, 1), workers=1))
    for a, b in [*zip(alone, helped, strict=True), *zip(alone[2:], late, strict=True)]:
        assert a.names == b.names
        assert torch.equal(a.images, b.images) and torch.equal(a.masks, b.masks)
        assert torch.equal(a.jitter, b.jitter)
        assert torch.equal(a.keypoints.nan_to_num(-1), b.keypoints.nan_to_num(-1))


def test_epochs_and_places_differ(settings):
    data = take_slice(read_split(settings().data, "train2017"), max_images=1)
    dataset = CropDataset(data, settings())
    first = dataset[Draw(0, 0, 0)].image
    assert (first == dataset[Draw(0, 0, 0)].image).all()
    assert (first != dataset[Draw(1, 0, 0)].image).any()
    assert (first != dataset[Draw(0, 1, 0)].image).any()


def test_unreadable_images_are_replaced_and_named(small_coco, settings):
    data = read_split(small_coco.folder, "train2017")
    chosen = settings(data=small_coco.folder)
    dataset = CropDataset(data, chosen)
    broken = data.images[0].path
    broken.write_bytes(broken.read_bytes()[:2000])
    sample = dataset[Draw(0, 0, 0)]
    assert sample.name != broken.name
    assert sample.problems == (f"{broken.name}: the file ends early",)
    assert collate([sample, sample]).problems == sample.problems * 2
    for labels in data.images:
        labels.path.write_bytes(b"not an image")
    with pytest.raises(UserError, match="No image can be read"):
        dataset.sample(Draw(0, 0, 0))


def test_jitter():
    images = torch.full((3, 2, 2, 3), 100, dtype=torch.uint8)
    images[..., 0] = 200
    factors = torch.tensor([[1.0, 1, 1], [1.1, 1, 1], [1, 1, 0.0]])
    plain, bright, grey = jittered(images, factors)
    torch.testing.assert_close(plain, images[0].float())
    torch.testing.assert_close(bright, images[0].float() * 1.1)
    assert (grey == grey[..., :1]).all() and grey[0, 0, 0] == pytest.approx(129.9, abs=0.01)


def test_batches_are_padded_with_nobody(settings):
    data = read_split(settings().data, "train2017")
    dataset = CropDataset(data, settings())
    samples = [dataset[Draw(0, i, i)] for i in range(12)]
    batch = collate(samples)
    counts = [len(s.keypoints) for s in samples]
    assert batch.keypoints.shape[1] == max(counts) and min(counts) < max(counts)
    for row, count in zip(batch.keypoints.numpy(), counts, strict=True):
        assert np.isnan(row[count:]).all()
