"""The parts of a deployment's circle, told from what the platform knows."""

from __future__ import annotations

from picsellia_jupyter.domain.pipelines import Newest, Part, PipelineFacts

_RUNS = {
    "WAITING": ("waiting", "busy"),
    "RUNNING": ("running", "busy"),
    "FAILED": ("failed", "bad"),
    "CANCELED": ("cancelled", "warn"),
}
_POLICIES = {
    "DEPLOY_SHADOW": "New versions become the shadow.",
    "DEPLOY_CHAMPION": "New versions become the champion.",
    "DEPLOY_MANUAL": "New versions wait for a person.",
}


def parts_of(facts: PipelineFacts) -> tuple[Part, ...]:
    """The seven parts, in the order in which they lead to one another."""
    return (
        _predictions(facts),
        _reviews(facts),
        _dataset(facts),
        _training(facts),
        _version(facts),
        _shadow(facts),
        _champion(facts),
    )


def _predictions(facts: PipelineFacts) -> Part:
    tone = {"ready": "good", "degraded": "warn", "paused": "warn", "unhealthy": "bad"}
    return Part(
        "predictions",
        "Predictions",
        facts.state,
        tone.get(facts.state, "off"),
        f"{facts.predictions:,}",
        f"{facts.images:,} are kept with their image.",
        f"%monitor {_word(facts.deployment)}",
    )


def _reviews(facts: PipelineFacts) -> Part:
    done = facts.reviewed + facts.submitted
    state, tone = ("to review", "warn") if facts.to_review else ("all reviewed", "good")
    if not done and not facts.to_review:
        state, tone = "none yet", "off"
    return Part(
        "reviews",
        "Reviews",
        state,
        tone,
        f"{facts.submitted:,} submitted",
        f"{facts.reviewed:,} reviewed and not submitted, {facts.to_review:,} to review.",
        f"%review {_word(facts.deployment)}",
    )


def _dataset(facts: PipelineFacts) -> Part:
    names = ", ".join(f"{name} ({images:,})" for name, images in facts.datasets.items())
    state, tone = _switched(facts.feedback)
    if facts.feedback and not facts.datasets:
        state, tone = "no dataset", "warn"
    note = f"Submitted reviews go into {names}." if names else "Submitted reviews go nowhere yet."
    return Part(
        "dataset",
        "Dataset",
        state,
        tone,
        _counted(sum(facts.datasets.values()), "image"),
        note,
        f's.feed("{facts.deployment}", "DATASET/VERSION")',
    )


def _training(facts: PipelineFacts) -> Part:
    state, tone = _switched(facts.training)
    note = "No number of reviews sets it off."
    if facts.training is None:
        note = "Nothing trains a new version."
    elif facts.threshold:
        note = f"{facts.untrained:,} of {facts.threshold:,} submitted reviews until the next run."
    run = facts.run
    if run is not None and run.state in _RUNS:
        state, tone = _RUNS[run.state]
        if run.state == "RUNNING":
            note = f"{run.step or 'training'}, {run.progress * 100:.0f} % of its notebook. {note}"
        elif run.error:
            note = f"{run.error} {note}"
    line = f"%retrain {_word(facts.deployment)} --show"
    return Part("training", "Training", state, tone, _counted(facts.runs, "run"), note, line)


def _version(facts: PipelineFacts) -> Part:
    policy = _POLICIES.get(facts.policy, "Nothing is said of new versions: they wait for a person.")
    if facts.policy and not facts.is_policy_active:
        policy = "Paused: new versions wait for a person."
    line = 'd.policy = "DEPLOY_SHADOW"'
    newest = facts.newest
    if newest is None:
        state = ("on", "good") if facts.is_policy_active else _switched(None)
        return Part("version", "New version", *state, "none yet", policy, line)
    state = _whereabouts(newest, facts)
    if newest.state == "failed":
        state = ("failed", "bad")
    elif newest.role == "offer":
        number = newest.title.rpartition(":")[2]
        line = f"%promote {_word(facts.deployment)} {number}"
    note = f"{newest.said} {policy}".strip()
    return Part("version", "New version", *state, newest.title, note, line)


def _whereabouts(newest: Newest, facts: PipelineFacts) -> tuple[str, str]:
    """Where a new version is by now, whatever the policy did with it at first."""
    if newest.title == facts.champion:
        return "champion", "good"
    if newest.title == facts.shadow:
        return "in shadow", "good"
    if newest.role == "offer":
        return "waits for you", "warn"
    return "put aside", "off"


def _shadow(facts: PipelineFacts) -> Part:
    gate = facts.gate or "No gate: any version may be promoted."
    if not facts.shadow:
        line = 'd.shadow = "MODEL:VERSION"'
        return Part("shadow", "Shadow", "none", "off", "none", gate, line)
    note = (
        f"{_counted(facts.shadow_predictions, 'prediction')}; {_counted(facts.compared, 'image')} "
        f"reviewed that both predicted on. {gate}"
    )
    line = f"%promote {_word(facts.deployment)}"
    return Part("shadow", "Shadow", "predicts beside", "good", facts.shadow, note, line)


def _champion(facts: PipelineFacts) -> Part:
    note = f"{_counted(facts.champion_predictions, 'prediction')} of this version."
    state, tone = "answers", "good"
    if facts.champion_wanted:
        state, tone = "taking over", "busy"
        note = f"{facts.champion_wanted} predicts until it is loaded. {note}"
    elif facts.state not in ("ready", "degraded"):
        state, tone = "not served", "off"
    line = "d.rollouts()"
    if facts.champion_before:
        note += f" Before it: {facts.champion_before}."
        line = f"%rollback {_word(facts.deployment)}"
    return Part("champion", "Champion", state, tone, facts.champion, note, line)


def _switched(active: bool | None) -> tuple[str, str]:
    if active is None:
        return "not set up", "off"
    return ("on", "good") if active else ("paused", "warn")


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _word(name: str) -> str:
    return f'"{name}"' if any(sign.isspace() for sign in name) else name
