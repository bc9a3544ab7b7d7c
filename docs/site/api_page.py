"""The Python API: what Sphinx' autodoc is asked for."""

from __future__ import annotations

from docs.site.tables import page as made

_BEGINNING = """\
`picsellia_jupyter` exports `Session`, `Deployment`, `Predictions`, `Shape`, `monitor` and `PicselliaJupyterError`; everything else below is what these hand out. Every magic is one call
on a `Session`, so that a script needs no magic."""

_CLASSES: dict[str, tuple[str, ...]] = {
    "Session": ("picsellia_jupyter.session.Session",),
    "Deployment": ("picsellia_jupyter.handles.deployment.Deployment",),
    "Predictions": (
        "picsellia_jupyter.handles.predictions.Predictions",
        "picsellia_jupyter.handles.prediction.ImagePrediction",
        "picsellia_jupyter.domain.predictions.Detections",
    ),
    "Dashboards": (
        "picsellia_jupyter.handles.dashboard.DashboardView",
        "picsellia_jupyter.handles.watching.Watch",
        "picsellia_jupyter.handles.evaluation.EvaluationView",
    ),
    "Reviews": (
        "picsellia_jupyter.handles.reviews.Reviews",
        "picsellia_jupyter.handles.reviews.ReviewItem",
        "picsellia_jupyter.domain.reviews.Shape",
        "picsellia_jupyter.handles.campaigns.Campaign",
    ),
    "Alerts": ("picsellia_jupyter.handles.alerts.Alerts",),
    "Training": (
        "picsellia_jupyter.handles.training.Training",
        "picsellia_jupyter.handles.training.Run",
    ),
    "Your own server": (
        "picsellia_jupyter.handles.monitor.Monitor",
        "picsellia_jupyter.handles.monitor.Monitored",
    ),
}
_FUNCTIONS = {"Your own server": ("picsellia_jupyter.session.monitoring.monitor",)}


def page() -> str:
    """The page."""
    sections = [
        "\n\n".join((f"## {title}", *(_asked(kind, name) for kind, name in _of(title))))
        for title in _CLASSES
    ]
    return made("Python API", _BEGINNING, *sections)


def _of(title: str) -> list[tuple[str, str]]:
    functions = [("autofunction", name) for name in _FUNCTIONS.get(title, ())]
    return functions + [("autoclass", name) for name in _CLASSES[title]]


def _asked(kind: str, name: str) -> str:
    options = ("", "   :members:", "   :inherited-members:") if kind == "autoclass" else ("",)
    lines = (f".. {kind}:: {name}", *options[1:])
    return "\n".join(("```{eval-rst}", *lines, "```"))
