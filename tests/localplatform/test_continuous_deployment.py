"""What becomes of newly trained versions, by policy and gate, in the real database."""

import dataclasses
import functools

import pytest

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.evaluation import Comparison, Difference, Interval
from picsellia_jupyter.domain.promotion import Gate
from picsellia_jupyter.localplatform.continuous_deployment import trained
from picsellia_jupyter.localplatform.promoting import fitting
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.localplatform.tables.pipelines import Pipeline
from picsellia_jupyter.wire.promotion import gate_to_json

KIND = {"type": "OBJECT_DETECTION", "labels": {"0": "zero", "1": "one"}}


@pytest.fixture
def database():
    """The data directory's own: test_promoting.py has PostgreSQL run the same statements."""
    return


def compared(gain=0.06, low=0.03, images=300, level=0.95, champion="digits:0"):
    score = Difference(
        Interval(0.70, 0.66, 0.74),
        Interval(0.70 + gain, 0.7, 0.8),
        Interval(gain, low, 0.09, level),
    )
    return Comparison(champion, "digits:1", images, {"ap_50_95": score})


def another_version(world, deployment, kind=KIND):
    version = world.user.get(f"/api/model/version/{deployment['model_version_id']}").json()
    return world.user.post(f"/api/model/{version['origin']['id']}/versions", json=kind).json()["id"]


def of(deployment, rest):
    return f"/api/local/deployments/{deployment['id']}/{rest}"


def now_of(world, deployment):
    raw = world.user.get(f"/api/deployment/{deployment['id']}").json()
    return raw["model_version_id"], raw["shadow_model_version_id"]


def run(world, deployment, version, run_id="run-1", held_out=None):
    with world.platform.store.writing() as session:
        made = trained(
            session, deployment["id"], version, run_id, now=world.clock(), held_out=held_out
        )
        return made.role, made.said, made.id


def policy(world, deployment, name):
    path = f"/api/deployment/{deployment['id']}/pipeline/cd"
    assert world.user.post(path, json={"policy": name}).status_code == 200


def gate(world, deployment, **changes):
    wanted = gate_to_json(Gate("ap_50_95", by=0.02, at_least=100))
    with world.platform.store.writing() as session:
        row = session.query(Pipeline).filter_by(deployment_id=deployment["id"]).one()
        row.promotion_gate = {**wanted, **changes}


def test_each_policy_puts_a_new_version_where_it_says(world):
    for name, role in (
        ("DEPLOY_SHADOW", "shadow"), ("DEPLOY_CHAMPION", "champion"), ("DEPLOY_MANUAL", "offer")
    ):  # fmt: skip
        deployment = world.deployment(name.lower())
        new = another_version(world, deployment)
        policy(world, deployment, name)
        assert run(world, deployment, new)[0] == role
        old = deployment["model_version_id"]
        assert now_of(world, deployment) == {
            "shadow": (old, new), "champion": (new, None), "offer": (old, None)
        }[role]  # fmt: skip


def test_without_a_policy_or_while_paused_it_is_only_offered(world):
    deployment = world.deployment()
    new = another_version(world, deployment)
    assert run(world, deployment, new)[0] == "offer"
    policy(world, deployment, "DEPLOY_CHAMPION")
    world.user.put(f"/api/deployment/{deployment['id']}/pipeline/cd", json={"active": False})
    assert run(world, deployment, new, "run-2")[0] == "offer"
    assert now_of(world, deployment) == (deployment["model_version_id"], None)


def test_a_run_acts_once_whoever_calls_again(world):
    deployment = world.deployment()
    policy(world, deployment, "DEPLOY_CHAMPION")
    new, newer = another_version(world, deployment), another_version(world, deployment)
    first = run(world, deployment, new)
    assert run(world, deployment, new) == first
    run(world, deployment, newer, "run-2")
    assert run(world, deployment, new) == first
    assert now_of(world, deployment) == (newer, None)


def test_a_gate_lets_a_new_champion_pass_only_with_the_numbers(world):
    deployment = world.deployment()
    policy(world, deployment, "DEPLOY_CHAMPION")
    gate(world, deployment)
    old, new = deployment["model_version_id"], another_version(world, deployment)
    numbers = functools.partial(compared, champion="model of lines:0")
    for number, (held_out, told) in enumerate((
        (compared(champion="another:0"), "compared with the champion on 0 images"),
        (None, "compared with the champion on 0 images (held out), and the gate asks for 100."),
        (numbers(images=99), "on 99 images (held out), and the gate asks for 100."),
        (numbers(low=0.02), "(95 % confidence: +0.020 to +0.090), and the gate asks for"),
        (numbers(level=0.9), "told with 90 % confidence (held out), and the gate asks for 95 %."),
        (dataclasses.replace(numbers(), scores={}), "There is no ap_50_95 of"),
    )):  # fmt: skip
        role, said, _ = run(world, deployment, new, f"run-{number}", held_out)
        assert role == "shadow"
        assert told in said
        assert now_of(world, deployment) == (old, new)
    good = compared(champion="model of lines:0")
    role, said, _ = run(world, deployment, new, "run-9", good)
    assert (role, now_of(world, deployment)) == ("champion", (new, None))
    assert "a gain of +0.060" in said
    assert said.endswith("above the gate's 0.02.")


def test_a_version_of_another_type_is_refused(world):
    deployment = world.deployment()
    other = another_version(world, deployment, {"type": "CLASSIFICATION", "labels": {"0": "cat"}})
    with pytest.raises(InvalidInputError, match="predicts OBJECT_DETECTION, model of lines:"):
        run(world, deployment, other)


def test_a_version_that_fits_brings_its_labels(world):
    deployment = world.deployment()
    new = another_version(world, deployment, {**KIND, "labels": {"0": "zero", "1": "two"}})
    with world.platform.store.writing() as session:
        fitting(session, session.get_one(Deployment, deployment["id"]), new)
    labels = world.user.get(f"/api/deployment/{deployment['id']}/labels").json()["items"]
    assert [one["name"] for one in labels] == ["zero", "one", "two"]
