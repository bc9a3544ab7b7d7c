"""What a link says of itself."""

from __future__ import annotations

import datetime

from picsellia_jupyter.domain.links import LinkError, LinkState, Trouble


def state_with(trouble: Trouble) -> LinkState:
    since = datetime.datetime(2026, 11, 27, 9, 5, 7).timestamp()
    return LinkState(
        "kernel k of http://gpu-box:8888", since, LinkError(trouble, "So it is.", "Do.")
    )


def test_a_link_says_in_one_line_how_it_is():
    connected = LinkState("kernel k of http://gpu-box:8888", 0.0)

    assert (connected.name, str(connected)) == (
        "connected",
        "connected to kernel k of http://gpu-box:8888",
    )
    assert str(state_with(Trouble.CONNECTING)) == "connecting to kernel k of http://gpu-box:8888"
    assert str(state_with(Trouble.GONE)) == "lost since 09:05:07: So it is. Do."
    assert state_with(Trouble.GONE).name == "lost"


def test_some_trouble_passes_by_itself_and_some_needs_the_user():
    passing = {one for one in Trouble if one.may_pass}

    assert passing == {
        Trouble.CONNECTING,
        Trouble.UNREACHABLE,
        Trouble.BROKEN,
        Trouble.RESTARTING,
        Trouble.EMPTY,
    }
