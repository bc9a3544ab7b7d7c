"""The checklist that is gone through before a serving kernel is announced."""

from __future__ import annotations

from picsellia_jupyter.domain.deployments import Check, DryRun
from picsellia_jupyter.domain.registry import Framework, ModelVersion
from picsellia_jupyter.serving import class_counts, confinement, gate, manifest
from picsellia_jupyter.serving.download import ModelFiles
from picsellia_jupyter.serving.gate import ModelFormat
from picsellia_jupyter.serving.signature import LoadedModel

_MADE_BY = {
    Framework.TENSORFLOW: (ModelFormat.KERAS, ModelFormat.SAVED_MODEL),
    Framework.PYTORCH: (
        ModelFormat.TORCHSCRIPT, ModelFormat.TORCH_EXPORT, ModelFormat.TORCH_STATE_DICT,
        ModelFormat.SAFETENSORS,
    ),
    Framework.ONNX: (),
}  # fmt: skip
"""Formats of each framework besides ONNX, which any of them exports."""


def checks(
    version: ModelVersion, files: ModelFiles, model: LoadedModel, dry_run: DryRun
) -> tuple[Check, ...]:
    """What was found out about a model that has passed its dry run.

    Whatever keeps a model from being served was raised before; these are facts and warnings.
    """
    memory = f", {model.memory_bytes / 2**20:.0f} MiB" if model.memory_bytes else ""
    return (
        Check("Files", f"{files.model.name}{' and serving.json' if files.manifest else ''}"),
        _framework(version, gate.recognise(files.model)),
        _labels(version, files, model),
        *_assumed(model),
        Check("Dry run", f"{dry_run.latency_s * 1000:.1f} ms{memory}"),
        _sandbox(),
        _origin(version, files),
    )


def _framework(version: ModelVersion, kind: ModelFormat) -> Check:
    if version.framework is Framework.NOT_CONFIGURED:
        return Check(
            "Framework", f"none is stated; the file is {_with_article(kind)}",
            "State it: model_version.update(framework=…).",
        )  # fmt: skip
    stated = version.framework.value.lower()
    if kind is ModelFormat.ONNX or kind in _MADE_BY[version.framework]:
        return Check("Framework", f"{kind.value}; stated: {stated}")
    return Check(
        "Framework", f"stated is {stated}, but the file is {_with_article(kind)}",
        "State what it is: model_version.update(framework=…).",
    )  # fmt: skip


def _labels(version: ModelVersion, files: ModelFiles, model: LoadedModel) -> Check:
    classes = class_counts.classes_of(model, version.type)
    offset = _offset(files)
    missing = [str(n + offset) for n in range(classes) if n + offset not in version.labels]
    if not missing:
        return Check("Labels", f"{len(version.labels)}")
    return Check(
        "Labels", f"{classes} classes, but no labels for {', '.join(missing[:10])}",
        "Complete them: model_version.update(labels={'0': …}).",
    )  # fmt: skip


def _offset(files: ModelFiles) -> int:
    """What serving.json has added to a class to find its label."""
    said = manifest.read(files.manifest).get("label_offset", 0)
    return said if isinstance(said, int) else 0


def _assumed(model: LoadedModel) -> tuple[Check, ...]:
    """What neither the file nor serving.json tells and was therefore assumed; often nothing."""
    if not model.notes:
        return ()
    remedy = (
        "Where that is wrong, say it in the version's serving.json; docs/models.md has its keys."
    )
    return (Check("Assumed", " ".join(model.notes).removesuffix("."), remedy),)


def _sandbox() -> Check:
    support = confinement.support()
    remedy = "" if support.kind == "full" else "Serve models of others on Linux 5.13 or later."
    return Check("Sandbox", f"{support.kind}{f': {support.why}' if support.why else ''}", remedy)


def _origin(version: ModelVersion, files: ModelFiles) -> Check:
    if version.experiment_id:
        return Check("Origin", "an experiment")
    if files.manifest:
        return Check("Origin", "imported by hand, with a serving.json")
    return Check(
        "Origin", "imported by hand: nothing tells how it takes images and gives results",
        "Compare a few of its predictions with those of its own toolchain.",
    )  # fmt: skip


def _with_article(kind: ModelFormat) -> str:
    return f"{'an' if kind is ModelFormat.ONNX else 'a'} {kind.value}"
