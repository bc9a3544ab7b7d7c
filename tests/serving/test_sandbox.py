"""The confinement of model workers: every attempt is shown to succeed without it."""

import errno
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from picsellia_jupyter.domain.errors import ModelLoadError
from picsellia_jupyter.serving import confinement, forbidden, sandbox, syscalls
from picsellia_jupyter.serving.gate import recognise
from tests.serving import escapes, fakes

needs_linux = pytest.mark.skipif(
    confinement.support().kind != "full", reason=confinement.support().why
)
ROOT = Path(__file__).parents[2]
ALLOWED, DENIED = 0x7FFF0000, 0x00050000 | errno.EPERM


DEVICES = ("cpu", "cuda:0") if confinement.has_cards("cuda:0") else ("cpu",)


def attempts(folder: Path, kind: str, device: str = "cpu") -> dict[str, str]:
    outside, scratch = folder / "outside", folder / "scratch"
    outside.mkdir()
    scratch.mkdir()
    for name in ("kept", "removed", "secret"):
        (outside / name).write_text("canary")
    spies(outside)
    done = subprocess.run(
        [
            sys.executable, "-m", "tests.serving.escapes", outside / "secret", outside,
            f"--sandbox={kind}", f"--device={device}", f"--scratch={scratch}",
        ],
        env=sandbox.environment(scratch, {**os.environ, "PYTHONPATH": str(ROOT)}),
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return json.loads(done.stdout)


def spies(folder: Path) -> None:
    """TorchScript whose `forward` reads a secret, and one that writes a file."""
    import torch

    class Reads(torch.nn.Module):
        def __init__(self, path: str):
            super().__init__()
            self.path = path

        def forward(self, images):
            return torch.from_file(self.path, False, 6, dtype=torch.uint8)

    class Writes(Reads):
        def forward(self, images):
            return torch.from_file(self.path, True, 6, dtype=torch.uint8).fill_(65)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(Reads(str(folder / "secret"))).save(folder / "read.pt")
        torch.jit.script(Writes(str(folder / "written.bin"))).save(folder / "write.pt")


@needs_linux
@pytest.mark.parametrize("name", ["read.pt", "write.pt"])
def test_the_gate_too_refuses_torchscript_that_names_a_file_operator(name, tmp_path):
    spies(tmp_path)
    with pytest.raises(ModelLoadError, match="calls aten::from_file on files"):
        recognise(tmp_path / name)


@pytest.fixture(scope="module")
def free(tmp_path_factory):
    return attempts(tmp_path_factory.mktemp("free"), "process")


@pytest.fixture(scope="module", params=DEVICES)
def confined(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("confined")
    outcomes = attempts(folder, "full", request.param)
    outcomes["left"] = {
        f.name: f.read_text() for f in (folder / "outside").iterdir() if f.suffix != ".pt"
    }
    return outcomes


@needs_linux
@pytest.mark.parametrize("name", escapes.ATTEMPTS)
def test_what_succeeds_without_the_sandbox_is_refused_inside(name, free, confined):
    assert free[name] == "done"
    # Landlock answers a link as if it led to another file system.
    assert confined[name] in ("PermissionError", "OSError")


@needs_linux
def test_inside_the_sandbox_nothing_outside_changes_and_the_own_folder_is_usable(confined):
    assert confined["left"] == dict.fromkeys(("kept", "removed", "secret"), "canary")
    assert "written.bin" not in confined["left"]
    assert confined["own"] == "own"


def verdict(
    machine: syscalls.Machine,
    number: int,
    *arguments: int,
    audit: int | None = None,
    cards: bool = False,
):
    """What the filter says, run as the kernel would run it."""
    words = {0: number, 4: machine.audit if audit is None else audit}
    words |= {16 + 8 * index: value for index, value in enumerate(arguments)}
    program, at, held = syscalls.program(machine, own_pid=77, cards=cards), 0, 0
    while True:
        code, if_true, if_false, value = program[at]
        at += 1
        if code == 0x20:
            held = words.get(value, 0)
        elif code == 0x54:
            held &= value
        elif code == 0x06:
            return value
        else:
            holds = held == value if code == 0x15 else held >= value
            at += if_true if holds else if_false


MACHINES = pytest.mark.parametrize("machine", syscalls._MACHINES.values(), ids=syscalls._MACHINES)


@MACHINES
def test_the_filter_refuses_what_is_listed_and_nothing_else(machine):
    listed = {n[machine.column] for n in forbidden.NUMBERS.values()}
    conditional = {n[machine.column] for n in forbidden.OTHER_PROCESSES.values()}
    conditional |= {rule.numbers[machine.column] for rule in forbidden.ARGUMENTS.values()}
    absent = {n[machine.column] for n in forbidden.ABSENT.values()}
    assert not (listed & conditional) - {None}
    for number in range(500):
        if number in listed:
            assert verdict(machine, number) == DENIED
        elif number in absent:
            assert verdict(machine, number) == 0x00050000 | errno.ENOSYS
        elif number not in conditional:
            assert verdict(machine, number) == ALLOWED


@MACHINES
def test_the_filter_refuses_other_abis_of_the_same_machine(machine):
    assert verdict(machine, 0x40000000 + 1) == DENIED
    assert verdict(machine, 1, audit=0x40000003) == DENIED


@MACHINES
def test_threads_are_started_and_processes_are_not(machine):
    (clone,) = (r.numbers for name, r in forbidden.ARGUMENTS.items() if name.startswith("clone"))
    assert verdict(machine, clone[machine.column], 0x003D0F00) == ALLOWED
    assert verdict(machine, clone[machine.column], 17) == DENIED


@MACHINES
def test_with_graphics_cards_a_worker_listens_on_local_sockets_and_nobody_gets_in(machine):
    def said(name, *arguments):
        return verdict(machine, forbidden.NUMBERS[name][machine.column], *arguments, cards=True)

    local, internet, pairs, datagrams = 1, 2, 5, 2
    assert said("socket", local, pairs | 0o2000000) == ALLOWED
    assert said("bind", 3) == said("listen", 3) == ALLOWED
    assert said("socket", internet, pairs) == DENIED
    assert said("socket", local, datagrams) == DENIED
    assert said("connect", 3) == said("accept", 3) == said("accept4", 3) == DENIED
    others = [name for name in forbidden.NUMBERS if name not in forbidden.CARDS]
    there = [name for name in others if forbidden.NUMBERS[name][machine.column] is not None]
    assert {said(name) for name in there} == {DENIED}


def test_a_worker_for_the_cpu_is_kept_from_graphics_cards(monkeypatch, tmp_path):
    monkeypatch.setattr(confinement, "_cards", lambda: [Path("/dev/nvidia0")])
    of_cpu, of_card = (confinement.rules(device, [], tmp_path) for device in ("cpu", "cuda:0"))
    assert of_cpu.use == (Path("/dev/null"),)
    assert of_cpu.write == (tmp_path,)
    assert of_card.use == (Path("/dev/null"), Path("/dev/nvidia0"))
    assert of_card.write == (tmp_path, Path("/proc/self/task"))


@MACHINES
def test_signals_reach_the_own_process_alone(machine):
    kill = forbidden.OTHER_PROCESSES["kill"][machine.column]
    assert verdict(machine, kill, 77, 9) == ALLOWED
    assert verdict(machine, kill, 78, 9) == DENIED


@needs_linux
def test_a_serving_kernel_says_that_its_worker_is_confined(own):
    assert own.status()["dry_run"]["sandbox"] == "full"
    status = Path(f"/proc/{own.service.worker_pid}/status").read_text()
    assert "Seccomp:\t2" in status
    assert "NoNewPrivs:\t1" in status


@needs_linux
def test_every_thread_of_a_worker_is_confined(own):
    tasks = list(Path(f"/proc/{own.service.worker_pid}/task").iterdir())
    assert len(tasks) > 1
    assert all("Seccomp:\t2" in (task / "status").read_text() for task in tasks)


@needs_linux
def test_the_private_folder_of_a_worker_goes_with_it(own):
    scratch = Path(f"/proc/{own.service.worker_pid}/environ").read_bytes().split(b"HOME=")[1]
    folder = Path(scratch.split(b"\0")[0].decode())
    assert folder.stat().st_mode & 0o777 == 0o700
    own.close()
    fakes.wait_for(lambda: not folder.exists())


def test_folders_of_front_processes_that_died_are_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    gone = tmp_path / "picsellia-worker-999999999-x"
    gone.mkdir()
    here = sandbox._scratch()
    assert not gone.exists()
    assert sandbox._scratch() != here
    assert here.exists()


def test_a_machine_without_landlock_is_told_as_it_is(monkeypatch):
    monkeypatch.setattr("picsellia_jupyter.serving.landlock.version", lambda: 0)
    told = confinement.support()
    assert told.kind == "process"
    assert "no Landlock" in told.why or "has no" in told.why


def test_a_worker_that_cannot_be_confined_ends(monkeypatch, tmp_path):
    def refuse(_paths, *, cards):
        assert not cards
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(confinement, "confine", refuse)
    told = type("Told", (), {
        "sandbox": "full", "device": "cpu", "scratch": tmp_path, "reads": [],
    })  # fmt: skip
    with pytest.raises(SystemExit, match=r"cannot be confined and ended: .* not permitted"):
        sandbox.enter(told)
