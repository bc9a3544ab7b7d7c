"""The order in which test processes take files."""

from __future__ import annotations

from types import SimpleNamespace

from tests.scheduling import FOLDERS, KEPT, Stopwatch, next_file, weights

LEFT = {
    "tests/browser/test_one.py": 10.0,
    "tests/browser/test_two.py": 30.0,
    "tests/serving/test_one.py": 35.0,
    "tests/domain/test_one.py": 1.0,
}


def test_a_process_begins_with_the_folder_that_takes_longest():
    assert next_file(LEFT, None, set()) == "tests/browser/test_one.py"


def test_a_process_stays_in_its_folder_though_longer_files_are_left():
    assert next_file(LEFT, "domain", {"browser"}) == "tests/domain/test_one.py"


def test_a_process_whose_folder_is_done_takes_one_that_nobody_has():
    assert next_file(LEFT, "wire", {"browser"}) == "tests/serving/test_one.py"


def test_a_process_helps_with_a_long_file_where_others_have_all_folders():
    taken = {"browser", "serving", "domain"}
    assert next_file(LEFT, "wire", taken) == "tests/browser/test_two.py"


def test_files_that_never_ran_share_what_their_folder_takes_or_count_their_tests():
    tests = {"tests/browser/test_a.py": 1, "tests/browser/test_b.py": 9, "tests/wire/test_c.py": 30}
    guessed = weights(tests, {"tests/browser/test_a.py": 7.5})
    assert guessed == {
        "tests/browser/test_a.py": 7.5,
        "tests/browser/test_b.py": FOLDERS["browser"] / 2,
        "tests/wire/test_c.py": 3.0,
    }


class Cache(dict):
    set = dict.__setitem__


def seconds_after(cache, *reports, **options):
    config = SimpleNamespace(cache=cache, getoption=lambda name: options.get(name, ""))
    stopwatch = Stopwatch(config)
    for nodeid, duration in reports:
        stopwatch.pytest_runtest_logreport(SimpleNamespace(nodeid=nodeid, duration=duration))
    stopwatch.pytest_sessionfinish()
    return cache[KEPT]


def test_what_a_file_took_is_kept_for_the_next_run_beside_what_did_not_run():
    cache = Cache({KEPT: {"a.py": 1.0, "b.py": 2.0}})
    told = seconds_after(cache, ("a.py::test_one", 0.5), ("a.py::test_two[x::y]", 0.25))
    assert told == {"a.py": 0.75, "b.py": 2.0}


def test_a_run_of_some_tests_says_nothing_about_their_files():
    cache = Cache({KEPT: {"a.py": 1.0}})
    assert seconds_after(cache, ("a.py::test_one", 0.5), keyword="one") == {"a.py": 1.0}
