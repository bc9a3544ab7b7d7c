"""Executes a training notebook: `python -m picsellia_jupyter.training.executing SOURCE TARGET`.

A program of its own, so that limits and ends are its alone. It reads `parameters` and limits as
JSON from its input, and writes an event a line: `{"line": …}` of what the notebook prints,
`{"progress": …}` as cells are done, and at last `{"error": …}`, empty where all went well.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_GIB = 1 << 30


def main(arguments: Sequence[str] | None = None) -> int:
    """Execute; 0 where the notebook came through."""
    source, target = (Path(one) for one in (arguments or sys.argv[1:]))
    asked = json.load(sys.stdin)
    limit(asked.get("memory_gb"), asked.get("cpu_s"))
    error = executed(source, target, asked["parameters"])
    _tell(error=error)
    return 1 if error else 0


def limit(memory_gb: float | None, cpu_s: float | None) -> None:
    """Limit this process and all that it starts, where the system can."""
    try:
        import resource
    except ImportError:  # pragma: no cover - Windows
        return
    for kind, amount in (
        (resource.RLIMIT_DATA, None if memory_gb is None else int(memory_gb * _GIB)),
        (resource.RLIMIT_CPU, None if cpu_s is None else max(int(cpu_s), 1)),
    ):
        if amount is not None:
            resource.setrlimit(kind, (amount, amount))


def executed(source: Path, target: Path, parameters: dict[str, Any]) -> str:
    """Execute a notebook and leave it, as far as it came, as another file; what went wrong."""
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.engines import NBClientEngine, papermill_engines

    class Counting(NBClientEngine):  # type: ignore[misc]
        """Tells how many cells are done."""

        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
            complete, count = nb_man.cell_complete, max(len(nb_man.nb.cells), 1)

            def told(cell: Any, cell_index: int | None = None, **more: Any) -> None:
                complete(cell, cell_index=cell_index, **more)
                _tell(progress=((cell_index or 0) + 1) / count)

            nb_man.cell_complete = told
            return super().execute_managed_notebook(nb_man, kernel_name, **options)

    papermill_engines.register("counting", Counting)
    try:
        papermill.execute_notebook(
            str(source), str(target), parameters=parameters, engine_name="counting",
            kernel_name="python3", language="python", progress_bar=False, cwd=str(target.parent),
            stdout_file=_Lines(), stderr_file=_Lines(),
        )  # fmt: skip
    except papermill.PapermillExecutionError as error:
        return f"Cell {error.exec_count} of the notebook: {error.ename}: {error.evalue}"
    except DeadKernelError:
        return (
            "The notebook's kernel died. Perhaps it met a limit on memory or processor time: "
            "look at 'limits' in experiment_parameters."
        )
    except Exception as error:  # noqa: BLE001 - whatever it is, the run is to say it
        return f"The notebook cannot be executed: {type(error).__name__}: {error}"
    return ""


class _Lines(io.TextIOBase):
    """Tells what is written to it line by line."""

    def __init__(self) -> None:
        self._rest = ""

    def write(self, text: str) -> int:
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            # A progress bar writes over its own line: the last state of it is what is seen.
            _tell(line=line.rsplit("\r", 1)[-1])
        return len(text)


def _tell(**event: Any) -> None:
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
