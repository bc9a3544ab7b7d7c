import pytest

KERNEL = {
    "kernel_id": "k1", "address": "http://127.0.0.1:9999", "place": "local", "pid": 7,
    "model_version_id": "", "shadow_version_id": "",
}  # fmt: skip


def beat(world, deployment, state="ready", **changes):
    path = f"/api/local/deployments/{deployment['id']}/heartbeat"
    return world.user.post(path, json={"state": state, "reason": "", "kernel": KERNEL, **changes})


def seen(world, deployment):
    return world.user.get(f"/api/deployment/{deployment['id']}").json()


def test_a_deployment_that_nobody_serves_has_no_serving_host(world):
    deployment = world.deployment()
    assert deployment["serving"] is None
    assert deployment["serving_host"] is None
    assert deployment["oracle_host"] == "http://127.0.0.1:8123"


@pytest.mark.parametrize("state", ["ready", "degraded", "paused"])
def test_a_fresh_heartbeat_of_a_kernel_that_answers_sets_the_serving_host(world, state):
    deployment = world.deployment(min_threshold=0.4)
    reply = beat(world, deployment, state)
    assert reply.json() == {
        "min_threshold": 0.4,
        "interval_s": 2.0,
        "model_version_id": deployment["model_version_id"],
        "shadow_model_version_id": None,
        "paused": "",
    }
    now = seen(world, deployment)
    assert now["serving_host"] == KERNEL["address"]
    assert now["serving"]["state"] == state
    assert now["serving"]["kernel"] == KERNEL


@pytest.mark.parametrize("state", ["starting", "loading", "warming", "unhealthy", "stopped"])
def test_a_kernel_that_does_not_answer_yet_or_any_more_sets_no_serving_host(world, state):
    deployment = world.deployment()
    beat(world, deployment, state, reason="because")
    now = seen(world, deployment)
    assert now["serving_host"] is None
    assert (now["serving"]["state"], now["serving"]["reason"]) == (state, "because")


def test_a_kernel_that_falls_silent_counts_as_stopped_until_it_speaks_again(world):
    deployment = world.deployment()
    beat(world, deployment)
    world.clock.pass_by(10)
    assert seen(world, deployment)["serving_host"] == KERNEL["address"]
    world.clock.pass_by(0.5)
    silent = seen(world, deployment)
    assert silent["serving_host"] is None
    assert silent["serving"]["state"] == "stopped"
    assert "No heartbeat" in silent["serving"]["reason"]
    beat(world, deployment)
    assert seen(world, deployment)["serving_host"] == KERNEL["address"]


OTHER = {**KERNEL, "kernel_id": "k2", "address": "http://127.0.0.1:9998"}


def test_a_second_kernel_is_refused_and_changes_nothing_even_while_the_first_is_silent(world):
    deployment = world.deployment()
    beat(world, deployment)
    before = seen(world, deployment)["serving"]
    refused = beat(world, deployment, "stopped", kernel=OTHER)
    assert refused.status_code == 409
    assert "is served by another serving kernel" in refused.json()["message"]
    assert refused.json()["detail"]
    assert seen(world, deployment)["serving"] == before
    world.clock.pass_by(60)
    assert beat(world, deployment, kernel=OTHER).status_code == 409
    assert beat(world, deployment).status_code == 200


def test_a_kernel_that_claims_a_deployment_has_it_and_the_older_one_is_refused(world):
    deployment = world.deployment()
    beat(world, deployment, claim=True)
    assert beat(world, deployment, kernel=OTHER, claim=True).status_code == 200
    assert seen(world, deployment)["serving_host"] == OTHER["address"]
    assert beat(world, deployment).status_code == 409
    assert beat(world, deployment, "stopped").status_code == 409
    assert beat(world, deployment, kernel=OTHER).status_code == 200
    assert seen(world, deployment)["serving"]["kernel"] == OTHER


def test_a_kernel_that_said_it_stopped_leaves_its_deployment_to_any_other(world):
    deployment = world.deployment()
    beat(world, deployment)
    beat(world, deployment, "stopped")
    assert beat(world, deployment, kernel=OTHER).status_code == 200
    assert beat(world, deployment).status_code == 409


def test_a_deployment_found_by_name_says_as_much_as_the_list_and_its_own_address(world):
    deployment = world.deployment("lines", min_threshold=0.4)
    world.monitor(deployment)
    beat(world, deployment)
    base = f"/api/organization/{world.organization}/deployments"
    found = world.user.get(f"{base}/find", params={"name": "lines"}).json()
    assert found == seen(world, deployment) == world.user.get(base).json()["items"][0]
    assert (found["inferences"], found["serving"]["state"]) == (1, "ready")


def test_the_heartbeat_of_a_deleted_deployment_is_answered_with_404(world):
    deployment = world.deployment()
    world.user.delete(f"/api/deployment/{deployment['id']}?force_delete=True")
    assert beat(world, deployment).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"state": "READY!"},
        {"kernel": {**KERNEL, "address": "javascript:alert(1)"}},
        {"kernel": {**KERNEL, "address": "http://127.0.0.1:9/x"}},
        {"kernel": None},
    ],
)
def test_a_heartbeat_that_makes_no_sense_is_refused(world, wrong):
    assert beat(world, world.deployment(), **wrong).status_code == 422


@pytest.mark.parametrize("threshold", [-0.1, 1.01, 40])
def test_a_threshold_outside_zero_to_one_is_refused_everywhere(world, threshold):
    deployment = world.deployment()
    body = {"min_threshold": threshold}
    changed = world.user.patch(f"/api/deployment/{deployment['id']}", json=body)
    made = world.user.post(f"/api/model/version/{deployment['model_version_id']}/deploy", json=body)
    assert (changed.status_code, made.status_code) == (400, 400)
    assert seen(world, deployment)["min_threshold"] == 0.1


def test_a_classification_takes_no_threshold(world):
    deployment = world.deployment(kind="CLASSIFICATION")
    assert deployment["min_threshold"] is None
    reply = world.user.patch(f"/api/deployment/{deployment['id']}", json={"min_threshold": 0.5})
    assert reply.status_code == 400
    assert "takes no threshold" in reply.json()["message"]


def test_names_are_taken_once_and_invented_where_none_is_given(world):
    version = world.version()
    path = f"/api/model/version/{version['id']}/deploy"
    names = {world.user.post(path, json={}).json()["name"] for _ in range(20)}
    assert len(names) == 20
    assert all("-" in name for name in names)
    taken = world.user.post(path, json={"name": names.pop()})
    assert taken.status_code == 409


@pytest.mark.parametrize("name", ["", "../x", "a/b", "<b>", "x" * 101, " x", "a\nb", "a:1"])
def test_names_that_could_be_paths_or_markup_are_refused(world, name):
    version = world.version()
    path = f"/api/model/version/{version['id']}/deploy"
    assert world.user.post(path, json={"name": name}).status_code == 422
    models = f"/api/organization/{world.organization}/models"
    assert world.user.post(models, json={"name": name}).status_code == 422
    assert world.user.post("/api/local/datalakes", json={"name": name}).status_code == 422


def test_a_deployed_version_cannot_be_deleted_and_the_deployment_is_named(world):
    deployment = world.deployment("lines")
    path = f"/api/model/version/{deployment['model_version_id']}"
    reply = world.user.delete(path)
    assert reply.status_code == 409
    assert "'lines'" in reply.json()["message"]
    world.user.delete(f"/api/deployment/{deployment['id']}")
    assert world.user.delete(path).status_code == 204


def test_deleting_a_deployment_leaves_its_images_in_the_datalake(world):
    deployment = world.deployment()
    world.monitor(deployment)
    assert world.user.delete(f"/api/deployment/{deployment['id']}").status_code == 204
    lake = deployment["target_datalake_id"]
    items = world.user.get(f"/api/datalake/{lake}/datas").json()["items"]
    assert [item["filename"] for item in items] == ["page.png"]


def test_datalakes_can_be_made_once_and_used_as_a_target(world):
    lake = world.user.post("/api/local/datalakes", json={"name": "night shift"})
    assert lake.status_code == 201
    assert world.user.post("/api/local/datalakes", json={"name": "night shift"}).status_code == 409
    deployment = world.deployment(target_datalake_id=lake.json()["id"])
    world.monitor(deployment)
    items = world.user.get(f"/api/datalake/{lake.json()['id']}/datas").json()["items"]
    assert len(items) == 1
    listed = world.user.get(f"/api/organization/{world.organization}/datalakes").json()["items"]
    assert [item["name"] for item in listed] == ["default", "night shift"]


def test_a_training_context_is_kept_and_replaced(world):
    version = world.version()
    path = f"/api/model/version/{version['id']}/context"
    assert world.user.get(path).status_code == 404
    for count in (3, 5):
        body = {
            "datas": [{"name": "train", "repartition": {"zero": count}}],
            "parameters": {"e": 1},
        }
        assert world.user.put(f"/api/local{path[4:]}", json=body).status_code == 200
    context = world.user.get(path).json()
    assert [data["repartition"] for data in context["datas"]] == [{"zero": 5}]
    assert context["parameters"] == {"e": 1}


def test_status_counts_what_there_is(world):
    world.monitor(world.deployment())
    status = world.user.get("/api/local/status").json()
    counts = {"models": 1, "deployments": 1, "predictions": 1, "datalakes": 1}
    assert status["counts"] == counts
    assert status["home"] == str(world.home)
