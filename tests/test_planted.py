"""Planted faults: each still has its place in the code and tests that exist."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from planted.fault import Fault, LostPlaceError, planted
from planted.listed import FAULTS

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_has_its_place_in_the_code_compiles_there_and_names_tests(fault: Fault):
    sound = (ROOT / fault.file).read_text(encoding="utf-8")
    changed = fault.text_with(sound)
    assert changed != sound
    compile(changed, fault.file, "exec")
    for test in fault.tests:
        file, _, name = test.partition("::")
        assert not name or f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")
        assert (ROOT / file).is_file()


def test_no_two_faults_have_one_name():
    names = Counter(fault.name for fault in FAULTS)
    assert [name for name, times in names.items() if times > 1] == []


def test_a_fault_is_gone_when_it_was_looked_at(tmp_path: Path):
    (tmp_path / "a.py").write_text("limit = 1\n")
    fault = Fault("more", "a higher limit", "a.py", "limit = 1", "limit = 2", ())
    with planted(fault, tmp_path):
        assert (tmp_path / "a.py").read_text() == "limit = 2\n"
    assert (tmp_path / "a.py").read_text() == "limit = 1\n"


def test_a_fault_whose_place_has_changed_says_so(tmp_path: Path):
    (tmp_path / "a.py").write_text("bound = 1\n")
    fault = Fault("more", "a higher limit", "a.py", "limit = 1", "limit = 2", ())
    with (
        pytest.raises(LostPlaceError, match=r"its place in a\.py is there 0 times"),
        planted(fault, tmp_path),
    ):
        pass
