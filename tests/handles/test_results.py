import gc
from pathlib import Path

import numpy as np

from picsellia_jupyter.domain.predictions import Detections, ImageSize, PredictedImage
from picsellia_jupyter.handles import results
from picsellia_jupyter.handles.results import Selection, StoredResults


def image(number: int) -> PredictedImage:
    boxes = np.array([[number, 0, number + 5, 9]], np.float32)
    found = Detections(np.array([number % 3]), np.array([1 / (number + 2)], np.float32), boxes)
    return PredictedImage(f"pages/{number}.jpg", ImageSize(640, 480), found, 0.01, f"id-{number}")


def stored(folder: Path, count: int) -> StoredResults:
    kept = StoredResults(folder)
    for number in range(count):
        kept.append(image(number))
    return kept


def same(one: PredictedImage, other: PredictedImage) -> bool:
    return (
        (one.source, one.size, one.prediction_id) == (other.source, other.size, other.prediction_id)
        and one.found.scores.tolist() == other.found.scores.tolist()
        and one.found.boxes_xyxy.tolist() == other.found.boxes_xyxy.tolist()
    )


def test_what_was_kept_is_read_again_as_it_was(tmp_path: Path):
    kept = stored(tmp_path / "cache", 5)
    assert len(kept) == 5
    assert all(same(kept[number], image(number)) for number in (3, 0, -1 % 5))
    assert same(kept[-1], image(4))
    assert [one.source for one in kept] == [f"pages/{number}.jpg" for number in range(5)]


def test_reading_in_between_does_not_disturb_what_is_added(tmp_path: Path):
    kept = stored(tmp_path, 2)
    assert same(kept[0], image(0))
    kept.append(image(2))
    assert same(kept[2], image(2))
    assert same(kept[1], image(1))


def test_much_lies_in_the_folder_and_leaves_nothing_there(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(results, "IN_MEMORY", 1000)
    kept = stored(tmp_path, 50)
    assert same(kept[49], image(49))
    assert any(
        str(link.readlink()).startswith(str(tmp_path))
        for link in Path("/proc/self/fd").iterdir()
        if link.is_symlink()
    )
    del kept
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_no_obstacle(tmp_path: Path):
    (tmp_path / "file").write_text("")
    assert len(stored(tmp_path / "file" / "cache", 3)) == 3


def test_a_selection_reads_the_rows_it_has_and_changes_them(tmp_path: Path):
    kept = stored(tmp_path, 9)
    read = []

    def changed(one: PredictedImage) -> PredictedImage:
        read.append(one.source)
        return one

    some = Selection(kept, [7, 2, 4], changed)
    assert same(some[1:][0], image(2))
    assert read == ["pages/2.jpg"]
    assert [one.source for one in kept[2:8:3]] == ["pages/2.jpg", "pages/5.jpg"]
