"""Another champion takes over while requests come, with real workers."""

import threading

import httpx
import pytest

from picsellia_jupyter.domain.errors import PlatformUnreachableError
from picsellia_jupyter.serving import succession
from tests.serving import fakes

NEW = "66666666-6666-4666-8666-666666666666"
NEWER = "77777777-7777-4777-8777-777777777777"
LOST = "88888888-8888-4888-8888-888888888888"


def told(kernel):
    return kernel.status()["champion"]


def becomes(kernel, version):
    kernel.platform.champion = version
    fakes.wait_for(lambda: told(kernel)["model_version_id"] == version, within_s=60)


class Asking:
    """Clients that predict without a pause until told to stop."""

    def __init__(self, kernel, clients=3, **fields):
        self.kernel, self.fields = kernel, fields
        self.replies = []
        self._stop = threading.Event()
        kernel.predict(**fields)  # logs in once
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self):
        url = f"{self.kernel.program.address}/api/deployments/{fakes.DEPLOYMENT}/predict"
        fields = {"monitor": "True", "postprocess": "True", **self.fields}
        with httpx.Client(headers={"Authorization": f"Bearer {self.kernel.jwt}"}) as client:
            while not self._stop.is_set():
                media = {"media": ("page.jpg", fakes.picture())}
                said = client.post(url, data=fields, files=media, timeout=30)
                self.replies.append((said.status_code, said.json().get("model_version_id")))

    def seen(self, version, times=20):
        fakes.wait_for(
            lambda: sum(one[1] == version for one in list(self.replies)) >= times, within_s=60
        )


def test_a_new_champion_and_the_way_back_fail_no_request(own):
    with Asking(own) as asking:
        asking.seen(fakes.VERSION)
        own.platform.champion = NEW
        asking.seen(NEW)
        first = own.service.succession._leaving[0].preparation.pool.worker_pid
        own.platform.champion = fakes.VERSION
        asking.seen(fakes.VERSION, times=asking.replies.count((200, fakes.VERSION)) + 20)
        # The way back took the workers that were kept.
        assert own.service.worker_pid == first
    assert {status for status, _ in asking.replies} == {200}
    versions = [version for _, version in asking.replies]
    own.service.flush(20)
    recorded = [predicted.model_version_id for _, _, predicted, _ in own.platform.recorded]
    assert sorted(recorded) == sorted([fakes.VERSION, *versions])
    print(f"{len(versions)} predictions, two changes of the champion, 0 failed")


def test_a_heartbeat_says_who_predicts(own):
    becomes(own, NEW)
    fakes.wait_for(lambda: own.platform.beats[-1].kernel.model_version_id == NEW)
    assert own.platform.beats[0].kernel.model_version_id == fakes.VERSION
    assert own.status()["state"] == "ready"


def test_a_champion_that_cannot_be_loaded_leaves_the_old_one_and_says_why(own):
    own.platform.broken.add(LOST)
    own.platform.champion = LOST
    beat = fakes.wait_for(lambda: own.platform.beats[-1].failed and own.platform.beats[-1])
    assert beat.failed.version_id == LOST
    assert "There is no model version" in beat.failed.why
    assert beat.kernel.model_version_id == fakes.VERSION
    assert own.predict().json()["model_version_id"] == fakes.VERSION
    now = own.status()
    assert now["state"] == "ready"
    assert now["detail"].startswith("A new champion could not be loaded, tiny:0 goes on: There is")
    own.platform.champion = fakes.VERSION
    fakes.wait_for(lambda: own.platform.beats[-1].failed is None)
    becomes(own, NEW)
    fakes.wait_for(lambda: own.status()["detail"] == "")


def test_a_champion_whose_dry_run_fails_does_not_take_over(own, monkeypatch):
    def refuse(_pool, _model):
        raise succession.NotServingError("It predicts nothing.", "Mend it.")

    monkeypatch.setattr("picsellia_jupyter.serving.trial.run", refuse)
    own.platform.champion = NEW
    beat = fakes.wait_for(lambda: own.platform.beats[-1].failed and own.platform.beats[-1])
    assert beat.failed.why == "It predicts nothing. Mend it."
    assert own.predict().json()["model_version_id"] == fakes.VERSION
    fakes.wait_for(lambda: len(own.service.worker_pids) >= 1)


def test_a_platform_that_is_away_while_it_loads_is_asked_again(own, monkeypatch):
    monkeypatch.setattr(succession, "_RETRY_S", 0.01)
    asked, ask = [], own.platform.model_version

    def model_version(version_id):
        asked.append(version_id)
        if len(asked) < 3:
            raise PlatformUnreachableError("Nobody answers.")
        return ask(version_id)

    monkeypatch.setattr(own.platform, "model_version", model_version)
    becomes(own, NEW)
    assert asked == [NEW] * 3


def test_the_last_one_wanted_wins_and_no_worker_is_left(own, monkeypatch):
    begun, go_on, ask = threading.Event(), threading.Event(), own.platform.model_version

    def model_version(version_id):
        begun.set()
        assert go_on.wait(20)
        return ask(version_id)

    monkeypatch.setattr(own.platform, "model_version", model_version)
    own.platform.champion = NEW
    assert begun.wait(20)
    own.platform.champion = NEWER
    fakes.wait_for(lambda: told(own)["wanted"] == NEWER)
    go_on.set()
    fakes.wait_for(lambda: told(own)["model_version_id"] == NEWER, within_s=60)
    assert told(own)["warm"] == ["tiny:0"]
    pids = [pid for one in own.service.succession._leaving for pid in _pids(one)]
    own.service.stop()
    fakes.wait_for(lambda: all(map(fakes.is_gone, pids)))


def test_what_was_champion_is_kept_a_while_and_then_ends(own, monkeypatch):
    monkeypatch.setattr(succession, "WARM_S", 0.2)
    pids = own.service.worker_pids
    becomes(own, NEW)
    fakes.wait_for(lambda: all(map(fakes.is_gone, pids)))
    assert told(own)["warm"] == []
    assert own.predict().json()["model_version_id"] == NEW


def test_a_stop_ends_a_champion_that_still_loads(own, monkeypatch):
    begun, go_on, ask = threading.Event(), threading.Event(), own.platform.model_version

    def model_version(version_id):
        begun.set()
        assert go_on.wait(20)
        return ask(version_id)

    monkeypatch.setattr(own.platform, "model_version", model_version)
    own.platform.champion = NEW
    assert begun.wait(20)
    own.service.stop()
    go_on.set()
    thread = own.service.succession._thread
    thread.join(20)
    assert not thread.is_alive()
    assert own.service.version.id == fakes.VERSION
    assert own.service.worker_pids == ()


@pytest.fixture
def shadow_beside(own):
    own.platform.shadow = NEW
    fakes.wait_for(lambda: own.status()["shadow"]["state"] == "ready", within_s=30)
    return own


def test_what_a_shadow_predicts_is_named_by_its_version(shadow_beside):
    shadow_beside.predict()
    fakes.wait_for(lambda: shadow_beside.platform.shadowed)
    [(_, _, predicted)] = shadow_beside.platform.shadowed
    assert predicted.model_version_id == NEW


def _pids(leaving):
    return leaving.preparation.pool.worker_pids
