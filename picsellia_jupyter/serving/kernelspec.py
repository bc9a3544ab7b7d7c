"""The kernel "Picsellia Serving": an ordinary Python kernel that takes up its work by itself.

`python -m picsellia_jupyter.serving.kernelspec -f CONNECTION_FILE` is what its kernelspec runs.
When Jupyter starts it anew after its process was killed, or because it was asked to, the lease
of the process before says what it served.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp

from picsellia_jupyter.serving import forking, kernel, leasehold

PURPOSE = (
    "This kernel serves a Picsellia model; %deploy MODEL in a notebook of the Python kernel "
    "starts one by itself. Opened by hand it runs Python.\n"
)


class RestartableKernel(IPythonKernel):
    """A Python kernel that knows whether it is to be started anew."""

    banner = PURPOSE

    async def do_shutdown(self, restart: bool) -> dict[str, Any]:
        """Keep the lease where this kernel is to come back."""
        if restart:
            kernel.come_back()
        said = super().do_shutdown(restart)
        reply: dict[str, Any] = await said if inspect.isawaitable(said) else said
        return reply

    async def do_execute(self, *arguments: Any, **options: Any) -> Any:
        """Run a cell; say once what this kernel is for where nothing is served."""
        silent = arguments[1] if len(arguments) > 1 else options.get("silent", False)
        if not silent and kernel.serves_nothing() and not getattr(self, "_told", False):
            self._told = True
            sys.stdout.write(PURPOSE)
        return await super().do_execute(*arguments, **options)


def main() -> None:
    """Start the kernel, and what it served before."""
    # As ipykernel's own launcher does: the notebooks' folder is no place for modules of ours.
    if sys.path and (not sys.path[0] or Path(sys.path[0]) == Path.cwd()):
        del sys.path[0]
    app = IPKernelApp.instance(kernel_class=RestartableKernel)
    app.initialize()
    forking.let_children_go_without_ports()
    job = leasehold.job_to_resume(leasehold.own_kernel_id())
    if job:
        kernel.start(job)
    app.start()


if __name__ == "__main__":
    # By its name, so that what others import is this module and not a second one.
    from picsellia_jupyter.serving.kernelspec import main as run

    run()
