"""Directories of images: classes by folder, order, faults all at once, memory and progress."""

import io
import logging
import os
import re
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tests.support.data_files import images, write_pictures
from tfsload.datasets import folders, progress
from tfsload.datasets.data_error import DataError
from tfsload.datasets.dataset import load
from tfsload.datasets.progress import counted

ONE = images(1)[0]


def _flat(value: int, shape: tuple[int, int] = (2, 3)) -> np.ndarray:
    return np.full(shape, value, np.uint8)


def _values(dataset) -> list[int]:
    return dataset.images[:, 0, 0].tolist()


@pytest.mark.parametrize(
    ("names", "labels", "class_names"),
    [
        pytest.param(["0", "1", "2"], [0, 1, 2], (), id="digits"),
        pytest.param(["7", "3", "10"], [3, 7, 10], (), id="numbers-in-their-order"),
        pytest.param(["00", "01"], [0, 1], (), id="numbers-with-zeros"),
        pytest.param(["dog", "cat"], [0, 1], ("cat", "dog"), id="names-in-their-order"),
        pytest.param(["1", "two"], [0, 1], ("1", "two"), id="a-name-among-numbers"),
        pytest.param(["-1", "1"], [0, 1], ("-1", "1"), id="a-negative-number-is-a-name"),
        pytest.param(["²", "1"], [0, 1], ("1", "²"), id="another-alphabets-number-is-a-name"),
        pytest.param(["300"], [300], (), id="more-than-a-byte"),
    ],
)
def test_labels_are_the_folders_numbers_or_their_places(tmp_path, names, labels, class_names):
    write_pictures(tmp_path, {f"{name}/a.png": ONE for name in names})
    dataset = load(str(tmp_path))
    assert (dataset.labels.tolist(), dataset.class_names) == (labels, class_names)
    assert (dataset.images.flags.c_contiguous, dataset.images.flags.writeable) == (True, False)


def test_the_first_images_are_of_all_classes_by_name_within_each(tmp_path):
    write_pictures(
        tmp_path,
        {
            "1/b.png": _flat(11),
            "1/a.png": _flat(10),
            "0/z.JPG": _flat(200),
            "1/c.jpeg": _flat(12),
            "0/a.PNG": _flat(0),
        },
    )
    dataset = load(str(tmp_path))
    assert dataset.labels.tolist() == [0, 1, 0, 1, 1]
    assert _values(dataset) == [0, 10, 200, 11, 12]


@given(st.permutations([f"{place % 3}/{place}.png" for place in range(9)]))
def test_the_order_is_not_that_of_the_file_system(tmp_path_factory, names):
    directory = tmp_path_factory.mktemp("made")
    write_pictures(directory, {name: _flat(int(name[2])) for name in names})
    assert _values(load(str(directory))) == list(range(9))


def test_all_kinds_of_files_make_one_set_of_grey_bytes(tmp_path):
    grey = Image.fromarray(images(1, (4, 6))[0])
    deep = images(1, (4, 6))[0].astype(np.uint16) * 257
    black_and_white = grey.point(lambda value: 255 * (value > 127))
    write_pictures(
        tmp_path,
        {
            "0/16-bit.png": deep,
            "0/grey.png": grey,
            "1/alpha.png": grey.convert("RGBA"),
            "1/colours.png": grey.convert("RGB"),
            "2/grey-alpha.png": grey.convert("LA"),
            "2/palette.png": grey.convert("P"),
            "3/1-bit.png": black_and_white.convert("1"),
        },
    )
    dataset = load(str(tmp_path))
    assert (dataset.images.shape, dataset.images.dtype) == ((7, 4, 6), np.uint8)
    by_class = {label: dataset.images[dataset.labels == label] for label in range(4)}
    for label in range(3):
        for found in by_class[label]:
            np.testing.assert_array_equal(found, np.asarray(grey))
    np.testing.assert_array_equal(by_class[3][0], np.asarray(black_and_white))


def test_hidden_files_and_what_systems_leave_there_are_passed_over(tmp_path):
    write_pictures(tmp_path, {"0/a.png": ONE})
    for name in (".DS_Store", "Thumbs.db", "0/.DS_Store", "0/Thumbs.db", "0/desktop.ini"):
        (tmp_path / name).write_bytes(b"junk")
    (tmp_path / ".git").mkdir()
    dataset = load(str(tmp_path))
    assert (len(dataset), dataset.remarks) == (1, ())


def test_files_beside_the_folders_are_passed_over_and_told(tmp_path):
    write_pictures(tmp_path, {"0/a.png": ONE})
    for name in ("README.md", "labels.csv"):
        (tmp_path / name).write_text("words")
    assert load(str(tmp_path)).remarks == (f"passed over beside the folders of {tmp_path}: README.md, labels.csv",)


def test_links_to_folders_and_files_are_followed(tmp_path):
    write_pictures(tmp_path / "real", {"a/a.png": _flat(1), "b.png": _flat(2)})
    (tmp_path / "set" / "1").mkdir(parents=True)
    (tmp_path / "set" / "0").symlink_to(tmp_path / "real" / "a")
    (tmp_path / "set" / "1" / "b.png").symlink_to(tmp_path / "real" / "b.png")
    assert _values(load(str(tmp_path / "set"))) == [1, 2]


def _loop_of_folders(directory: Path) -> None:
    (directory / "0" / "again").symlink_to(directory)


def _loop_of_one(directory: Path) -> None:
    (directory / "0" / "loop.png").symlink_to("loop.png")
    (directory / "loop").symlink_to("loop")


def _nowhere(directory: Path) -> None:
    (directory / "0" / "gone.png").symlink_to("nowhere")


def _pipe(directory: Path) -> None:
    os.mkfifo(directory / "0" / "pipe.png")


def _pipe_beside(directory: Path) -> None:
    os.mkfifo(directory / "pipe")


def _device(directory: Path) -> None:
    (directory / "0" / "zero.png").symlink_to("/dev/zero")


def _sizes(directory: Path) -> None:
    write_pictures(directory, {f"1/{n}.png": _flat(0, (28, 28)) for n in range(3)})
    write_pictures(
        directory, {"0/0.png": _flat(0, (32, 32)), "1/x.png": _flat(0, (32, 32)), "2/y.png": _flat(0, (9, 7))}
    )


def _text(directory: Path) -> None:
    (directory / "0" / "notes.txt").write_text("words")
    (directory / "0" / "other.gif").write_bytes(b"GIF89a")


def _broken(directory: Path) -> None:
    content = (directory / "0" / "a.png").read_bytes()
    (directory / "0" / "cut.png").write_bytes(content[: len(content) // 2])
    (directory / "0" / "page.png").write_bytes(b"<html>")


def _empty_folder(directory: Path) -> None:
    (directory / "1").mkdir()


def _twice(directory: Path) -> None:
    write_pictures(directory, {"00/a.png": ONE})


def _unprintable(directory: Path) -> None:
    (directory / "0" / "a\x1b[31m.txt").write_text("words")
    (directory / "0" / os.fsdecode(b"\xff.png")).write_text("words")


@pytest.mark.parametrize(
    ("spoil", "messages"),
    [
        pytest.param(_loop_of_folders, ["0/again: a folder within a class's folder"], id="loop-of-folders"),
        pytest.param(
            _loop_of_one,
            ["loop: a link that leads in a circle", "0/loop.png: a link that leads in a circle"],
            id="loop-of-one",
        ),
        pytest.param(_nowhere, ["0/gone.png: a link that leads nowhere"], id="link-to-nothing"),
        pytest.param(_pipe, ["0/pipe.png: a pipe"], id="pipe"),
        pytest.param(_pipe_beside, ["; found pipe: a pipe: mend"], id="pipe-beside-the-folders"),
        pytest.param(_device, ["0/zero.png: a device"], id="link-to-a-device"),
        pytest.param(
            _sizes,
            ["0/0.png, 1/x.png: 32×32 pixels, and 28×28 as most of them", "2/y.png: 9×7 pixels, and 28×28 as most"],
            id="sizes",
        ),
        pytest.param(
            _text,
            ["0/notes.txt: no PNG or JPEG by its name", "0/other.gif: no PNG or JPEG by its name"],
            id="no-images",
        ),
        pytest.param(_broken, ["0/cut.png: damaged (", "0/page.png: neither PNG nor JPEG"], id="broken"),
        pytest.param(_empty_folder, ["1: a folder without images"], id="empty-folder"),
        pytest.param(_twice, ["folders 0, 00: two of them are the same number"], id="one-number-twice"),
        pytest.param(
            _unprintable, [r"'0/a\x1b[31m.txt': no PNG", r"'0/\udcff.png': neither PNG"][:1], id="unprintable"
        ),
    ],
)
def test_what_is_wrong_is_told_at_once(tmp_path, spoil, messages):
    write_pictures(tmp_path, {"0/a.png": ONE})
    spoil(tmp_path)
    with pytest.raises(DataError) as caught:
        load(str(tmp_path))
    assert str(caught.value).startswith(
        f"{tmp_path}: expected PNG or JPEG files, in a folder for each class or all in one"
    )
    for message in messages:
        assert message in str(caught.value)
    str(caught.value).encode()  # it can be printed


def test_of_many_faults_the_first_are_named_and_all_are_counted(tmp_path):
    write_pictures(tmp_path, {"0/a.png": ONE})
    for n in range(40):
        (tmp_path / "0" / f"broken-{n:02}.png").write_bytes(b"junk")
    with pytest.raises(DataError) as caught:
        load(str(tmp_path))
    told = str(caught.value)
    assert told.count("neither PNG nor JPEG") == 5
    assert "broken-04" in told
    assert "broken-05" not in told
    assert "; and 35 more: mend them, or move them elsewhere" in told


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        pytest.param(["a.png", "0/a.png"], "holds both images .a.png. and folders .0.: put each", id="beside-folders"),
        pytest.param(["train/0/a.png", "test/0/a.png"], "pass one of .*/test, .*/train", id="splits"),
    ],
)
def test_a_directory_of_two_kinds_names_the_choices(tmp_path, pictures, message):
    write_pictures(tmp_path, dict.fromkeys(pictures, ONE))
    with pytest.raises(DataError, match=message):
        load(str(tmp_path))


def test_an_unreadable_folder_is_named(tmp_path, monkeypatch):
    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match="expected a readable directory, found: Permission denied"):
        folders.read(tmp_path)


def test_a_directory_is_read_once_until_a_file_changes(tmp_path, monkeypatch):
    write_pictures(tmp_path, {"0/a.png": _flat(1), "1/b.png": _flat(2)})
    read: list[str] = []
    read_pixels = folders.read_pixels
    monkeypatch.setattr(folders, "read_pixels", lambda path: read.append(path) or read_pixels(path))

    assert [_values(load(str(tmp_path))) for _ in range(2)] == [[1, 2], [1, 2]]
    assert len(read) == 2
    write_pictures(tmp_path, {"1/b.png": _flat(3, (2, 3))})
    os.utime(tmp_path / "1" / "b.png", ns=(0, 0))
    assert _values(load(str(tmp_path))) == [1, 3]
    write_pictures(tmp_path, {"0/c.png": _flat(4)})
    assert _values(load(str(tmp_path))) == [1, 3, 4]


def test_many_images_take_at_most_four_times_their_pixels(tmp_path):
    n = 2_000
    template = write_pictures(tmp_path, {"0/00000.png": ONE}) / "0" / "00000.png"
    for place in range(1, n):
        path = tmp_path / f"{place % 10}" / f"{place:05}.png"
        path.parent.mkdir(exist_ok=True)
        os.link(template, path)
    load(str(write_pictures(tmp_path.parent / "few", {"0/a.png": ONE})))  # what Pillow keeps is not the images'
    tracemalloc.start()
    try:
        dataset = load(str(tmp_path))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert dataset.images.shape == (n, 28, 28)
    assert most < 4 * dataset.images.nbytes


class _Clock:
    """Seconds that go on by a step whenever they are asked for."""

    def __init__(self, step_s: float) -> None:
        self.now_s, self._step_s = 0.0, step_s

    def __call__(self) -> float:
        self.now_s += self._step_s
        return self.now_s


def test_without_a_terminal_a_line_is_told_now_and_then(caplog):
    pauses: list[float] = []
    with caplog.at_level(logging.INFO):
        assert list(counted(range(1_200), "Reading DIR", _Clock(0.01), pauses.append)) == list(range(1_200))
    (told,) = caplog.messages  # after 10 of some 14 s
    assert re.fullmatch("Reading DIR: [89]\\d\\d of 1,200", told)
    assert pauses  # others had their turn


def test_on_a_terminal_there_is_a_bar(monkeypatch, caplog):
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "_SILENT_S", 0)
    with caplog.at_level(logging.INFO):
        list(counted(range(1_200), "Reading DIR", _Clock(1.0), lambda _: None))
    assert "Reading DIR:" in terminal.getvalue()
    assert "/1200 [" in terminal.getvalue()
    assert caplog.records == []


def test_what_is_quickly_read_is_not_told(caplog, capsys):
    with caplog.at_level(logging.INFO):
        list(counted(range(100), "Reading DIR", _Clock(0.01), lambda _: None))
    assert (caplog.records, capsys.readouterr().err) == ([], "")
