"""python -m train.average: the mean of several runs' weights."""

from __future__ import annotations

import torch

from pose.networks.build import MobileNetThin
from pose.weights.load import load_weights
from pose.weights.save import save_weights
from train import average


def test_the_mean_of_runs_is_loaded_like_a_run(tmp_path, capfd):
    names = ["mobilenet-thin", "mobilenet-thin", "custom"]
    assert average.main([*names, "--output", str(tmp_path / "mean")]) == 0
    assert str(tmp_path / "mean" / "weights.safetensors") in capfd.readouterr().out
    start, custom, mean = (
        load_weights(name, weights_dir=tmp_path) for name in ("mobilenet-thin", "custom", "mean")
    )
    for key, value in mean.network.state_dict().items():
        expected = torch.lerp(
            start.network.state_dict()[key], custom.network.state_dict()[key], 1 / 3
        )
        torch.testing.assert_close(value, expected)
    assert (mean.shift, mean.preprocessing) == (start.shift, start.preprocessing)
    assert mean.card.licence == "Apache-2.0"
    assert mean.metadata["source"] == "the mean of mobilenet-thin, mobilenet-thin, custom"

    before = (tmp_path / "mean" / "weights.safetensors").read_bytes()
    assert average.main(["custom", "--output", str(tmp_path / "mean")]) == 2
    assert "holds an earlier run" in capfd.readouterr().err
    assert (tmp_path / "mean" / "weights.safetensors").read_bytes() == before


def test_weights_that_do_not_fit_are_refused(tmp_path, capfd):
    other = tmp_path / "other.safetensors"
    save_weights(other, MobileNetThin(), preprocessing="raw-bgr")  # no shift, unlike the bundled
    for second in (str(other), "nobody"):
        assert average.main(["mobilenet-thin", second, "--output", str(tmp_path / "mean")]) == 2
        told = capfd.readouterr().err.strip()
        assert len(told.splitlines()) == 1 and second.rsplit("/")[-1].split(".")[0] in told
    assert not (tmp_path / "mean").exists()
