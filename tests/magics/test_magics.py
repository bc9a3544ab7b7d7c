"""The magics in a real IPython shell, over a session that notes what it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from picsellia_jupyter import magics
from picsellia_jupyter.domain.errors import NotFoundError


class NotingSession:
    """Stands for `Session`: notes each call, and fails where it is told to."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.error: Exception | None = None

    def __getattr__(self, verb: str) -> Any:
        def call(*args: Any, **options: Any) -> str:
            options.pop("progress", None)
            self.calls.append((verb, args, options))
            if self.error:
                raise self.error
            return f"value of {verb}"

        return call


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


@pytest.fixture
def session(shell: InteractiveShell) -> Iterator[NotingSession]:
    extension = magics.register(shell)
    noting = extension.__dict__["session"] = NotingSession()
    yield noting
    magics.unregister(shell)


def test_deploy_is_one_call_on_the_session(shell: InteractiveShell, session: NotingSession):
    result = shell.run_line_magic(
        "deploy",
        'pets:1 --strategy monitoring --threshold 0.3 --datalake "my lake" --on local '
        "--device cuda:0 --precision fp16 --workers 2 --idle 2h",
    )

    assert result == "value of deploy"
    assert session.calls == [
        (
            "deploy",
            ("pets:1",),
            {
                "strategy": "monitoring",
                "threshold": 0.3,
                "datalake": "my lake",
                "on": "local",
                "name": None,
                "file": "model-latest",
                "device": "cuda:0",
                "precision": "fp16",
                "workers": 2,
                "idle": "2h",
                "replicas": None,
                "install": False,
            },
        )
    ]


@pytest.mark.parametrize(
    ("line", "call"),
    [
        ("%deploy", ("registry", (), {})),
        (
            "%predict a.jpg b/*.png --on d1 --tag night --no-monitor",
            ("predict", (["a.jpg", "b/*.png"],), {"on": "d1", "monitor": False, "tags": ["night"]}),
        ),
        ("%monitor d1 --last 7d", ("monitor", ("d1",), {"last": "7d"})),
        (
            "%monitor --since 2026-11-20 --label crack",
            ("monitor", (None,), {"last": "24h", "since": "2026-11-20", "label": "crack"}),
        ),
        ("%monitor", ("monitor", (None,), {"last": "24h"})),
        (
            "%promote line 2 --force",
            ("promote", ("line", "2"), {"force": True, "keep_as_shadow": False}),
        ),
        (
            "%promote line --keep",
            ("promote", ("line", None), {"force": False, "keep_as_shadow": True}),
        ),
        (
            "%review line --campaign create --to ann --to bob --until 2027-01-31",
            ("campaign", ("line", "create"), {"to": ["ann", "bob"], "until": "2027-01-31"}),
        ),
        ("%pipeline", ("pipeline", (None,), {})),
        ("%rollback line", ("rollback", ("line",), {})),
        ("%deployments", ("deployments", (), {})),
        ("%registry", ("registry", (), {})),
        ("%places", ("places", (), {})),
        ("%picsellia", ("status", (), {})),
        (
            "%picsellia connect https://host --organization Lab",
            ("connect", ("https://host",), {"organization": "Lab"}),
        ),
        ("%picsellia doctor --fix", ("doctor", (), {"fix": True})),
        (
            "%picsellia doctor --report",
            ("bug_report", ("picsellia-report.md",), {"fix": False}),
        ),
        ("%picsellia doctor --report a.md --fix", ("bug_report", ("a.md",), {"fix": True})),
        ("%picsellia monitor d1", ("monitor", ("d1",), {"last": "24h"})),
    ],
)
def test_each_magic_is_one_call_on_the_session(
    shell: InteractiveShell, session: NotingSession, line: str, call: object
):
    shell.run_cell(line).raise_error()

    assert session.calls == [call]


def test_undeploy_shows_what_is_left_of_the_deployment(
    shell: InteractiveShell, session: NotingSession
):
    assert shell.run_line_magic("undeploy", "d1") == "value of deployment"
    assert shell.run_line_magic("undeploy", "d1 --delete") is None
    assert session.calls[0] == ("undeploy", ("d1", False), {})
    assert session.calls[2] == ("undeploy", ("d1", True), {})


def test_the_value_can_be_assigned(shell: InteractiveShell, session: NotingSession):
    shell.run_cell("d = %deploy pets").raise_error()

    assert shell.user_ns["d"] == "value of deploy"


def test_a_line_is_data_and_never_runs_code(shell: InteractiveShell, session: NotingSession):
    shell.user_ns["ran"] = []

    shell.run_cell("%deploy {ran.append(1)} --name \"{ran.append(2)}\" --datalake '$(touch x)'")

    assert shell.user_ns["ran"] == []
    assert session.calls[0][1] == ("{ran.append(1)}",)


def test_a_dollar_word_stands_for_a_variable(shell: InteractiveShell, session: NotingSession):
    shell.user_ns["pages"] = ["one page.jpg", "two.jpg"]

    shell.run_line_magic("predict", "$pages")

    assert session.calls[0][1] == (["one page.jpg", "two.jpg"],)


def test_what_follows_a_hash_that_stands_alone_is_a_comment(
    shell: InteractiveShell, session: NotingSession
):
    shell.run_line_magic("predict", "photo#1.jpg \"a # b.jpg\" 'c # d.jpg'  # it's all of them")

    assert session.calls[0][1] == (["photo#1.jpg", "a # b.jpg", "c # d.jpg"],)


@pytest.mark.parametrize(
    ("magic", "line", "said"),
    [
        ("deploy", "pets --treshold 0.3", "unrecognized arguments: --treshold"),
        ("deploy", "pets --threshold high", "invalid float value: 'high'"),
        ("deploy", 'pets --name "open', "No closing quotation"),
        ("deploy", "$nothing", "no variable 'nothing'"),
        ("predict", "", "required: PATH"),
        ("picsellia", "deplyo pets", "no verb 'deplyo'"),
    ],
)
def test_a_wrong_line_is_answered_in_a_sentence(
    shell: InteractiveShell, session: NotingSession, magic: str, line: str, said: str
):
    with pytest.raises(UsageError, match=said):
        shell.run_line_magic(magic, line)

    assert session.calls == []


def test_an_error_shows_its_fact_and_remedy_without_a_traceback(
    shell: InteractiveShell, session: NotingSession, capsys: pytest.CaptureFixture[str]
):
    session.error = NotFoundError.named("model", "digit-detector", ["digits-detector"])

    shell.run_cell("%deploy digit-detector")

    shown = capsys.readouterr().out
    assert "There is no model named 'digit-detector'" in shown
    assert "Did you mean 'digits-detector'?" in shown
    assert "Traceback" not in shown
    assert ".py" not in shown


def test_help_shows_the_arguments(shell: InteractiveShell, session: NotingSession):
    for name in ("deploy", "predict", "monitor", "undeploy"):
        documentation = shell.find_line_magic(name).__doc__
        assert documentation is not None
        assert f"usage: %{name}" in documentation


def test_a_name_that_is_taken_is_left_alone_and_said(shell: InteractiveShell):
    def theirs(line: str) -> str:
        return "theirs"

    shell.register_magic_function(theirs, "line", "deploy")

    with pytest.warns(UserWarning, match="%deploy belongs to another extension"):
        magics.register(shell)

    assert shell.run_line_magic("deploy", "pets") == "theirs"
    magics.unregister(shell)
    assert shell.run_line_magic("deploy", "pets") == "theirs"


def test_unloading_takes_the_magics_away(shell: InteractiveShell, session: NotingSession):
    shell.run_line_magic("unload_ext", "picsellia_jupyter")
    shell.run_line_magic("load_ext", "picsellia_jupyter")
    assert shell.find_line_magic("deploy") is not None

    shell.run_line_magic("unload_ext", "picsellia_jupyter")

    assert shell.find_line_magic("deploy") is None
    assert shell.find_line_magic("picsellia") is None


def test_places_are_added_and_removed_and_then_shown(
    shell: InteractiveShell, session: NotingSession
):
    shell.run_line_magic("places", "add gpu1 https://gpu-box:8888")
    shell.run_line_magic("places", "remove gpu1")

    assert session.calls == [
        ("add_place", ("gpu1", "https://gpu-box:8888"), {}),
        ("places", (), {}),
        ("remove_place", ("gpu1",), {}),
        ("places", (), {}),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [("add gpu1", "add needs a name and an address"), ("remove", "remove needs a name")],
)
def test_a_place_without_its_name_or_address_is_a_usage_error(
    shell: InteractiveShell, session: NotingSession, line: str, message: str
):
    with pytest.raises(UsageError, match=message):
        shell.run_line_magic("places", line)
    assert session.calls == []


@pytest.mark.parametrize("what", ["--follow", "--show", "--cancel", "--retry"])
def test_a_place_is_named_for_a_new_training_run_alone(
    shell: InteractiveShell, session: NotingSession, capsys: pytest.CaptureFixture[str], what: str
):
    shell.run_cell(f"%retrain line --on gpu1 {what}")

    shown = capsys.readouterr().out
    assert "--on gpu1 says where a new run is done; none is begun here." in shown
    assert "Leave out --on." in shown
    assert session.calls == []
