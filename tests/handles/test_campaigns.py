"""A review campaign by program, on a real platform with two people."""

import sqlite3
import time

import pytest

from picsellia_jupyter.domain.errors import ConflictError, PicselliaJupyterError
from picsellia_jupyter.session import Session
from tests.reviewing import Furnished


@pytest.fixture
def session(start_platform, tmp_path):
    platform = start_platform(tmp_path / "home")
    line = Furnished(platform.host, platform.token, "line")
    for number in range(5):
        line.predict(f"{number}.jpg")
    with sqlite3.connect(platform.home / "platform.sqlite3") as database:
        database.execute(
            "INSERT INTO user (id, username, token_hash, created_at) VALUES (?, 'ann', 'x', ?)",
            ["11111111-2222-4333-8444-555555555555", time.time()],
        )
    yield Session(platform.host, platform.token)
    start_platform.stop_all()


def test_a_campaign_is_shared_out_followed_and_closed(session: Session):
    line, me = session.deployment(), session.platform.username
    campaign = line.create_campaign("before the audit", until="2027-01-31")
    assert campaign.progress.waiting == 5

    campaign.assign(me, "ann")

    shares = campaign.progress.people
    assert sorted(one.open for one in shares.values()) == [2, 3]
    mine = campaign.reviews()
    assert len(mine) == shares[me].open
    mine[0].accept()
    assert campaign.progress.people[me].done == campaign.progress.done == 1
    assert len(session.reviews(line.name, policy="campaign")) == len(mine) - 1
    told = repr(campaign).splitlines()
    assert told[0] == ("The campaign of line is open until 2027-01-31: 1 of 5 images are reviewed.")
    assert f"  ann: 0 reviewed, {shares['ann'].open} to do" in told
    assert "before the audit" in campaign._repr_mimebundle_()["text/html"]

    assert session.campaign(line.name, "close").progress.is_closed
    with pytest.raises(ConflictError, match="The review campaign is closed"):
        campaign.reviews()
    assert not session.campaign(line.name, "reopen").progress.is_closed
    assert session.campaign(line.name, "assign", to=["ann"]).progress.people["ann"].open == 4


def test_what_cannot_be_is_refused_with_a_remedy(session: Session):
    line = session.deployment()

    def told(call, *args, **options):
        with pytest.raises(PicselliaJupyterError) as refused:
            call(*args, **options)
        return str(refused.value)

    assert told(lambda: line.campaign) == (
        "'line' has no review campaign. Begin one: d.create_campaign()"
    )
    assert told(session.reviews, policy="campaign").startswith("'line' has no review campaign.")
    assert told(line.create_campaign, until="soon") == (
        "'soon' is no date. Write it as 2027-01-31."
    )
    campaign = session.campaign(None, "create")
    assert "has a review campaign already" in told(line.create_campaign)
    assert "There is no user named 'anna'. Did you mean 'ann'" in told(campaign.assign, "anna")
    assert told(campaign.assign).startswith("Nobody is named. Name who reviews: c.assign(")
