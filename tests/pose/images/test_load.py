"""Photos of every kind become RGB, the rest gets one line."""

import io

import numpy as np
import pytest
from image_corpus import TURNS
from PIL import Image

from pose import UserError, load_image
from pose.images.pixels import MAX_PIXELS

RNG = np.random.default_rng(0)
SMOOTH = np.stack(np.meshgrid(np.arange(60) * 4, np.arange(40) * 6), -1).astype(np.uint8)
PHOTO = np.concatenate([SMOOTH, np.full((40, 60, 1), 90, np.uint8)], 2)


def saved(tmp_path, image, name, **options):
    image.save(tmp_path / name, **options)
    return tmp_path / name


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "LA", "1", "CMYK", "YCbCr"])
def test_modes_become_rgb(tmp_path, mode):
    image = Image.fromarray(PHOTO).convert(mode)
    name = {"CMYK": "x.jpg", "YCbCr": "x.jpg"}.get(mode, "x.png")
    found = load_image(saved(tmp_path, image, name))
    assert found.dtype == np.uint8 and found.shape == (40, 60, 3)
    expected = np.asarray(image.convert("RGB"), int)
    assert np.abs(found.astype(int) - expected).mean() < 12


def test_sixteen_bit_gray(tmp_path):
    gray = (np.arange(40 * 60).reshape(40, 60) * 27).astype(np.uint16)
    found = load_image(saved(tmp_path, Image.fromarray(gray), "x.png"))
    assert np.array_equal(found[..., 0], gray >> 8)


def test_transparent_pixels_lie_on_white(tmp_path):
    rgba = np.zeros((4, 4, 4), np.uint8)
    rgba[:2, :, 3] = 255
    found = load_image(saved(tmp_path, Image.fromarray(rgba), "x.png"))
    assert (found[:2] == 0).all() and (found[2:] == 255).all()
    assert np.array_equal(load_image(rgba), found)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path, Image.fromarray(PHOTO), "x.png", exif=exif)
    assert np.array_equal(load_image(path), TURNS[orientation](PHOTO))


@pytest.mark.parametrize(
    "array",
    [
        PHOTO,
        PHOTO[..., 0],
        PHOTO[..., :1],
        PHOTO.astype(np.uint16) << 8,
        PHOTO.astype(np.int64),
        PHOTO / np.float32(255),
        PHOTO > 100,
        PHOTO[::-1, ::2],
    ],
)
def test_arrays(array):
    found = load_image(array)
    assert found.dtype == np.uint8 and found.shape[:2] == array.shape[:2]
    assert found.shape[2] == 3 and found.flags.c_contiguous


def test_read_only_array_is_not_changed():
    array = PHOTO.copy()
    array.flags.writeable = False
    assert np.array_equal(load_image(array), PHOTO)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.full((4, 4, 3), np.nan), "NaN"),
        (np.full((4, 4, 3), 2.0), "0..1"),
        (np.full((4, 4, 3), -1), "0..255"),
        (np.zeros((4, 4, 2), np.uint8), "shape"),
        (np.zeros((2, 4, 4, 3), np.uint8), "shape"),
        (np.zeros((0, 4, 3), np.uint8), "no pixels"),
        (np.zeros((4, 4, 3), complex), "uint8"),
        (np.array(3), "shape"),
    ],
)
def test_bad_arrays(array, words):
    with pytest.raises(UserError, match=words):
        load_image(array)


def test_bad_files(tmp_path):
    data = io.BytesIO()
    Image.fromarray(RNG.integers(0, 255, (64, 64, 3), np.uint8)).save(data, "JPEG")
    cases = {
        "text.jpg": b"hello, I am a text",
        "empty.png": b"",
        "cut.jpg": data.getvalue()[: len(data.getvalue()) // 2],
        "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    }
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(UserError, match=name) as caught:
            load_image(tmp_path / name)
        assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match="folder"):
        load_image(tmp_path)
    with pytest.raises(UserError, match="no such file"):
        load_image(tmp_path / "missing.jpg")
    with pytest.raises(UserError, match="download"):
        load_image("https://example.com/a.jpg")
    with pytest.raises(UserError, match="not int"):
        load_image(3)


def test_too_many_pixels_are_refused_before_decoding(tmp_path):
    side = int(MAX_PIXELS**0.5) + 2
    path = saved(tmp_path, Image.new("1", (side, side)), "big.png")
    with pytest.raises(UserError, match="megapixels"):
        load_image(path)


def test_first_frame_of_an_animation(tmp_path):
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "blue")]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    assert (load_image(tmp_path / "x.gif") == (255, 0, 0)).all()
