from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from picsellia_jupyter.domain.errors import InvalidImageError, InvalidInputError, NotFoundError
from picsellia_jupyter.handles.images import expand, read


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.JPG", "a.png", "notes.txt", "[odd] name.jpeg"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    return tmp_path


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_a_folder_stands_for_its_images_in_order(folder: Path):
    assert names(expand([folder])) == ["[odd] name.jpeg", "a.png", "b.JPG"]


def test_a_file_that_is_named_is_always_tried(folder: Path):
    assert names(expand([folder / "notes.txt"])) == ["notes.txt"]


def test_a_glob_stands_for_what_it_matches(folder: Path):
    assert names(expand([str(folder / "*.p*")])) == ["a.png"]


def test_a_name_with_brackets_is_a_file_before_it_is_a_glob(folder: Path):
    assert names(expand([folder / "[odd] name.jpeg"])) == ["[odd] name.jpeg"]


def test_a_file_named_twice_is_taken_once_in_the_order_given(folder: Path):
    assert names(expand([folder / "b.JPG", folder])) == ["b.JPG", "[odd] name.jpeg", "a.png"]


def test_a_misspelt_path_is_answered_with_the_nearest_one(folder: Path):
    with pytest.raises(NotFoundError, match=r"a\.png"):
        expand([folder / "aa.png"])


def test_a_folder_without_images_is_said_to_be_one(folder: Path):
    with pytest.raises(NotFoundError, match="no image in the folder"):
        expand([folder / "empty"])


def test_a_glob_that_matches_folders_alone_names_no_image(folder: Path):
    with pytest.raises(NotFoundError):
        expand([str(folder / "emp*")])


def test_a_file_that_cannot_be_read_is_named(folder: Path):
    with pytest.raises(InvalidImageError, match=r"gone\.jpg cannot be read"):
        read(folder / "gone.jpg")


def test_only_what_may_be_meant_is_suggested(folder: Path):
    with pytest.raises(NotFoundError) as caught:
        expand([folder / "note.txt"])
    assert caught.value.remedy == (
        f"{str(folder)!r} has '[odd] name.jpeg', 'a.png', 'b.JPG', 'empty'."
    )


def test_where_no_image_is_that_is_said(folder: Path):
    with pytest.raises(NotFoundError, match="There is none in"):
        expand([folder / "empty" / "page.jpg"])


@pytest.mark.parametrize(
    ("given", "name"),
    [(7, "int"), (np.zeros((4, 4, 3), np.uint8), "ndarray"), (b"\xff\xd8", "bytes")],
)
def test_pixels_and_bytes_are_no_paths(given: Any, name: str):
    with pytest.raises(InvalidInputError) as caught:
        expand([given])
    assert caught.value.fact == f"Images are given as paths, globs or folders; got {name}."
    assert "and give that path" in caught.value.remedy


def test_paths_may_come_in_any_collection(folder: Path):
    paths = [folder / "a.png", str(folder / "b.JPG")]
    assert names(expand([paths[0], iter(paths[1:])])) == ["a.png", "b.JPG"]


def test_an_address_is_not_taken_for_a_file():
    with pytest.raises(InvalidInputError) as caught:
        expand(["https://example.com/a.jpg?signature=secret"])
    assert caught.value.fact == (
        "'https://example.com/a.jpg' is an address; images are read from this machine's files."
    )
    assert caught.value.remedy == "Download it first, and give its path."
