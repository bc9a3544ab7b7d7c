"""Memory that a model takes, and what is raised where there is too little."""

from __future__ import annotations

from pathlib import Path

from picsellia_jupyter.domain.errors import ServingError


class OutOfMemoryError(ServingError):
    """A batch does not fit into the device's memory; a smaller one may."""

    def __init__(self, device: str, batch: int) -> None:
        images = f"{batch} image{'s do' if batch > 1 else ' does'}"
        on_cpu = device == "cpu"
        where = "this machine" if on_cpu else device
        other = "" if on_cpu else "deploy with --precision fp16 or --device cpu, "
        super().__init__(
            f"{images} not fit into the memory of {where}.",
            f"End what else uses it, {other}or export the model with a smaller input.",
        )


_TOLD = (
    "CUDA out of memory",  # TorchScript's interpreter makes a RuntimeError of torch's own error
    "CUDA error: out of memory",  # the driver's, such as while it loads a kernel
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED",
)
_NO_ROOM_TO_WORK = "unable to find an engine to execute this computation"
"""What cuDNN's callers say where none of its ways has the memory that it needs."""


def tells_of_memory(error: Exception, batch: int) -> bool:
    """Whether what a library raised means that a batch of so many images does not fit.

    Only torch's own allocator has an exception of its own for it.
    """
    told = str(error)
    return any(words in told for words in _TOLD) or (batch > 1 and _NO_ROOM_TO_WORK in told)


def resident_bytes() -> int:
    """Memory of this process that is resident now, or was at most where that is not told."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return pages * resource.getpagesize()
    except (ImportError, OSError, ValueError, IndexError):
        return _peak_bytes()


def _peak_bytes() -> int:
    try:
        import resource
    except ImportError:  # Windows
        return 0
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
