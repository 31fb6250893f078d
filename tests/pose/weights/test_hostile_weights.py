"""Weights files that must be refused: one line each, no code run, memory kept."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoint_makers import state_dict
from places import ROOT
from safetensors.torch import save_file

from pose.errors import UserError
from pose.weights.load import load_file, load_weights

GIB = 1 << 30


class Runs:
    """Pickles as a call of os.system that leaves a trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return os.system, (f"touch {self.trace}",)


class Reserves:
    """Pickles as a call that reserves 3 GB."""

    def __reduce__(self):
        return bytearray, (3 * GIB,)


def rewritten(path: Path, pickled: bytes, compression: int = zipfile.ZIP_STORED) -> None:
    """A `.pth` with another pickle in it."""
    plain = path.with_suffix(".plain")
    torch.save({"conv1_1.weight": torch.zeros(4)}, plain)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", compression) as new:
        for entry in old.infolist():
            content = pickled if entry.filename.endswith("data.pkl") else old.read(entry)
            new.writestr(entry.filename, content)


class Sparse:
    """A file for writing that skips over blocks of zeros."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("wb")

    def write(self, data) -> int:
        if len(data) > 1 << 16 and not any(bytes(data[:64])):
            return self.file.seek(len(data), 1) and len(data)
        return self.file.write(data)

    def __getattr__(self, name):
        return getattr(self.file, name)


def code_in_zip(path):
    rewritten(path, pickle.dumps({"state_dict": Runs(path.with_suffix(".trace"))}, 2))


def code_in_zip_protocol_4(path):
    rewritten(path, pickle.dumps({"a": Runs(path.with_suffix(".trace"))}, 4))


def code_in_plain_pickle(path):
    path.write_bytes(pickle.dumps(Runs(path.with_suffix(".trace")), 2))


def code_in_old_format(path):
    torch.save(
        {"a": torch.zeros(3), "b": Runs(path.with_suffix(".trace"))},
        path,
        _use_new_zipfile_serialization=False,
    )


def reserving_pickle(path):
    rewritten(path, pickle.dumps({"a": Reserves()}, 2))


def whole_module(path):
    torch.save(torch.nn.Linear(2, 2), path)


def zip_bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({}, 2))
        archive.writestr("archive/version", "3")
        with archive.open("archive/data/0", "w", force_zip64=True) as entry:
            for _ in range(64):
                entry.write(bytes(16 << 20))


def npz_bomb(path):
    header = np.lib.format.magic(1, 0)
    text = b"{'descr': '<f4', 'fortran_order': False, 'shape': (268435456,), }"
    text += b" " * (117 - len(text)) + b"\n"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("MobilenetV1|Conv2d_0|weights.npy", "w", force_zip64=True) as entry,
    ):
        entry.write(header + struct.pack("<H", len(text)) + text)
        for _ in range(64):
            entry.write(bytes(16 << 20))


def npz_with_objects(path):
    with path.open("wb") as file:
        np.savez(file, a=np.array([Runs(path.with_suffix(".trace"))], object))


def truncated_pth(path):
    torch.save(state_dict("caffe"), path)
    os.truncate(path, path.stat().st_size // 2)


def truncated_old_pth(path):
    torch.save(state_dict("caffe"), path, _use_new_zipfile_serialization=False)
    os.truncate(path, path.stat().st_size // 2)


def truncated_safetensors(path):
    save_file(state_dict("caffe"), path)
    os.truncate(path, path.stat().st_size // 2)


def with_value(value):
    def make(path):
        state = state_dict("caffe")
        state["Mconv7_stage6_L2.bias"][3] = value
        torch.save(state, path)

    return make


def unrelated_safetensors(path):
    header = {
        f"layer{i}": {"dtype": "F32", "shape": [GIB // 4], "data_offsets": [i * GIB, (i + 1) * GIB]}
        for i in range(3)
    }
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + 3 * GIB)


def unrelated_pth(path):
    sparse = Sparse(path)
    state = {f"layer{i}": torch.zeros(GIB // 4) for i in range(3)}
    torch.save(state, sparse)
    sparse.close()


def right_keys_wrong_sizes(path):
    """The right names, each tensor claiming 10 GB of a four-number storage by a stride of 0."""
    state = {
        key: torch.zeros(1).as_strided((50_000, 50_000), (0, 0)) for key in state_dict("caffe")
    }
    torch.save(state, path)


def huge_safetensors_header(path):
    path.write_bytes(struct.pack("<Q", 1 << 62) + b"{" + b" " * 100)


def deep_safetensors_header(path):
    text = b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    path.write_bytes(struct.pack("<Q", len(text)) + text)


def integers(path):
    torch.save(
        {k: torch.zeros(v.shape, dtype=torch.int8) for k, v in state_dict("caffe").items()}, path
    )


def torchscript(path):
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)


def empty(path):
    path.write_bytes(b"")


def folder(path):
    path.mkdir()


def pipe(path):
    os.mkfifo(path)


def noise(path):
    path.write_bytes(np.random.default_rng(0).bytes(100_000))


def text(path):
    path.write_bytes((ROOT / "pyproject.toml").read_bytes())


def web_page(path):
    path.write_text("\n<!DOCTYPE html><html><head><title>Sign in</title></head></html>")


def web_page_with_a_mark(path):
    path.write_text("<html><body>404</body></html>", "utf-8-sig")


def error_of_a_server(path):
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code></Error>'
    )


def lfs_pointer(path):
    path.write_text(
        f"version https://git-lfs.github.com/spec/v1\noid sha256:{'4d7a' * 16}\nsize 209267595\n"
    )


def tar_archive(path):
    with tarfile.open(path, "w") as archive:
        archive.add(ROOT / "pyproject.toml", "weights.pth")


def gzipped(path):
    path.write_bytes(gzip.compress(b"weights"))


HOSTILE = {
    code_in_zip: "wants to run posix.system",
    code_in_zip_protocol_4: "wants to run posix.system",
    code_in_plain_pickle: "wants to run posix.system",
    code_in_old_format: "wants to run posix.system",
    reserving_pickle: "wants to run .*bytearray",
    whole_module: "wants to run torch.nn",
    zip_bomb: "compressed archive",
    npz_bomb: "would unpack to 1024 MB",
    npz_with_objects: "pickled Python objects",
    truncated_pth: "damaged or cut off",
    truncated_old_pth: "damaged or cut off",
    truncated_safetensors: "cut off",
    with_value(float("nan")): "NaN or infinite",
    with_value(float("inf")): "NaN or infinite",
    unrelated_safetensors: "none of the keys",
    right_keys_wrong_sizes: "of another shape",
    huge_safetensors_header: "safetensors",
    deep_safetensors_header: "safetensors",
    integers: "int8",
    torchscript: "TorchScript",
    empty: "is empty",
    folder: "folder",
    pipe: "not an ordinary file",
    noise: "not a checkpoint",
    text: "not a checkpoint",
    web_page: "is a web page.*download the file itself",
    web_page_with_a_mark: "is a web page",
    error_of_a_server: "is a web page",
    lfs_pointer: "is a Git LFS pointer.*git lfs pull",
    tar_archive: "packed archive; unpack it",
    gzipped: "packed archive; unpack it",
}

LOAD = """
import sys
from pathlib import Path
from pose.errors import UserError
from pose.weights.load import load_file
try:
    load_file(sys.argv[1])
except UserError as error:
    print(error)
else:
    print("LOADED")
status = Path("/proc/self/status").read_text().splitlines()
print(next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM")))
"""


@pytest.mark.parametrize(
    ("make", "message"), HOSTILE.items(), ids=lambda v: getattr(v, "__name__", None)
)
def test_refused_with_one_line(make, message, tmp_path):
    path = tmp_path / "hostile.pth"
    make(path)
    with pytest.raises(UserError, match=message) as error:
        load_file(path)
    assert "\n" not in str(error.value)
    assert str(path) in str(error.value)
    assert not path.with_suffix(".trace").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    "make",
    [zip_bomb, npz_bomb, reserving_pickle, unrelated_safetensors, unrelated_pth,
     right_keys_wrong_sizes, truncated_old_pth, with_value(float("nan"))],
    ids=lambda v: v.__name__,
)  # fmt: skip
def test_memory_stays_below_one_gigabyte(make, tmp_path):
    path = tmp_path / "hostile.pth"
    make(path)
    done = subprocess.run(
        [sys.executable, "-c", LOAD, path], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    *lines, peak = done.stdout.splitlines()
    assert len(lines) == 1
    assert str(path) in lines[0]
    assert int(peak) < 1000


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
@pytest.mark.parametrize(("make", "words"), [(web_page, "web page"), (lfs_pointer, "Git LFS")])
def test_the_command_line_names_what_was_downloaded(make, words, ending, tmp_path):
    path = tmp_path / f"weights{ending}"
    make(path)
    with pytest.raises(UserError, match=words):
        load_weights(str(path))


def test_missing_file_names_what_there_is():
    with pytest.raises(UserError, match="mobilenet-thin"):
        load_weights("no-such-weights")
