"""How many workers there are to be."""

import os
from pathlib import Path

import pytest

from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving import capacity
from picsellia_jupyter.serving.messages import LoadRequest
from picsellia_jupyter.serving.signature import LoadedModel

MIB = 2**20


def request(device="auto"):
    return LoadRequest(Path("m"), None, InferenceType.CLASSIFICATION, device=device)


def others(model, *, device="auto", wanted=None):
    return capacity.others(request(device), model, os.getpid(), wanted)


@pytest.mark.parametrize(
    ("cores", "room", "count"), [(1, 9, 1), (2, 9, 2), (64, 9, 4), (8, 0, 1), (8, 2, 3)]
)
def test_on_the_cpu_there_is_one_worker_a_core_as_far_as_memory_goes(
    cores, room, count, monkeypatch
):
    monkeypatch.setattr(capacity, "cores", lambda: cores)
    monkeypatch.setattr(capacity, "_room_for", lambda _: room)
    assert len(others(LoadedModel("m"))) == count - 1


def test_there_are_as_many_workers_as_were_asked_for():
    assert others(LoadedModel("m"), wanted=3) == [request(), request()]
    assert others(LoadedModel("m"), wanted=1) == []


def test_with_cuda_there_is_one_worker_a_device(monkeypatch):
    monkeypatch.setattr(capacity, "_gpus", lambda: ["a", "b", "c"])
    model = LoadedModel("m", device="cuda:0")
    assert [one.device for one in others(model)] == ["cuda:1", "cuda:2"]
    assert [one.device for one in others(model, wanted=2)] == ["cuda:1"]
    assert others(LoadedModel("m", device="cuda:1"), device="cuda:1") == []


def test_workers_that_are_asked_for_share_devices_in_turns(monkeypatch):
    monkeypatch.setattr(capacity, "_gpus", lambda: ["a", "b"])
    model = LoadedModel("m", device="cuda:1")
    on = [one.device for one in others(model, wanted=4)]
    assert on == ["cuda:0", "cuda:1", "cuda:0"]
    assert [one.device for one in others(model, device="cuda:1", wanted=3)] == ["cuda:1"] * 2
    monkeypatch.setattr(capacity, "_gpus", list)
    assert [one.device for one in others(model, device="cuda", wanted=2)] == ["cuda:1"]


def test_devices_are_those_that_a_worker_would_see(tmp_path, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert capacity._gpus(tmp_path) == []
    for name in ("0000:01:00.0", "0000:02:00.0"):
        (tmp_path / "proc/driver/nvidia/gpus" / name).mkdir(parents=True)
    assert len(capacity._gpus(tmp_path)) == 2
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert capacity._gpus(tmp_path) == ["1"]


def test_memory_is_what_the_container_leaves_of_the_machines(tmp_path):
    assert capacity._free_memory(tmp_path) is None
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/meminfo").write_text("MemTotal: 9 kB\nMemAvailable: 2048000 kB\n")
    assert capacity._free_memory(tmp_path) == 2048000 * 1024
    group = tmp_path / "sys/fs/cgroup"
    group.mkdir(parents=True)
    (group / "memory.current").write_text(f"{100 * MIB}\n")
    (group / "memory.max").write_text("max\n")
    assert capacity._free_memory(tmp_path) == 2048000 * 1024
    (group / "memory.max").write_text(f"{300 * MIB}\n")
    assert capacity._free_memory(tmp_path) == 200 * MIB


def test_a_process_has_memory_for_itself():
    assert capacity._resident(os.getpid()) > MIB
    assert capacity._resident(2**22 + 1) == 0
