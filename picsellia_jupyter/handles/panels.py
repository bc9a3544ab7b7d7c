"""The panel of a deployment, as a value that a cell shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from picsellia_jupyter.handles.live import in_a_kernel


@dataclass(frozen=True, slots=True, eq=False)
class PanelView:
    """A deployment that is shown as its panel; as its card where nothing can show a panel."""

    deployment: Any
    """The `Deployment`, which makes these."""

    def __repr__(self) -> str:
        return repr(self.deployment)

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        card: dict[str, str] = self.deployment._repr_mimebundle_(**options)
        return card


def made_live() -> None:
    """Load our extension into a kernel that has not, since it alone shows live panels."""
    if not in_a_kernel():
        return
    from IPython.core.getipython import get_ipython

    shell: Any = get_ipython()
    # An extension that is loaded already is left as it is.
    shell.extension_manager.load_extension("picsellia_jupyter")
