"""Completion of the magics' lines by IPython's own completer, over names that are given."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given
from IPython.core.completer import provisionalcompleter, rectify_completions
from IPython.core.interactiveshell import InteractiveShell

from picsellia_jupyter import magics
from picsellia_jupyter.magics.extension import Extension
from picsellia_jupyter.magics.half_typed import quoted, read

KNOWN = {
    ("models", ""): ["digits-detector", "digits-classifier", "my model"],
    ("versions", "digits-detector"): ["1", "0"],
    ("versions", "my model"): ["0"],
    ("datalakes", ""): ["default", "press line", 'the "old" one'],
    ("deployments", ""): ["energetic-cave", "night shift"],
    ("places", ""): ["local", "gpu1", "ray"],
}


class GivenNames:
    """Stands for a platform's names; notes what it is asked, and fails where it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.error: Exception | None = None

    def of_kind(self, kind: str, of: str = "") -> list[str]:
        self.asked.append((kind, of))
        self.may_answer.wait()
        if self.error:
            raise self.error
        return KNOWN.get((kind, of), [])


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


@pytest.fixture
def extension(shell: InteractiveShell) -> Iterator[Extension]:
    yield magics.register(shell)
    magics.unregister(shell)


@pytest.fixture
def names(extension: Extension) -> Iterator[GivenNames]:
    given = GivenNames()
    extension.__dict__["_platform_names"] = given
    # The names are given, so there is no hurry: a slow machine is no failure.
    for cache in (extension._names, extension._folders):
        cache._grace_s, cache._is_warm = 30, True
    yield given
    given.may_answer.set()


def completed(shell: InteractiveShell, line: str, cursor: int | None = None) -> list[str]:
    """Each line as it is after one of the completions was taken."""
    at = len(line) if cursor is None else cursor
    with provisionalcompleter():
        found = rectify_completions(line, list(shell.Completer.completions(line, at)))
        return [line[: one.start] + one.text + line[one.end :] for one in found]


@pytest.mark.parametrize("jedi", ["True", "False"])
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("%deploy digits-d", ["%deploy digits-detector"]),
        ("%deploy my", ['%deploy "my model"']),
        ('%deploy "my', ['%deploy "my model"']),
        ("%deploy 'my m", ["%deploy 'my model'"]),
        ("%deploy digits-detector:", ["%deploy digits-detector:1", "%deploy digits-detector:0"]),
        ('%deploy "my model":', ['%deploy "my model:0"']),
        ("d = %deploy digits-c", ["d = %deploy digits-classifier"]),
        ("x = 1\n    %deploy digits-c", ["x = 1\n    %deploy digits-classifier"]),
        ("%deploy pets --thr", ["%deploy pets --threshold"]),
        ("%deploy pets --strategy m", ["%deploy pets --strategy monitoring"]),
        ("%deploy pets --strategy=m", ["%deploy pets --strategy=monitoring"]),
        ("%deploy pets --device cu", ["%deploy pets --device cuda"]),
        ("%deploy pets --datalake p", ['%deploy pets --datalake "press line"']),
        ("%deploy pets --datalake=p", ['%deploy pets --datalake="press line"']),
        ("%deploy --datalake t", ['%deploy --datalake "the \\"old\\" one"']),
        ("%deploy pets --on g", ["%deploy pets --on gpu1"]),
        ("%predict a.jpg --on n", ['%predict a.jpg --on "night shift"']),
        ("%predict --tag a --ta", ["%predict --tag a --tag"]),
        ("%monitor e", ["%monitor energetic-cave"]),
        ("%monitor --last 2", ["%monitor --last 24h"]),
        ("%undeploy ", ["%undeploy energetic-cave", '%undeploy "night shift"']),
        ("%retrain e", ["%retrain energetic-cave"]),
        ("%retrain e --on g", ["%retrain e --on gpu1"]),
        ("%retrain e --fo", ["%retrain e --follow"]),
        ("%places r", ["%places remove"]),
        ("%places remove gp", ["%places remove gpu1"]),
        ("%picsellia doc", ["%picsellia doctor"]),
        ("%picsellia undeploy n", ['%picsellia undeploy "night shift"']),
        ("%deploy pets --name pri", ["%deploy pets --name pri"]),
        ("%deploy nosuchmodel", ["%deploy nosuchmodel"]),
    ],
)
def test_a_line_is_completed(
    shell: InteractiveShell, names: GivenNames, line: str, expected: list[str], jedi: str
):
    shell.run_line_magic("config", f"IPCompleter.use_jedi = {jedi}")

    assert completed(shell, line) == expected


def test_the_older_interface_of_the_completer_gives_the_same(
    shell: InteractiveShell, names: GivenNames
):
    line = "%deploy digits-detector:0 --datalake p"

    assert shell.complete(None, line, len(line)) == ("p", ['"press line"'])


def test_an_option_that_was_given_is_not_offered_again(shell: InteractiveShell, names: GivenNames):
    offered = completed(shell, "%undeploy energetic-cave ")

    assert offered == ["%undeploy energetic-cave --delete"]
    assert completed(shell, "%undeploy x --delete --") == ["%undeploy x --delete --"]


def test_a_quote_that_the_editor_closed_by_itself_is_not_doubled(
    shell: InteractiveShell, names: GivenNames
):
    line = '%deploy "my" --threshold 0.3'

    assert completed(shell, line, cursor=11) == ['%deploy "my model" --threshold 0.3']


def test_a_dollar_word_is_completed_to_a_variable(shell: InteractiveShell, names: GivenNames):
    shell.user_ns["pages_of_today"] = ["a.jpg"]

    assert completed(shell, "%predict $pages_") == ["%predict $pages_of_today"]


def test_images_and_folders_are_completed(
    shell: InteractiveShell, names: GivenNames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("page 1.jpg", "pale.PNG", "paper.txt", ".pages.jpg"):
        (tmp_path / name).touch()
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.webp").touch()
    (tmp_path / "my pages").mkdir()
    (tmp_path / "my pages" / "b c.jpg").touch()
    monkeypatch.chdir(tmp_path)

    assert completed(shell, "%predict pa") == [
        '%predict "page 1.jpg"', "%predict pages/", "%predict pale.PNG",
    ]  # fmt: skip
    assert completed(shell, "%predict x.jpg pages/") == ["%predict x.jpg pages/a.webp"]
    assert completed(shell, "%predict my") == ['%predict "my pages/']
    assert completed(shell, '%predict "my pages/') == ['%predict "my pages/b c.jpg"']
    assert completed(shell, f"%predict {tmp_path}/pal") == [f"%predict {tmp_path}/pale.PNG"]
    assert completed(shell, "%predict nosuchfolder/a") == ["%predict nosuchfolder/a"]


def test_names_that_are_slow_are_not_waited_for_and_come_later(
    shell: InteractiveShell, extension: Extension, names: GivenNames
):
    extension._names._grace_s = 0.0
    names.may_answer.clear()

    assert completed(shell, "%monitor e") == ["%monitor e"]
    names.may_answer.set()
    extension._names._grace_s = 30

    assert completed(shell, "%monitor e") == ["%monitor energetic-cave"]
    assert names.asked == [("deployments", "")]


def test_nobody_waits_for_the_first_names(shell: InteractiveShell, extension: Extension):
    given = extension.__dict__["_platform_names"] = GivenNames()
    extension._names._grace_s = 30
    given.may_answer.clear()

    assert completed(shell, "%monitor e") == ["%monitor e"]
    given.may_answer.set()


def test_names_that_cannot_be_had_are_none_and_nothing_is_said(
    shell: InteractiveShell, names: GivenNames, capfd: pytest.CaptureFixture[str]
):
    names.error = RuntimeError("the platform is away")

    assert completed(shell, "%deploy dig") == ["%deploy dig"]
    assert capfd.readouterr() == ("", "")


def test_old_names_stay_when_new_ones_cannot_be_had(
    shell: InteractiveShell, extension: Extension, names: GivenNames
):
    assert completed(shell, "%monitor e") == ["%monitor energetic-cave"]
    extension._names._fresh_s = 0.0
    names.error = RuntimeError("the platform is away")

    assert completed(shell, "%monitor e") == ["%monitor energetic-cave"]
    assert names.asked == [("deployments", ""), ("deployments", "")]


def test_lines_of_others_are_left_to_others(shell: InteractiveShell, names: GivenNames):
    shell.user_ns["deployed_today"] = 1

    assert completed(shell, "deployed_t") == ["deployed_today"]
    assert "%%timeit" in completed(shell, "%%timei")
    assert names.asked == []


def test_unloading_takes_the_completion_away(shell: InteractiveShell):
    before = list(shell.Completer.custom_matchers)
    magics.register(shell)
    magics.register(shell)
    assert len(shell.Completer.custom_matchers) == len(before) + 1

    magics.unregister(shell)

    assert shell.Completer.custom_matchers == before


def test_half_a_quoted_word_is_read_as_the_shell_would():
    typed = read("pets --name 'it is' --datalake \"press \\\"l")

    assert typed.words == ("pets", "--name", "it is", "--datalake")
    assert (typed.fragment, typed.value, typed.quote) == ('"press \\"l', 'press "l', '"')
    assert read("a\\").fragment == "a\\"
    assert read("").words == ()


@given(st.text(alphabet="a \t\"'\\$-=:%", max_size=12))
def test_whatever_is_typed_is_read_without_an_error(text: str):
    typed = read(text)

    assert text.endswith(typed.fragment)
    assert not typed.fragment or read(quoted(typed.value)).value == typed.value
