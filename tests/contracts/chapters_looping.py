"""Chapters on the loop of a deployment and its review campaign."""

from __future__ import annotations

import json
import urllib.request
from datetime import date

from contract_book import Book, World
from picsellia.types.enums import JobRunStatus


def loops(book: Book, world: World) -> None:
    call, deployment, version = book.call, world.deployment, world.dataset_version
    book.refused(deployment.toggle_feedback_loop, True, says="not set up")
    call(deployment.setup_feedback_loop, gives=lambda _: is_active(world, "feedback_loop"))
    call(
        deployment.attach_dataset_version_to_feedback_loop,
        version,
        gives=lambda _: deployment.list_feedback_loop_datasets() == [version],
    )
    call(deployment.list_feedback_loop_datasets, gives=lambda found: found == [version])
    call(
        deployment.toggle_feedback_loop,
        False,
        gives=lambda _: not is_active(world, "feedback_loop"),
    )
    call(deployment.toggle_feedback_loop, True, gives=lambda _: is_active(world, "feedback_loop"))
    call(deployment.check_training_data_metrics_status, gives=lambda status: status == "PENDING")
    call(
        deployment.set_training_data,
        version,
        gives=lambda _: deployment.check_training_data_metrics_status() == "SUCCESS",
    )
    call(
        deployment.disable_training_data_reference,
        gives=lambda _: deployment.check_training_data_metrics_status() == "PENDING",
    )
    call(
        deployment.setup_continuous_training,
        world.project,
        trigger="FEEDBACK_LOOP",
        threshold=5,
        experiment_parameters={"lr": 0.1},
        gives=lambda _: plan(world)["threshold"] == 5,
    )
    call(
        deployment.attach_dataset_version_to_continuous_training,
        "train",
        version,
        gives=lambda _: list(plan(world)["datasets"]) == ["train"],
    )
    call(
        deployment.toggle_continuous_training,
        False,
        gives=lambda _: not plan(world)["is_active"],
    )
    call(
        deployment.detach_dataset_version_from_continuous_training,
        version,
        gives=lambda _: plan(world)["datasets"] == {},
    )
    call(
        deployment.setup_continuous_deployment,
        "DEPLOY_MANUAL",
        gives=lambda _: loop_of(world)["continuous_deployment"]["policy"] == "DEPLOY_MANUAL",
    )
    call(
        deployment.toggle_continuous_deployment,
        True,
        gives=lambda _: is_active(world, "continuous_deployment"),
    )


def campaigns(book: Book, world: World) -> None:
    client, call, deployment = world.client, book.call, world.deployment
    book.refused(deployment.get_campaign, says="no review campaign", kind="NoDataError")
    how = world.text("how.md", "look closely")
    campaign = call(
        deployment.create_campaign,
        "look",
        how,
        end_date=date(2027, 1, 31),
        gives=lambda made: made.deployment_id == deployment.id,
    )
    call(deployment.get_campaign, gives=lambda found: found == campaign)
    book.refused(campaign.sync_assets, says="the campaign has no step", kind="ValueError")
    step = call(
        campaign.add_step,
        "first look",
        "REVIEW",
        assignees=[(world.user, 1.0)],
        gives=lambda made: made.order == 0,
    )
    check = call(campaign.add_step, "second look", "QUALITY_CONTROL", gives=lambda made: made.order)
    call(campaign.list_steps, gives=lambda steps: steps == [step, check])
    call(
        step.update, name="a look", sample_rate=1.0, gives=lambda _: step.sync()["name"] == "a look"
    )
    job = call(campaign.sync_assets, gives=lambda job: job.sync()["report"] == {"assignments": 2})
    call(client.get_job_by_id, job.id, gives=lambda found: found == job)
    todo = call(campaign.list_assignments, status="TO_DO", gives=lambda found: len(found) == 2)
    one = todo[0]
    call(one.sync, gives=lambda raw: raw["step_id"] == str(step.id))
    call(one.download, str(world.folder / "todo"), gives=lambda _: True)
    call(campaign.list_assignments, user=world.user, gives=lambda found: len(found) == 2)
    call(campaign.reassign, [one], gives=lambda _: one.sync()["assigned_user_id"] is None)
    call(campaign.list_assignments, user="unassigned", gives=lambda found: found == [one])
    call(step.redistribute_assignments, gives=lambda _: one.sync()["assigned_user_id"] is not None)
    call(campaign.get_campaign_issue_counts, gives=lambda counts: counts == [])
    world.keep(campaign=campaign, step=step, check=check, todo=one, job=job)


def reviewing(book: Book, world: World) -> None:
    client, call, deployment, campaign = world.client, book.call, world.deployment, world.campaign
    one, check, job = world.todo, world.check, world.job
    asset = deployment.find_predicted_asset(id=one.asset_id)
    call(asset.add_review, rectangles=[], gives=lambda _: one.sync()["step_id"] == str(check.id))
    call(
        asset.add_review,
        rectangles=[(1, 1, 2, 2, world.label)],
        gives=lambda _: one.sync()["status"] == "DONE",
    )
    call(
        deployment.list_predicted_assets,
        assignment_status="DONE",
        gives=lambda found: found == [asset],
    )
    call(check.delete, world.step.id, gives=lambda _: campaign.list_steps() == [world.step])
    call(
        campaign.update,
        description="done",
        auto_add_new_assets=True,
        gives=lambda _: campaign.sync()["description"] == "done",
    )
    call(campaign.close, gives=lambda _: campaign.sync()["is_closed"])
    call(client.list_review_campaigns, is_closed=True, gives=lambda found: found == [campaign])
    call(campaign.reopen, gives=lambda _: not campaign.sync()["is_closed"])
    call(
        job.update_job_run_with_status,
        JobRunStatus.SUCCEEDED,
        gives=lambda _: job.status.name[0] == "S",
    )
    call(job.send_logging, "line", "part", gives=lambda _: True)
    call(
        job.store_logging_file, world.text("job.txt", "done"), gives=lambda name: "logging" in name
    )
    call(campaign.delete, gives=lambda _: client.list_review_campaigns() == [])


def submitting(book: Book, world: World) -> None:
    """Our own routes, for which the SDK has no method; what they did is read with the SDK."""
    call, deployment = book.call, world.deployment
    deployment.setup_continuous_training(
        world.project, trigger="FEEDBACK_LOOP", threshold=2, experiment_parameters={"lr": 0.1}
    )
    reviewed = [one for one in deployment.list_predicted_assets() if one.get_review()]
    rest = [str(one.id) for one in reviewed if one != world.predicted]
    call(
        deployment.toggle_feedback_loop,
        False,
        gives=lambda _: submitted(world, *rest) == {"submitted": 1, "annotated": 0},
    )
    call(
        deployment.toggle_feedback_loop,
        True,
        gives=lambda _: submitted(world) == {"submitted": 1, "annotated": 1},
    )
    book.refused(world.predicted.add_review, rectangles=[], says="is submitted")
    training(world)
    call(
        world.dataset_version.find_asset,
        filename="door.png",
        gives=lambda asset: asset.get_annotation().status.name == "ACCEPTED",
    )
    call(
        world.dataset_version.list_labels,
        gives=lambda labels: "face" in [one.name for one in labels],
    )
    call(
        deployment.detach_dataset_version_from_feedback_loop,
        world.dataset_version,
        gives=lambda _: deployment.list_feedback_loop_datasets() == [],
    )
    ours(world, "POST", f"deployments/{deployment.id}/shadow/promote", {})
    call(deployment.get_model_version, gives=lambda found: found == world.shadow)


def trained(book: Book, world: World) -> None:
    """What the SDK says of continuous training and deployment decides what a run leads to."""
    call, deployment = book.call, world.deployment
    call(
        deployment.attach_dataset_version_to_continuous_training,
        "train",
        world.dataset_version,
        gives=lambda _: True,
    )
    call(deployment.toggle_continuous_training, True, gives=lambda _: True)
    for run in ours(world, "GET", f"deployments/{deployment.id}/training/runs")["items"]:
        ours(world, "POST", f"training/runs/{run['id']}/cancel")
    champion = deployment.get_model_version()
    call(deployment.setup_continuous_deployment, "DEPLOY_SHADOW", gives=lambda _: True)
    first = _exported(world)
    call(deployment.get_shadow_model, gives=lambda found: str(found.id) == first)
    call(deployment.get_model_version, gives=lambda found: found == champion)
    call(deployment.toggle_continuous_deployment, False, gives=lambda _: True)
    second = _exported(world)
    call(deployment.get_shadow_model, gives=lambda found: str(found.id) == first)
    assert _newest(world) == ("offer", second)
    call(deployment.setup_continuous_deployment, "DEPLOY_MANUAL", gives=lambda _: True)
    third = _exported(world)
    assert _newest(world) == ("offer", third)
    call(deployment.setup_continuous_deployment, "DEPLOY_CHAMPION", gives=lambda _: True)
    last = _exported(world)
    call(deployment.get_model_version, gives=lambda found: str(found.id) == last)
    call(deployment.set_model, champion, gives=lambda _: deployment.get_model_version() == champion)
    assert _newest(world) == ("champion", str(champion.id))


def submitted(world: World, *assets: str):
    """Submit the reviews of these, or of all."""
    body = {"predicted_asset_ids": list(assets)} if assets else {}
    return ours(world, "POST", f"deployments/{world.deployment.id}/reviews/submit", body)


def _exported(world: World) -> str:
    """The version that a training run has made, once the run is over."""
    runs, runner = f"deployments/{world.deployment.id}/training/runs", {"runner": "a-runner-of-it"}
    run = f"training/runs/{ours(world, 'POST', runs, {})['id']}"
    ours(world, "POST", f"{run}/claim", runner)
    version = ours(world, "POST", f"{run}/export", runner)["version_id"]
    ours(world, "POST", f"{run}/end", {**runner, "state": "SUCCESS"})
    return version


def _newest(world: World) -> tuple[str, str]:
    newest = ours(world, "GET", f"deployments/{world.deployment.id}/rollouts")["items"][0]
    return newest["role"], newest["version_id"]


def training(world: World) -> None:
    """What the two submitted reviews have set off, by the settings of the SDK."""
    deployment, path = world.deployment, f"deployments/{world.deployment.id}/training"
    [run] = ours(world, "GET", f"{path}/runs")["items"]
    assert run["said"] == "2 reviews were submitted since the last run; 2 set it off.", run
    deployment.attach_dataset_version_to_continuous_training("test", world.dataset_version)
    plan = ours(world, "GET", path)
    assert plan["datasets"] == {"test": f"{world.dataset.name}/{world.dataset_version.version}"}
    assert (plan["threshold"], plan["untrained"], plan["is_active"]) == (2, 0, True), plan
    ours(world, "DELETE", f"{path}/datasets/test")
    deployment.toggle_continuous_training(False)
    plan = ours(world, "GET", path)
    assert (plan["datasets"], plan["is_active"]) == ({}, False), plan


def loop_of(world: World):
    """What is set up, as our own route tells it: the SDK cannot read it."""
    return ours(world, "GET", f"deployments/{world.deployment.id}/loop")


def is_active(world: World, part: str) -> bool:
    return loop_of(world)[part]["active"]


def plan(world: World):
    """What is set up of training, and how far it is."""
    return ours(world, "GET", f"deployments/{world.deployment.id}/training")


def ours(world: World, method: str, path: str, body=None):
    """Call a route of the local platform's own."""
    request = urllib.request.Request(
        f"{world.host}/api/local/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {world.token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.loads(reply.read() or b"null")


CHAPTERS = (loops, campaigns, reviewing, submitting, trained)
