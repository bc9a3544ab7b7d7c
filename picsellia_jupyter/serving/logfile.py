"""The last lines of a serving kernel and its workers, in a file that outlives them."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import re
import sys
import threading
import time
from pathlib import Path

from picsellia_jupyter.domain.deployments import ServingJob

MAX_BYTES = 256 * 1024
_KEPT_BYTES = 64 * 1024
_LONGEST_LINE = 500
_MOST_FILES = 100
_LOGGERS = ("picsellia_jupyter", "uvicorn.error")

_log = logging.getLogger(__name__)


class LogFile(logging.Handler):
    """A log of at most 256 kB that only its user can read; also a handler of our loggers."""

    def __init__(self, path: Path) -> None:
        """Open it; what it held stays.

        Raises:
            OSError: it cannot be opened.
        """
        super().__init__(logging.WARNING)
        self.path = path
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # O_APPEND: what faulthandler writes comes last, also after the file was shortened.
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW
        self._descriptor = os.open(path, flags, 0o600)
        os.fchmod(self._descriptor, 0o600)
        self._open = True
        self._had_faults: bool | None = None
        self._writing = threading.Lock()
        self.setFormatter(logging.Formatter("%(message)s"))
        for name in _LOGGERS:
            logging.getLogger(name).addHandler(self)

    def say(self, who: str, text: str) -> None:
        """Append lines.

        Args:
            who: `kernel` or `worker`.
            text: what they say; a line is cut at 500 characters.
        """
        stamp = time.strftime("%Y-%m-%d %H:%M:%S")
        lines = [f"{stamp} {who}: {line[:_LONGEST_LINE]}\n" for line in text.splitlines()]
        with self._writing:
            if not self._open:
                return
            try:
                os.write(self._descriptor, "".join(lines).encode("utf-8", "replace"))
                if os.fstat(self._descriptor).st_size > MAX_BYTES:
                    self._shorten()
            except OSError as error:  # a full disk must not stop the serving
                sys.stderr.write(f"The log {self.path} cannot be written: {error}\n")

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record of Python's logging."""
        self.say("kernel", self.format(record))

    def catch_faults(self) -> None:
        """Have Python's stacks written here when the process dies of a fatal signal."""
        self._had_faults = faulthandler.is_enabled()
        faulthandler.enable(file=self._descriptor)

    def close(self) -> None:
        """Write nothing more; may be called again."""
        for name in _LOGGERS:
            logging.getLogger(name).removeHandler(self)
        with self._writing:
            if self._open:
                self._open = False
                self._leave_faults()
                os.close(self._descriptor)
        super().close()

    def _shorten(self) -> None:
        size = os.fstat(self._descriptor).st_size
        tail = os.pread(self._descriptor, _KEPT_BYTES, size - _KEPT_BYTES)
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, tail[tail.find(b"\n") + 1 :])

    def _leave_faults(self) -> None:
        if self._had_faults is None:
            return
        faulthandler.disable()
        if self._had_faults and sys.__stderr__ is not None:
            faulthandler.enable(file=sys.__stderr__)


def open_for(job: ServingJob) -> LogFile | None:
    """The log of a serving kernel, beside the cache; None where it cannot be written."""
    name = re.sub(r"[^0-9A-Za-z_-]", "-", job.kernel_id)[:64] or "kernel"
    path = Path(job.cache_dir).absolute().parent / "logs" / f"{name}.log"
    try:
        log = LogFile(path)
    except OSError as error:
        _log.warning("There is no log at %s: %s", path, error)
        return None
    # Another kernel may be removing the same files.
    with contextlib.suppress(FileNotFoundError):
        _remove_oldest(path.parent)
    return log


def _remove_oldest(folder: Path) -> None:
    logs = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime)
    for path in logs[:-_MOST_FILES]:
        path.unlink()
