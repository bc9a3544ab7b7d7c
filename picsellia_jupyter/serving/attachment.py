"""What a serving kernel has for the one deployment it serves."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from picsellia_jupyter.domain.deployments import Heartbeat, ServingJob
from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.recording.recorder import Outcome, Recorder
from picsellia_jupyter.serving.heart import FIRST_BEAT_S, Heart
from picsellia_jupyter.serving.platform import Connect
from picsellia_jupyter.serving.shadow import Shadow
from picsellia_jupyter.serving.stored import StoredImages
from picsellia_jupyter.serving.succession import Succession


class Attachment:
    """The recorder, the heart, the stored images and the shadow model of a deployment."""

    def __init__(
        self,
        connect: Connect,
        job: ServingJob,
        deployment_id: str,
        say: Callable[[str], None],
        succession: Succession,
    ) -> None:
        """Make it, silent; `begin` has it heard of.

        Args:
            connect: makes connections to the platform.
            job: says how model files are found and kept.
            deployment_id: what is served.
            say: takes what becomes of the shadow model.
            succession: has the champion, whose workers need the processor more than the
                recording does.
        """
        self.deployment_id = deployment_id
        self.shadow = Shadow(connect, job, deployment_id, say)
        self.recorder = Recorder(
            connect,
            deployment_id,
            _spools(job, deployment_id),
            self.shadow.offer,
            lambda: succession.pressure,
        )
        self.stored = StoredImages(connect, deployment_id)
        self.heart: Heart | None = None
        self._connect = connect
        self._succession = succession
        self._claims = not job.resumes

    @property
    def threshold(self) -> float | None:
        """The deployment's, as the platform last said."""
        return self.heart.threshold if self.heart else None

    def begin(
        self,
        describe: Callable[[], Heartbeat],
        gone: Callable[[PicselliaJupyterError], None],
        pause: Callable[[str], bool],
    ) -> None:
        """Claim the deployment with a first heartbeat, and go on beating.

        Args:
            describe: what to say in a heartbeat.
            gone: called when the deployment is another's, or is no more.
            pause: told why it must not predict now, or nothing where it may; says whether that
                is new.

        Raises:
            PicselliaJupyterError: the platform does not take the first one.
        """
        self.heart = Heart(
            self._connect,
            self.deployment_id,
            describe,
            gone,
            self._follow,
            lambda why: self.beat_now() if pause(why) else None,
            claims=self._claims,
        )
        self.heart.wait_for_first(FIRST_BEAT_S)

    def beat_now(self) -> None:
        """Tell the platform at once, since something has changed."""
        if self.heart:
            self.heart.beat_now()

    def abandon(self) -> None:
        """Let go of the deployment at once."""
        if self.heart:
            self.heart.stop(0.0)
        self.recorder.close()
        self._close_helpers()

    def finish(self) -> Outcome:
        """Record what was predicted, as long as that gets on; what became of it."""
        self._close_helpers()
        self.recorder.drain()
        return self.recorder.close()

    def say_last(self) -> None:
        """Send a last heartbeat."""
        if self.heart:
            self.heart.stop()

    def _follow(self, champion: str | None, shadow: str | None) -> None:
        # The shadow first: a shadow that becomes champion makes room for it.
        self.shadow.follow(shadow)
        self._succession.follow(champion)

    def _close_helpers(self) -> None:
        self.stored.close()
        self.shadow.close()


def _spools(job: ServingJob, deployment_id: str) -> Path:
    """The folder of a deployment's spools, beside the cache."""
    name = re.sub(r"[^0-9A-Za-z_-]", "-", deployment_id)[:64]
    return Path(job.cache_dir).absolute().parent / "spool" / name
