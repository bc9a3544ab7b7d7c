"""Databases of earlier versions, of this one, and of later ones."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.localplatform import store, upgrading
from picsellia_jupyter.localplatform.revising import COMPARE
from picsellia_jupyter.localplatform.tables.base import Base

INTERRUPTED = Path(__file__).with_name("interrupted_upgrades.py")


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(tmp_path, request):
    url = f"sqlite:///{tmp_path / 'x.sqlite3'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql").database()
    made = store.engine_for(url, writes=True)
    yield made
    made.dispose()


def test_the_migrations_lead_to_what_the_tables_say(engine):
    upgrading.upgrade(engine, to=upgrading.revisions()[-1])
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=COMPARE)
        differences = compare_metadata(context, Base.metadata)
    assert differences == [], (
        "Write them down: python -m picsellia_jupyter.localplatform.revising --again "
        '"Everything else the SDK can ask of a deployment"'
    )


def test_the_steps_are_numbered_and_follow_each_other():
    names = upgrading.revisions()
    steps = [upgrading.step_to(name) for name in names]
    assert [step.revision for step in steps] == names
    assert [step.down_revision for step in steps] == [None, *names[:-1]]


def test_an_upgrade_killed_at_any_statement_leaves_one_form_or_the_other(tmp_path, long):
    done = subprocess.run(
        [sys.executable, str(INTERRUPTED), str(tmp_path), "1" if long else "23"],
        capture_output=True, text=True, timeout=3000 if long else 250, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    seen = json.loads(done.stdout)
    forms, outcomes = seen["forms"], seen["outcomes"]
    assert [form["form"] for form in forms] == upgrading.revisions()
    assert [form["user_version"] for form in forms] == list(range(1, len(forms) + 1))
    assert all(form["rows"] == forms[0]["rows"] for form in forms)
    assert len(outcomes) > (100 if long else 8)
    assert outcomes[-1]["after"] == forms[-1]
    assert forms[0] in [outcome["after"] for outcome in outcomes]
    for outcome in outcomes:
        assert outcome["after"] in forms
        assert outcome["again"] == forms[-1]
    print(f"{len(outcomes)} upgrades, all but one killed: each left one of {len(forms)} forms")


def test_a_database_of_before_the_migrations_is_upgraded(engine):
    upgrading.upgrade(engine, to="0001")
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE alembic_version"))
    upgrading.upgrade(engine)
    with engine.connect() as connection:
        assert upgrading.revision_of(connection) == upgrading.revisions()[-1]


def test_a_newer_database_is_refused_with_a_remedy(engine):
    upgrading.upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(InvalidInputError, match="format 9999") as refused:
        upgrading.upgrade(engine)
    assert "pip install -U" in refused.value.remedy
