"""What is ready before the page's first visitor comes."""

from __future__ import annotations

from page.models import Models
from page.serving.warm_up import warm_up
from pose import catalogue


def test_the_network_that_the_page_opens_with_has_run(tmp_path):
    models = Models("cpu", tmp_path)
    warm_up(models)
    assert models.estimator(models.default_pair()[0]).network_runs > 0
    assert len(models.cache.kept) == 1


def test_weights_that_cannot_be_used_are_one_line(tmp_path, monkeypatch, caplog):
    (tmp_path / "mobilenet-thin.safetensors").write_bytes(b"damaged")
    monkeypatch.setitem(catalogue.__globals__, "BUNDLED_WEIGHTS", tmp_path)
    assert not any(card.present for card in catalogue(tmp_path))
    warm_up(Models("cpu", tmp_path))
    (record,) = caplog.records
    assert "no weights are here" in record.getMessage()
