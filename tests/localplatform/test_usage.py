"""MPU: reserved before serving, charged by each heartbeat, refused or paused when spent."""

import threading

import pytest

from picsellia_jupyter.localplatform import metering

SECOND = 1_000_000_000
RATE = 3600.0
"""MPU an hour: one a second, so that sums can be read."""


@pytest.fixture
def ticking(world):
    """A world whose monotonic clock a test turns: `ticking.time.pass_by(2)`."""

    class Monotonic:
        now = 50 * SECOND

        def __call__(self):
            return self.now

        def pass_by(self, seconds):
            self.now += round(seconds * SECOND)

    world.time = Monotonic()
    world.platform.monotonic_ns = world.time
    world.platform.began_ns = world.time.now
    return world


def plan(world, **change):
    reply = world.user.patch("/api/local/usage", json={"rate": RATE, **change})
    assert reply.status_code == 200, reply.text
    return reply.json()


def usage(world):
    return world.user.get("/api/local/usage").json()


def beat(world, deployment, state="ready", *, kernel="k1", claim=False):
    body = {
        "state": state,
        "claim": claim,
        "kernel": {"kernel_id": kernel, "address": "http://127.0.0.1:9999", "place": "local"},
    }
    return world.user.post(f"/api/local/deployments/{deployment['id']}/heartbeat", json=body)


def served(world, deployment, seconds, **how):
    """Have it served for so long, with a heartbeat every second at most; the last reply."""
    reply = beat(world, deployment, **how)
    while seconds > 0:
        world.time.pass_by(min(seconds, 1))
        seconds -= 1
        reply = beat(world, deployment, **how)
    return reply.json()


def refused(world, name):
    version = world.version(f"model of {name}")
    reply = world.user.post(f"/api/model/version/{version['id']}/deploy", json={"name": name})
    assert reply.status_code == 402, reply.text
    return reply.json()


def test_without_a_quota_nothing_is_limited_and_everything_is_metered(ticking):
    deployment = ticking.deployment()
    ticking.user.patch("/api/local/usage", json={"rate": RATE})
    served(ticking, deployment, 3)
    told = usage(ticking)
    assert (told["metered"], told["unit"], told["quota"]) == (True, "MPU", None)
    assert (told["used"], told["rate"], told["rate_is_estimate"]) == (3.0, RATE, True)
    (entry,) = told["entries"]
    assert (entry["deployment_id"], entry["name"]) == (deployment["id"], "lines")
    assert (entry["mpu"], entry["served_s"], entry["day"]) == (3.0, 3.0, "2023-11-14")


def test_a_fresh_platform_has_used_nothing_and_reckons_one_mpu_an_hour(world):
    told = usage(world)
    assert (told["used"], told["rate"], told["entries"], told["serving"]) == (0.0, 1.0, [], 0)


def test_serving_is_refused_with_402_where_the_quota_is_nothing(ticking):
    plan(ticking, quota=0)
    said = refused(ticking, "late")
    assert said["message"] == "No MPU is left for Picsellia Serving: 0 of 0 MPU are used"
    assert "picsellia-jupyter usage set --quota" in said["detail"]
    assert ticking.user.get("/api/local/status").json()["counts"]["deployments"] == 0


def test_monitoring_only_costs_none_and_is_never_refused(ticking):
    plan(ticking, quota=0)
    deployment = ticking.deployment(disable_serving=True)
    assert served(ticking, deployment, 5, kernel="own")["paused"] == ""
    assert usage(ticking)["used"] == 0.0


def test_what_is_spent_pauses_and_a_raised_quota_resumes(ticking):
    plan(ticking, quota=5)
    deployment = ticking.deployment()
    assert served(ticking, deployment, 4)["paused"] == ""
    assert served(ticking, deployment, 1)["paused"] == (
        "No MPU is left for Picsellia Serving: 5 of 5 MPU are used."
    )
    assert served(ticking, deployment, 4, state="paused")["paused"]
    assert usage(ticking)["used"] == 5.0

    plan(ticking, quota=9)
    assert beat(ticking, deployment, "paused").json()["paused"] == ""
    ticking.time.pass_by(1)  # it goes on once it is told so, and is charged from then on
    assert served(ticking, deployment, 2)["paused"] == ""
    assert usage(ticking)["used"] == 8.0


def test_no_more_is_charged_than_is_left_though_more_was_served(ticking):
    plan(ticking, quota=1)
    deployment = ticking.deployment()
    beat(ticking, deployment)
    ticking.time.pass_by(3)
    assert beat(ticking, deployment).json()["paused"]
    assert usage(ticking)["used"] == 1.0


def test_a_kernel_that_begins_is_refused_where_nothing_is_left(ticking):
    deployment = ticking.deployment()
    plan(ticking, quota=0)
    reply = beat(ticking, deployment, claim=True)
    assert reply.status_code == 402
    assert reply.json()["message"].startswith("No MPU is left for Picsellia Serving")
    known = ticking.user.get(f"/api/deployment/{deployment['id']}").json()
    assert known["serving"] is None


def test_what_is_reserved_for_another_deployment_is_not_given_away(ticking):
    plan(ticking, quota=8)
    ticking.deployment("first")
    assert usage(ticking)["reserved"] == 8.0
    said = refused(ticking, "second")
    assert said["message"] == (
        "No MPU is left for Picsellia Serving: 0 of 8 MPU are used, "
        "8 reserved for what is being served"
    )


def test_what_nobody_serves_gives_its_reservation_back_after_a_minute(ticking):
    plan(ticking, quota=8)
    ticking.deployment("first")
    ticking.time.pass_by(61)
    ticking.deployment("second")
    assert usage(ticking)["reserved"] == 8.0


def test_two_clients_that_race_for_the_last_unit_get_it_once(ticking):
    plan(ticking, quota=1)
    versions = [ticking.version(f"m{n}") for n in range(4)]
    start, statuses = threading.Barrier(len(versions)), []

    def deploy(version):
        caller = ticking.caller(ticking.token)
        start.wait()
        path = f"/api/model/version/{version['id']}/deploy"
        statuses.append(caller.post(path, json={"name": version["id"]}).status_code)

    threads = [threading.Thread(target=deploy, args=[version]) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, 402, 402, 402]


def test_a_heartbeat_that_comes_twice_is_charged_once(ticking):
    plan(ticking)
    deployment = ticking.deployment()
    served(ticking, deployment, 2)
    beat(ticking, deployment)
    beat(ticking, deployment)
    assert usage(ticking)["used"] == 2.0


@pytest.mark.parametrize("jump", [86_400, -86_400])
def test_a_jump_of_the_wall_clock_is_not_charged(ticking, jump):
    plan(ticking)
    deployment = ticking.deployment()
    served(ticking, deployment, 2)
    ticking.clock.pass_by(jump)
    served(ticking, deployment, 2)
    told = usage(ticking)
    assert told["used"] == 4.0
    assert sorted(entry["mpu"] for entry in told["entries"]) == [2.0, 2.0]


def test_silence_is_not_charged_and_neither_is_what_another_run_saw(ticking):
    plan(ticking)
    deployment = ticking.deployment()
    served(ticking, deployment, 2)
    ticking.time.pass_by(metering.AHEAD_NS / SECOND + 0.1)
    beat(ticking, deployment)
    ticking.time.pass_by(1)
    ticking.platform.run = "another"
    beat(ticking, deployment)
    assert usage(ticking)["used"] == 2.0


def test_the_time_between_two_kernels_is_not_charged(ticking):
    plan(ticking)
    deployment = ticking.deployment()
    served(ticking, deployment, 2)
    ticking.time.pass_by(3)
    beat(ticking, deployment, kernel="k2", claim=True)
    assert usage(ticking)["used"] == 2.0


def test_a_stop_settles_and_gives_back_what_was_reserved(ticking):
    plan(ticking, quota=20)
    deployment = ticking.deployment()
    served(ticking, deployment, 2)
    ticking.time.pass_by(1)
    beat(ticking, deployment, "stopped")
    told = usage(ticking)
    assert (told["used"], told["reserved"], told["serving"]) == (3.0, 0.0, 0)


def test_what_a_deleted_deployment_used_stays_used(ticking):
    plan(ticking, quota=20)
    deployment = ticking.deployment()
    served(ticking, deployment, 2)
    assert usage(ticking)["serving"] == 1
    ticking.user.delete(f"/api/deployment/{deployment['id']}")
    told = usage(ticking)
    assert (told["used"], told["reserved"], told["serving"]) == (2.0, 0.0, 0)
    assert [entry["name"] for entry in told["entries"]] == ["lines"]


def test_a_quota_below_what_is_used_pauses_and_takes_nothing_back(ticking):
    plan(ticking)
    deployment = ticking.deployment()
    served(ticking, deployment, 4)
    plan(ticking, quota=1)
    assert served(ticking, deployment, 1)["paused"]
    assert usage(ticking)["used"] == 4.0


def test_a_slow_rate_is_charged_to_the_last_part(ticking):
    ticking.user.patch("/api/local/usage", json={"rate": 0.001})
    deployment = ticking.deployment()
    served(ticking, deployment, 36)
    assert usage(ticking)["used"] == pytest.approx(0.00001, abs=1e-9)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"quota": -1}, "quota: Input should be greater than or equal to 0; got -1"),
        ({"rate": 1e-9}, "A rate is 0, or 0.001 to 1,000,000 MPU an hour; got 1e-09"),
        ({"rate": 1e9}, "rate: Input should be less than or equal to 1000000; got 1000000000.0"),
    ],
)
def test_what_is_no_quota_or_rate_is_refused(world, change, said):
    reply = world.user.patch("/api/local/usage", json=change)
    assert reply.status_code in (400, 422)
    assert reply.json()["message"] == said


def test_what_is_left_out_of_a_change_stays(world):
    world.user.patch("/api/local/usage", json={"quota": 5, "rate": 2})
    assert world.user.patch("/api/local/usage", json={"rate": 3}).json()["quota"] == 5.0
    assert world.user.patch("/api/local/usage", json={"quota": None}).json()["rate"] == 3.0
    assert usage(world)["quota"] is None
