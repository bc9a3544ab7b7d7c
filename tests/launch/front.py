"""A real front with a real worker and a small model, for a kernel to serve: `serve(FOLDER)`."""

from __future__ import annotations

from pathlib import Path


def serve(folder: str) -> None:
    """Serve over the control channel, once the model is loaded."""
    from IPython import get_ipython

    from picsellia_jupyter.serving import kernel
    from tests.serving import fakes, models

    model = models.onnx_detector(Path(folder) / "model-latest")
    platform = fakes.store(fakes.FakePlatform(), model, models.DETECTOR)
    program = kernel.ServingProgram(fakes.job(Path(folder) / "cache"), lambda: platform)
    program.start()
    kernel._RUNNING.append(program)
    fakes.wait_for(lambda: program.service.status.dry_run, within_s=30)
    program.service.attach(fakes.DEPLOYMENT)
    program.answer_over_control(get_ipython().kernel)
