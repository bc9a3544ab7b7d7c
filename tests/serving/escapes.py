"""What hostile code would try, as a program: prints what became of each attempt as JSON.

`python -m tests.serving.escapes SECRET OUTSIDE --sandbox=… --device=… --scratch=…`
"""

import argparse
import contextlib
import io
import json
import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

from picsellia_jupyter.serving import sandbox

ATTEMPTS, PROGRAMS = {}, {}


def attempt(function):
    ATTEMPTS[function.__name__] = function
    return function


@attempt
def read_the_parents_environment(secret, outside):
    assert Path(f"/proc/{os.getppid()}/environ").read_bytes()


@attempt
def read_the_parents_memory(secret, outside):
    Path(f"/proc/{os.getppid()}/mem").open("rb").close()


@attempt
def read_a_secret(secret, outside):
    secret.read_text()


@attempt
def read_the_users_of_the_machine(secret, outside):
    Path("/etc/passwd").read_text()


@attempt
def list_a_folder(secret, outside):
    list(Path(outside).iterdir())


@attempt
def link_a_secret_into_the_scratch_folder(secret, outside):
    os.link(secret, Path(os.environ["HOME"], "linked"))


@attempt
def write_a_file(secret, outside):
    Path(outside, "written").write_text("canary")


@attempt
def make_a_folder(secret, outside):
    Path(outside, "made").mkdir()


@attempt
def empty_a_file_by_reading_it(secret, outside):
    os.close(os.open(Path(outside, "kept"), os.O_RDONLY | os.O_TRUNC))


@attempt
def truncate_a_file(secret, outside):
    os.truncate(Path(outside, "kept"), 0)


@attempt
def open_a_file_to_others(secret, outside):
    Path(outside, "kept").chmod(0o644)


@attempt
def date_a_file_back(secret, outside):
    os.utime(Path(outside, "kept"), (0, 0))


@attempt
def remove_a_file(secret, outside):
    Path(outside, "removed").unlink()


@attempt
def open_an_internet_socket(secret, outside):
    socket.socket(socket.AF_INET).close()


@attempt
def open_a_unix_socket(secret, outside):
    socket.socket(socket.AF_UNIX).close()


@attempt
def open_a_pair_of_datagram_sockets(secret, outside):
    for end in socket.socketpair(type=socket.SOCK_DGRAM):
        end.close()


@attempt
def run_a_program(secret, outside):
    subprocess.run([sys.executable, "-c", ""], check=True)


@attempt
def fork(secret, outside):
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)


@attempt
def signal_the_parent(secret, outside):
    os.kill(os.getppid(), 0)


@attempt
def limit_the_parent(secret, outside):
    resource.prlimit(os.getppid(), resource.RLIMIT_CORE)


@attempt
def have_a_torchscript_program_read_a_secret(secret, outside):
    torchscript(outside / "read.pt")


@attempt
def have_a_torchscript_program_write_a_file(secret, outside):
    torchscript(outside / "write.pt")


def torchscript(path):
    import torch

    program = torch.jit.load(io.BytesIO(PROGRAMS[path.name]))
    try:
        program(torch.zeros(1))
    except RuntimeError as error:
        raise PermissionError(*error.args) from error


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("secret", type=Path)
    parser.add_argument("outside", type=Path)
    sandbox.add_arguments(parser)
    told = parser.parse_args()
    PROGRAMS.update({path.name: path.read_bytes() for path in told.outside.glob("*.pt")})
    sandbox.enter(told)
    outcomes = {}
    for name, function in ATTEMPTS.items():
        outcomes[name] = "done"
        try:
            function(told.secret, told.outside)
        except OSError as error:
            outcomes[name] = type(error).__name__
    # What it may do.
    with contextlib.suppress(OSError):
        Path(os.environ["HOME"], "own").write_text("own")
        outcomes["own"] = Path(os.environ["HOME"], "own").read_text()
    sys.stdout.write(json.dumps(outcomes))


if __name__ == "__main__":
    main()
