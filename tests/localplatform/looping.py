"""A deployment with continuous training, and reviews of it."""

RUNNER = "a-runner-of-tests"


def of(deployment, rest):
    return f"/api/local/deployments/{deployment['id']}/{rest}"


def continuous(world, *, deployment=None, trigger="FEEDBACK_LOOP", threshold=1000):
    """A deployment whose continuous training is set up as the SDK does it."""
    deployment = deployment or world.deployment()
    project = world.user.post(
        f"/api/organization/{world.organization}/projects",
        json={"name": f"training of {deployment['name']}"},
    ).json()
    body = {
        "project_id": project["id"],
        "training_type": "EXPERIMENT",
        "experiment_parameters": {"epochs": 2},
    }
    if trigger is not None and threshold is not None:
        body |= {"trigger": trigger, "threshold": threshold}
    made = world.user.post(f"/api/deployment/{deployment['id']}/pipeline/ct", json=body)
    assert made.status_code < 300, made.text
    return deployment


def review(world, deployment, name):
    """A predicted asset with one review; its id."""
    world.monitor(deployment, filename=name, sample=True)
    asset = world.user.get(
        f"/api/deployment/{deployment['id']}/predictedassets/find", params={"filename": name}
    ).json()
    made = world.user.post(f"/api/predicted/asset/{asset['id']}/reviews", json={"rectangles": []})
    assert made.status_code == 201, made.text
    return asset["id"]


def submit(world, deployment):
    return world.user.post(of(deployment, "reviews/submit"), json={})


def runs(world, deployment):
    """Its training runs, newest first."""
    reply = world.user.get(of(deployment, "training/runs"))
    assert reply.status_code == 200, reply.text
    return reply.json()["items"]


def dataset_version(world, name):
    dataset = world.user.post(
        f"/api/organization/{world.organization}/datasets", json={"name": name}
    ).json()
    return world.user.post(f"/api/dataset/{dataset['id']}/versions", json={"version": "v1"}).json()


def attached(world, deployment, name, version):
    """Have training use a dataset version."""
    body = {"dataset_version_id": version["id"], "name": name}
    made = world.user.post(f"/api/deployment/{deployment['id']}/ct/datasets", json=body)
    assert made.status_code == 201, made.text
