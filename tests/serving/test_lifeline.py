"""A model worker lives exactly as long as the process that started it."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

CHILD = """
import os, sys
from picsellia_jupyter.serving.lifeline import tie_to_parent
tie_to_parent(os.getppid())
print(os.getpid(), flush=True)
for line in os.fdopen(int(sys.argv[1])):
    print("still here", flush=True)
"""
PARENT = """
import os, subprocess, sys, threading
asked, ask = os.pipe()

def start():
    global child
    child = subprocess.Popen([sys.executable, "-c", sys.argv[1], str(asked)], pass_fds=[asked],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    print(child.stdout.readline().decode().strip(), flush=True)

thread = threading.Thread(target=start)
thread.start()
thread.join()
# The system's own thread ends a moment after Python's.
while len(os.listdir("/proc/self/task")) > 1:
    pass
if "hold" in sys.argv[2:]:
    sibling = subprocess.Popen(["sleep", "60"], pass_fds=[child.stdin.fileno()])
    print(sibling.pid, flush=True)
for line in sys.stdin:
    os.write(ask, b"?\\n")
    print(child.stdout.readline().decode().strip(), flush=True)
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts threads in /proc")


@pytest.fixture
def begin():
    """Starts a parent, whose child a thread starts that is gone; what both are."""
    parents: list[subprocess.Popen[str]] = []

    def begun(*how: str) -> tuple[subprocess.Popen[str], psutil.Process]:
        parents.append(
            subprocess.Popen(
                [sys.executable, "-c", PARENT, CHILD, *how],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
        )  # fmt: skip
        return parents[-1], psutil.Process(int(said(parents[-1])))

    yield begun
    for parent in parents:
        parent.kill()
        parent.communicate()


def said(parent: subprocess.Popen[str]) -> str:
    assert parent.stdout is not None
    return parent.stdout.readline().strip()


def test_it_outlives_the_thread_that_started_it(begin):
    parent, _child = begin()
    parent.stdin.write("ask it\n")
    parent.stdin.flush()
    assert said(parent) == "still here"


def test_it_ends_with_a_parent_that_is_killed(begin):
    parent, child = begin()
    parent.kill()
    assert psutil.wait_procs([child], timeout=10)[1] == []


def test_it_ends_also_where_a_sibling_holds_its_standard_input_open(begin):
    parent, child = begin("hold")
    sibling = psutil.Process(int(said(parent)))
    try:
        parent.kill()
        assert psutil.wait_procs([child], timeout=10)[1] == []
        assert sibling.is_running()
    finally:
        sibling.kill()
