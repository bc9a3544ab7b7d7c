"""The card: how busy it is, and a process that takes its memory."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence

ANSWER_S = 30.0
_BALLAST = """
import sys, torch
device = torch.device(sys.argv[1])
held = []
for line in sys.stdin:
    leave, step = int(line), 1 << 30
    while step >= 1 << 24:
        free, _ = torch.cuda.mem_get_info(device)
        if free - leave < step:
            step //= 2
            continue
        try:
            held.append(torch.empty(step, dtype=torch.uint8, device=device))
        except torch.OutOfMemoryError:
            step //= 2
    print(torch.cuda.mem_get_info(device)[0], flush=True)
"""


class Ballast:
    """Another process that holds the card's memory. A context manager, which ends it."""

    def __init__(self, device: str, command: Sequence[str] = ()) -> None:
        """Start it; it holds nothing yet but what CUDA itself takes.

        Args:
            device: `cuda:N`.
            command: what runs instead, in a test.
        """
        self._process = subprocess.Popen(
            command or [sys.executable, "-c", _BALLAST, device],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._said: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def leave(self, size: int) -> int:
        """Take all memory but so many bytes.

        Returns:
            Bytes that are free now.

        Raises:
            RuntimeError: it does not answer.
        """
        assert self._process.stdin
        try:
            self._process.stdin.write(f"{size}\n")
            self._process.stdin.flush()
            said = self._said.get(timeout=ANSWER_S)
        except (OSError, queue.Empty):
            said = ""
        if not said:
            raise RuntimeError(f"The ballast (process {self._process.pid}) does not answer.")
        return int(said)

    def __enter__(self) -> Ballast:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._process.stdin and self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout
        with self._process.stdout as lines:
            for line in lines:
                self._said.put(line.strip())
        self._said.put("")


@contextlib.contextmanager
def sampling(device: str) -> Iterator[list[float]]:
    """The card's utilisation in percent, five times a second; nothing on the CPU."""
    samples: list[float] = []
    if device == "cpu":
        yield samples
        return
    index = device.partition(":")[2] or "0"
    command = [
        "nvidia-smi", "-i", index, "--query-gpu=utilization.gpu",
        "--format=csv,noheader,nounits", "-lms", "200",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield samples
        finally:
            process.terminate()
            said = process.stdout.read() if process.stdout else ""
            samples.extend(float(line) for line in said.split() if line.isdigit())


def mean(samples: Sequence[float]) -> float | None:
    """Of what was sampled, if anything was."""
    return sum(samples) / len(samples) if samples else None
