"""`%usage`, and the same from a shell."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from picsellia_jupyter import cli
from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.magics.usage import USAGE


class Noting:
    """Stands for `Session`: notes what is set."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, float | None]] = []
        self.set_quota = lambda mpu: self.calls.append(("quota", mpu))
        self.set_rate = lambda mpu: self.calls.append(("rate", mpu))
        self.usage = lambda: SimpleNamespace(of=self)


@pytest.mark.parametrize(
    ("line", "calls"),
    [
        ("", []),
        ("--quota 20 --rate 0.5", [("quota", 20.0), ("rate", 0.5)]),
        ("--quota none", [("quota", None)]),
    ],
)
def test_usage_sets_what_is_given_and_shows_the_rest(line, calls):
    session = Noting()
    assert USAGE(session, line, {}).of is session
    assert session.calls == calls


def test_nothing_is_set_where_one_of_two_cannot_be():
    session = Noting()
    with pytest.raises(InvalidInputError, match="A rate is 0"):
        USAGE(session, "--quota 20 --rate -1", {})
    assert session.calls == []


def test_the_command_sets_and_shows_usage(tmp_path, capsys):
    home = ["--home", str(tmp_path / "home")]
    try:
        assert cli.main(["usage", "set", *home, "--quota", "20", "--rate", "0.5", "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert (said["quota"], said["rate"], said["used"]) == (20.0, 0.5, 0.0)
        assert cli.main(["usage", "show", *home]) == 0
        assert "Left         20 MPU" in capsys.readouterr().out
        assert cli.main(["usage", "set", *home, "--quota", "lots"]) == 1
        assert "The quota 'lots' is no number." in capsys.readouterr().err
    finally:
        local_platform.stop(tmp_path / "home")
