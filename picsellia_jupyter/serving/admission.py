"""Who may ask a serving kernel for what, now."""

from __future__ import annotations

from picsellia_jupyter.domain.errors import AuthenticationError, NotFoundError
from picsellia_jupyter.serving.status import Status


class Admission:
    """The checks before any work is done for a caller."""

    @property
    def status(self) -> Status:
        """How the kernel is now."""
        raise NotImplementedError

    @property
    def deployment_id(self) -> str | None:
        """The deployment it is attached to."""
        raise NotImplementedError

    def check_serves(self, deployment_id: str) -> None:
        """Refuse work for another deployment, or while it does not serve.

        Raises:
            NotServingError: it serves nothing now.
            NotFoundError: it serves another deployment.
        """
        self.status.check_serving()
        self.check_is_of(deployment_id)

    def check_own(self, token_of: str, deployment_id: str) -> None:
        """Refuse a token for another deployment, and one that is not served now.

        Args:
            token_of: the deployment that the caller's token is for.
            deployment_id: the one that is asked.

        Raises:
            AuthenticationError: they differ.
            NotServingError: it serves nothing now.
            NotFoundError: it serves another deployment.
        """
        if token_of != deployment_id:
            raise AuthenticationError("The token is for another deployment.", "Log in again.")
        self.check_serves(deployment_id)

    def check_is_of(self, deployment_id: str) -> None:
        """Refuse to be asked about another deployment, with a NotFoundError."""
        if deployment_id != self.deployment_id:
            raise NotFoundError.named("deployment", deployment_id, [self.deployment_id or "none"])
