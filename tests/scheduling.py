"""Which test process takes which file: one folder each, those that take longest first.

pytest-xdist's `loadfile` hands out the files with the most tests first and those that hold one
journey of a minute last, so that one process works at the end while the others are done. And what
a folder starts once, a JupyterLab and a browser, it would start again for each change of folder.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from xdist.scheduler.loadfile import LoadFileScheduling

KEPT = "seconds/of_files"
"""In pytest's cache: what each file took when it last ran with several processes."""
FOLDERS = {
    "browser": 300.0, "journeys": 220.0, "localplatform": 180.0, "serving": 170.0, "launch": 120.0,
    "faults": 90.0, "contracts": 60.0, "widgets": 45.0, "clients": 35.0, "labserver": 35.0,
    "training": 30.0, "cloud": 25.0, "docs": 15.0,
}  # fmt: skip
"""Seconds of whole folders, for files that never ran here; ten tests take one elsewhere."""


class LongestFirst(LoadFileScheduling):
    """Whole files, in the order of `next_file`."""

    def __init__(self, config: Any, log: Any, seconds: Mapping[str, float]) -> None:
        """Take what pytest-xdist gives, and what each file took."""
        super().__init__(config, log)
        config.option.loadscopereorder = False  # else those with the most tests come first
        self._seconds = seconds
        self._folders: dict[Any, str] = {}
        self._weights: dict[str, float] = {}

    def _assign_work_unit(self, node: Any) -> None:
        if not self._weights:
            tests = {file: len(unit) for file, unit in self.workqueue.items()}
            self._weights = weights(tests, self._seconds)
        mine = self._folders.get(node)
        taken = {folder for other, folder in self._folders.items() if other is not node}
        left = {file: self._weights[file] for file in self.workqueue}
        file = next_file(left, mine, taken)
        self._folders[node] = folder_of(file)
        self.workqueue.move_to_end(file, last=False)
        super()._assign_work_unit(node)


def folder_of(file: str) -> str:
    """`tests/browser/test_panel.py` -> `browser`."""
    return "/".join(file.split("/")[1:-1][:1])


def weights(tests: Mapping[str, int], seconds: Mapping[str, float]) -> dict[str, float]:
    """What each file will take.

    Args:
        tests: how many each file has.
        seconds: what files took before; any may be missing.
    """
    files = Counter(map(folder_of, tests))

    def guess(file: str, count: int) -> float:
        folder = folder_of(file)
        return FOLDERS[folder] / files[folder] if folder in FOLDERS else count / 10

    return {file: seconds.get(file) or guess(file, count) for file, count in tests.items()}


def next_file(left: Mapping[str, float], mine: str | None, taken: Collection[str]) -> str:
    """What a process takes next: the next file of its folder, or of the longest one nobody has.

    Where others have all that are left, it takes the longest file of the one that takes longest.

    Args:
        left: seconds of each file that nobody has taken yet, in the order of a plain run.
        mine: the folder of the process's last file.
        taken: the folders of the others' last files.
    """
    folders: dict[str, float] = defaultdict(float)
    for file, seconds in left.items():
        folders[folder_of(file)] += seconds
    free = {folder: seconds for folder, seconds in folders.items() if folder not in taken}
    if mine in folders:
        return _files(left, mine)[0]
    if free:
        return _files(left, _most(free))[0]
    busiest = _files(left, _most(folders))
    return _most({file: left[file] for file in busiest})


def _files(left: Mapping[str, float], folder: str) -> list[str]:
    return [file for file in left if folder_of(file) == folder]


def _most(of: Mapping[str, float]) -> str:
    return max(of, key=lambda name: (of[name], name))


class Stopwatch:
    """A plugin of the process that hands out the files; it keeps what each of them took."""

    def __init__(self, config: Any) -> None:
        """Keep it in this run's cache."""
        self._config = config
        self._seconds: dict[str, float] = defaultdict(float)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Add a set-up, a call or a tear-down."""
        self._seconds[report.nodeid.split("::")[0]] += report.duration

    def pytest_sessionfinish(self) -> None:
        """Keep the sums, unless a part of the tests was asked for."""
        if self._config.getoption("keyword") or self._config.getoption("markexpr"):
            return
        cache = self._config.cache
        cache.set(KEPT, {**cache.get(KEPT, {}), **self._seconds})
