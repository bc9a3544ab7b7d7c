from __future__ import annotations

from dataclasses import replace

import pytest

from picsellia_jupyter.domain.allowance import Allowance
from picsellia_jupyter.domain.deployments import (
    Check,
    DryRun,
    Progress,
    ServingState,
    Stage,
    Strategy,
)
from picsellia_jupyter.domain.devices import Compute
from picsellia_jupyter.domain.errors import (
    ConflictError,
    InvalidInputError,
    InvalidThresholdError,
    ModelLoadError,
    NotFoundError,
    QuotaSpentError,
)
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.domain.scale import Scale
from picsellia_jupyter.workflows.deploying import Deployed, DeployRequest, check, deploy
from tests.workflows.fakes import FakeLauncher, FakePlatform, FakeServing, version

DETECTOR = version("digits-detector", 0)


def plan_of(platform: FakePlatform, *, serves_itself: bool = False, **request: object):
    asked = DeployRequest("digits-detector", **request)  # type: ignore[arg-type]
    return check(asked, platform, platform, serves_itself=serves_itself)


def run(platform: FakePlatform, serving: FakeServing, **request: object) -> Deployed:
    return deploy(
        plan_of(platform, **request),
        platform,
        FakeLauncher(serving),
        listen=lambda _progress: None,
        clock=lambda: 0.0,
        began=0.0,
    )


def test_the_newest_version_and_the_default_datalake_are_taken():
    plan = plan_of(FakePlatform(DETECTOR, version("digits-detector", 1)))

    assert plan.model_version.title == "digits-detector:1"
    assert (plan.datalake.name, plan.threshold, plan.place) == ("default", 0.1, "local")


def test_a_version_can_be_named_by_number_or_name():
    platform = FakePlatform(DETECTOR, version("digits-detector", 1))

    for asked in ("digits-detector:0", "digits-detector:v0"):
        plan = check(DeployRequest(asked), platform, platform, serves_itself=False)
        assert plan.model_version is DETECTOR


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (DeployRequest("digit-detector"), "Did you mean 'digits-detector'?"),
        (DeployRequest("digits-detector:7"), "no version of 'digits-detector' named '7'"),
        (DeployRequest("digits-detector", datalake="archiv"), "Did you mean 'archive'?"),
        (DeployRequest("digits-detector", model_file="model-lastest"), "'model-latest'"),
    ],
)
def test_what_is_misspelt_is_answered_with_the_nearest_name(request_: DeployRequest, said: str):
    platform = FakePlatform(DETECTOR)

    with pytest.raises(NotFoundError) as caught:
        check(request_, platform, platform, serves_itself=False)

    assert said in str(caught.value)


def test_an_empty_registry_says_how_to_fill_it():
    with pytest.raises(NotFoundError, match="picsellia-jupyter demo seed"):
        plan_of(FakePlatform())


def test_a_version_without_a_type_is_refused_before_anything_is_started():
    untyped = replace(DETECTOR, type=InferenceType.NOT_CONFIGURED)

    with pytest.raises(InvalidInputError) as caught:
        plan_of(FakePlatform(untyped))

    assert caught.value.fact == ("The model version digits-detector:0 is of type NOT_CONFIGURED.")
    assert "version.update(type=…), with one of CLASSIFICATION" in caught.value.remedy


def test_a_version_without_files_says_how_to_store_one():
    platform = FakePlatform(DETECTOR)
    platform.files = lambda _version: ()  # type: ignore[method-assign]

    with pytest.raises(NotFoundError) as caught:
        plan_of(platform)

    assert caught.value.fact == "digits-detector:0 has no file yet."
    assert caught.value.remedy == 'Store its model: version.store("model-latest", PATH)'


def test_a_threshold_for_a_classification_is_refused():
    platform = FakePlatform(version("digits-detector", 0, InferenceType.CLASSIFICATION))

    with pytest.raises(InvalidThresholdError, match="takes no threshold"):
        plan_of(platform, threshold=0.5)


def test_monitoring_only_starts_no_kernel_unless_a_place_is_named():
    platform = FakePlatform(DETECTOR)

    assert plan_of(platform, strategy="monitoring").place is None
    assert plan_of(platform, strategy="monitoring", place="local").place == "local"


def test_a_platform_that_hosts_the_model_itself_takes_no_place():
    platform = FakePlatform(DETECTOR)

    assert plan_of(platform, serves_itself=True).place is None
    with pytest.raises(InvalidInputError, match="hosts the model itself"):
        plan_of(platform, serves_itself=True, place="local")


def test_a_plan_says_what_to_run_on():
    platform = FakePlatform(DETECTOR)

    assert plan_of(platform).compute == Compute("auto", "auto")
    chosen = plan_of(platform, device="cuda:0", precision="fp16", workers=2).compute
    assert chosen == Compute("cuda:0", "fp16", 2)


def test_a_device_without_a_serving_kernel_is_refused():
    with pytest.raises(InvalidInputError, match="could take --device cpu"):
        plan_of(FakePlatform(DETECTOR), strategy="monitoring", device="cpu")


def test_an_unknown_place_is_refused():
    with pytest.raises(NotFoundError, match="no place named 'mars'") as caught:
        plan_of(FakePlatform(DETECTOR), place="mars")

    assert "%places add NAME URL" in caught.value.remedy


def test_replicas_are_for_ray_alone():
    plan = plan_of(FakePlatform(DETECTOR), place="ray", replicas="1..4")
    assert (plan.place, plan.scale) == ("ray", Scale(1, 4))

    with pytest.raises(InvalidInputError, match="--replicas 2 asks for Ray") as caught:
        plan_of(FakePlatform(DETECTOR), place="local", replicas="2")
    assert caught.value.remedy == "Add --on ray, or leave it out."


def test_the_idle_time_is_read():
    assert plan_of(FakePlatform(DETECTOR), idle="90m").idle_s == 5400.0
    assert plan_of(FakePlatform(DETECTOR), idle="never").idle_s is None
    assert plan_of(FakePlatform(DETECTOR)).idle_s == 12 * 3600.0


def test_stages_are_told_in_their_order():
    platform = FakePlatform(DETECTOR)
    told: list[Progress] = []

    deploy(
        plan_of(platform),
        platform,
        FakeLauncher(FakeServing()),
        listen=told.append,
        clock=iter(range(10, 100)).__next__,
        began=10.0,
    )

    stages = list(dict.fromkeys(progress.stage for progress in told))
    assert stages == [Stage.DOWNLOAD, Stage.LOAD, Stage.DRY_RUN, Stage.READY]
    assert [p.elapsed_s for p in told] == sorted(p.elapsed_s for p in told)


def test_what_the_dry_run_found_is_told_before_the_announcement():
    platform, serving = FakePlatform(DETECTOR), FakeServing()
    serving.dry_run = DryRun(0.01, 3, "onnxruntime", checks=(Check("Labels", "10"),))
    told: list[tuple[Progress, int]] = []

    deploy(
        plan_of(platform),
        platform,
        FakeLauncher(serving),
        listen=lambda progress: told.append((progress, len(platform.records))),
        clock=lambda: 0.0,
        began=0.0,
    )

    found = [(p.stage, p.checks, made) for p, made in told if p.checks]
    assert found == [(Stage.DRY_RUN, (Check("Labels", "10"),), 0)]


def test_a_stop_leaves_nothing_behind_where_no_kernel_is_started():
    platform = FakePlatform(DETECTOR)

    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        deploy(
            plan_of(platform, strategy="monitoring"),
            platform,
            FakeLauncher(FakeServing()),
            listen=stop,
            clock=lambda: 0.0,
            began=0.0,
        )

    assert platform.deployments() == []


def test_a_deployment_is_announced_after_its_dry_run_and_attached():
    platform, serving = FakePlatform(DETECTOR), FakeServing()

    deployed = run(platform, serving, name="line-1")

    assert serving.attached == deployed.record.id
    assert [record.name for record in platform.deployments()] == ["line-1"]


@pytest.mark.parametrize("stage", [Stage.DOWNLOAD, Stage.LOAD, Stage.DRY_RUN, Stage.READY])
@pytest.mark.parametrize("error", [ModelLoadError("It is broken."), KeyboardInterrupt()])
def test_whatever_goes_wrong_leaves_nothing_behind(stage: Stage, error: BaseException):
    platform, serving = FakePlatform(DETECTOR), FakeServing(fails_at=(stage, error))

    with pytest.raises(type(error)):
        run(platform, serving, name="line-1")

    assert not serving.running
    assert platform.deployments() == []


def test_the_same_name_for_the_same_version_is_served_again():
    platform = FakePlatform(DETECTOR)
    first = run(platform, FakeServing(), name="line-1")

    again = FakeServing()
    second = run(platform, again, name="line-1")

    assert second.record.id == first.record.id == again.attached
    assert len(platform.deployments()) == 1


def test_a_deployment_that_is_being_served_is_not_served_twice():
    platform = FakePlatform(DETECTOR)
    first = run(platform, FakeServing(), name="line-1").record
    platform.records[first.id] = replace(first, state=ServingState.READY)
    launcher = FakeLauncher(FakeServing())

    deploy(
        plan_of(platform, name="line-1"),
        platform,
        launcher,
        listen=lambda _progress: None,
        clock=lambda: 0.0,
        began=0.0,
    )

    assert launcher.plans == []


def test_a_deployment_that_is_being_served_is_not_moved_to_another_device():
    platform = FakePlatform(DETECTOR)
    first = run(platform, FakeServing(), name="line-1").record
    platform.records[first.id] = replace(first, state=ServingState.READY)

    with pytest.raises(ConflictError, match=r"than with --device cpu.*%undeploy line-1"):
        run(platform, FakeServing(), name="line-1", device="cpu")


def test_serving_again_keeps_the_threshold_unless_one_is_given():
    platform = FakePlatform(DETECTOR)
    first = run(platform, FakeServing(), name="line-1", threshold=0.4).record

    run(platform, FakeServing(), name="line-1")
    assert platform.records[first.id].threshold == 0.4

    run(platform, FakeServing(), name="line-1", threshold=0.6)
    assert platform.records[first.id].threshold == 0.6


def test_failing_to_serve_again_keeps_the_deployment_that_was_there():
    platform = FakePlatform(DETECTOR)
    run(platform, FakeServing(), name="line-1")
    broken = FakeServing(fails_at=(Stage.READY, ModelLoadError("It is broken.")))

    with pytest.raises(ModelLoadError):
        run(platform, broken, name="line-1")

    assert len(platform.deployments()) == 1


def test_a_name_that_stands_for_something_else_is_a_conflict():
    platform = FakePlatform(DETECTOR)
    run(platform, FakeServing(), name="line-1")

    with pytest.raises(ConflictError, match="%undeploy line-1 --delete"):
        run(platform, FakeServing(), name="line-1", strategy=Strategy.MONITORING.value)


def test_a_name_that_stands_for_another_version_says_how_to_serve_either():
    platform = FakePlatform(DETECTOR)
    run(platform, FakeServing(), name="line-1")
    newer = FakePlatform(DETECTOR, version("digits-detector", 1))
    newer.records = platform.records

    with pytest.raises(ConflictError) as caught:
        run(newer, FakeServing(), name="line-1")

    assert caught.value.remedy == (
        "Serve that one: %deploy digits-detector:0 --name line-1; "
        "digits-detector:1 takes its place with: %promote line-1 1"
    )


def test_serving_is_refused_before_anything_is_started_where_no_mpu_is_left():
    platform, serving = FakePlatform(DETECTOR), FakeServing()
    platform.allowed = Allowance(0.0, quota=5.0)

    with pytest.raises(QuotaSpentError, match="No MPU is left"):
        run(platform, serving, name="line-1")

    assert platform.deployments() == []
    run(platform, serving, name="line-2", strategy=Strategy.MONITORING.value)


def test_what_is_being_served_is_left_alone_where_no_mpu_is_left():
    platform = FakePlatform(DETECTOR)
    first = run(platform, FakeServing(), name="line-1").record
    platform.records[first.id] = replace(first, state=ServingState.PAUSED)
    platform.allowed = Allowance(0.0, quota=5.0)

    assert run(platform, FakeServing(), name="line-1").staged is None
