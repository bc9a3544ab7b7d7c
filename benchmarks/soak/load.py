"""Three deployments and who asks them for predictions."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.places.servers import REPOSITORY, TOKEN, jupyter_server
from picsellia_jupyter.clients.jupyter import JupyterServer
from picsellia_jupyter.demo import catalog
from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.handles.deployment import Deployment
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.session import Session

MODELS = ("digits-detector", "digits-classifier", "digits-detector")
PER_S = 200_000 / (4 * 3600)
"""Predictions a second, of all deployments together."""
SAMPLED = 0.05
"""Share of the images that are kept."""
_AT_ONCE = 8
"""Images of every other call; the others are of one image."""


@dataclass
class Client:
    """Asks one deployment for predictions until it is told to stop."""

    deployment: Deployment
    images: Sequence[Path]
    done: int = 0
    errors: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name=self.deployment.name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the call that is under way."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(120)

    def _run(self) -> None:
        share, began, due = PER_S / len(MODELS), time.monotonic(), 0
        for turn in itertools.count():
            count = _AT_ONCE if turn % 2 else 1
            due += count
            if self._stop.wait(max(0.0, began + due / share - time.monotonic())):
                return
            self._ask([self.images[(due + n) % len(self.images)] for n in range(count)])

    def _ask(self, images: list[Path]) -> None:
        began = time.monotonic()
        try:
            found = self.deployment.predict(images)
        except Exception as error:  # noqa: BLE001 - counted, whatever it is
            self.errors.append(f"{type(error).__name__}: {error}")
            return
        self.done += len(found)
        self.errors += [str(one) for one in found.failures]
        self.slowest_s = max(self.slowest_s, time.monotonic() - began)


@dataclass(frozen=True, slots=True)
class Soaked:
    """What runs."""

    session: Session
    home: Path
    """Of the platform."""
    served: Path
    """Of the Jupyter server."""
    server: JupyterServer
    clients: tuple[Client, ...]

    def kernel_of(self, number: int) -> tuple[str, int]:
        """The id and process of a deployment's serving kernel."""
        serving = self.clients[number].deployment.beside().refresh().serving
        if serving is None or serving.pid is None:
            raise RuntimeError(f"Deployment {number} is not served.")
        return serving.kernel_id, serving.pid

    def restart(self, number: int) -> float:
        """Restart a kernel as Jupyter's menu does; seconds until it serves again."""
        kernel, pid = self.kernel_of(number)
        began = time.monotonic()
        url = f"{self.server.url}/api/kernels/{kernel}/restart"
        headers = {"Authorization": f"token {TOKEN}"}
        httpx.post(url, headers=headers, timeout=60, trust_env=False).raise_for_status()
        while time.monotonic() < began + 60:
            with contextlib.suppress(RuntimeError):
                if self.kernel_of(number)[1] != pid:
                    break
            time.sleep(0.5)
        return time.monotonic() - began

    def recorded(self) -> int:
        """Predictions that the platform has."""
        records = [self.session.platform.deployment(c.deployment.id) for c in self.clients]
        return sum(record.inferences or 0 for record in records)


@contextlib.contextmanager
def soaked(folder: Path) -> Iterator[Soaked]:
    """Start everything; it is ended afterwards."""
    home, served = folder / "home", folder / "server"
    (served / "data").mkdir(parents=True)
    (served / "data" / "kernels").symlink_to(REPOSITORY / "kernels")
    os.environ["PICSELLIA_PLACE_TOKEN"] = TOKEN
    try:
        with jupyter_server(served) as server:
            session = Session(home=home)
            seed(session)
            made = [
                session.deploy(model, name=f"soak-{n}", on=server.url)
                for n, model in enumerate(MODELS)
            ]
            for deployment in made:
                deployment.sample_rate = SAMPLED
            pages, digits = catalog.pages(), [path for path, _ in catalog.digits()]
            images = [digits if "classifier" in model else pages for model in MODELS]
            clients = tuple(Client(d.beside(), i) for d, i in zip(made, images, strict=True))
            yield Soaked(session, home, served, server, clients)
            for deployment in made:
                deployment.undeploy()
    finally:
        local_platform.stop(home)
