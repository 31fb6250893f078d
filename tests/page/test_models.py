"""The catalogue as visitors reach it, and what an estimator is kept by."""

from __future__ import annotations

import os
import shutil

import pytest
from places import ROOT

from page.models import NO_WEIGHTS, Models, OwnWeights
from pose import UserError

BUNDLED = ROOT / "assets" / "weights" / "mobilenet-thin.safetensors"


def test_only_names_of_the_catalogue_are_loaded(tmp_path):
    models = Models("cpu", tmp_path)
    assert models.default_pair() == ("mobilenet-thin", "custom")
    for name in (str(BUNDLED), "../runs", "own:guessed"):
        with pytest.raises(UserError, match=r"no weights are called|no longer kept"):
            models.estimator(name)


def test_a_run_that_was_trained_further_is_loaded_anew(tmp_path):
    run = tmp_path / "mine"
    run.mkdir()
    shutil.copyfile(BUNDLED, run / "weights.safetensors")
    models = Models("cpu", tmp_path)
    first = models.estimator("mine")
    assert models.estimator("mine") is first
    os.utime(run / "weights.safetensors", (1, 1))
    assert models.estimator("mine") is not first
    assert [key.source for key in models.cache.kept] == ["mine", "mine"]


def test_a_visitors_weights_are_kept_and_forgotten(tmp_path):
    models = Models("cpu", tmp_path)
    card = models.card("mobilenet-thin")
    keys = [models.keep(OwnWeights(card, BUNDLED, "raw-bgr")) for _ in range(4)]
    assert len(set(keys)) == 4
    estimator = models.estimator(keys[0])
    assert estimator.weights.preprocessing.name == "raw-bgr"
    assert [key.owner for key in models.cache.kept] == [keys[0]]
    models.check_room(keys[:3])
    with pytest.raises(UserError, match="at most 4"):
        models.check_room(keys)
    models.forget((*keys, NO_WEIGHTS))
    assert (models.own, models.cache.kept) == ({}, {})
    with pytest.raises(UserError, match="no longer kept"):
        models.card(keys[0])
