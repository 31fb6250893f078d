"""Pictures that the page serves."""

from pathlib import Path

import numpy as np

from page.components import crisp


def test_a_picture_that_is_there_is_not_written_again(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    picture = np.full((8, 8, 3), 90, np.uint8)
    path = Path(crisp(picture))
    with path.open("rb") as loading:  # by a browser
        written = path.stat()
        assert crisp(picture) == str(path)
        assert path.stat().st_mtime_ns == written.st_mtime_ns
        assert len(loading.read()) == written.st_size
    assert crisp(picture + 1) != str(path)
