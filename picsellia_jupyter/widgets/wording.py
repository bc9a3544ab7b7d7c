"""What the deploy form says, made of what was chosen; plain text, each in a sentence or two."""

from __future__ import annotations

from picsellia_jupyter.display.units import brief, count
from picsellia_jupyter.domain.deployments import Strategy
from picsellia_jupyter.domain.places import LOCAL, PlaceReport
from picsellia_jupyter.domain.registry import ModelVersion
from picsellia_jupyter.domain.usage import amount
from picsellia_jupyter.widgets.choices import Choices
from picsellia_jupyter.widgets.deploy_form import DeployForm, Verdict

TITLE = "Deploy a model version"
THRESHOLD_ADVICE = (
    "Only shapes scored over it are considered. Start low, see how the model behaves, "
    "and raise it later in the deployment's settings."
)
NAME_ADVICE = "two words are made up if this is left empty"
_MOST_LABELS = 6
_BY_HAND = "None: I serve it myself"


def strategy_cards(choices: Choices) -> list[tuple[str, Strategy]]:
    """A card a strategy: its name, then who hosts, what is connected, and what it costs."""
    hosted = (
        "Hosted by Picsellia, on its GPUs."
        if choices.serves_itself
        else "Hosted for you, in a serving kernel."
    )
    serving = [hosted, "Predictions are logged by themselves.", _serving_cost(choices)]
    monitoring = [
        "Hosted by you, on your own machines.",
        "The code that logs is made for you.",
        "Uses no MPU.",
    ]
    cards = {Strategy.SERVING: serving, Strategy.MONITORING: monitoring}
    return [("\n".join([who.title, *said]), who) for who, said in cards.items()]


def _serving_cost(choices: Choices) -> str:
    if choices.allowance or choices.serves_itself:
        return "Uses MPU."
    return "This platform meters no MPU."


def cost(form: DeployForm, choices: Choices) -> str:
    """MPU left and what this will use; empty where it uses none or the platform tells nothing."""
    told = choices.allowance
    if told is None or form.strategy is not Strategy.SERVING:
        return ""
    left = "No limit of MPU is set." if told.left is None else f"{amount(told.left)} MPU left."
    return f"{left} {told.estimate}".strip()


def version_facts(version: ModelVersion, choices: Choices) -> str:
    """A version in a line: its type, framework, labels and source."""
    names = [brief(name, most=20) for name in version.labels.values()]
    more = " …" if len(names) > _MOST_LABELS else ""
    labels = count(len(names), "label")
    if names:
        labels += f" ({', '.join(names[:_MOST_LABELS])}{more})"
    framework = version.framework.value.replace("_", " ").lower()
    parts = [version.type.title, framework, labels]
    known = choices.facts.get(version.id)
    if known:
        parts.append("from an experiment" if known.experiment_id else "imported by hand")
    return " · ".join(parts)


def storage(name: str, choices: Choices) -> str:
    """Through which storage connector the images of a datalake are stored."""
    lakes = choices.lakes
    lake = next((one for one in lakes if one.name == name), None)
    if lake is None or lake.connector_id is None:
        return "Predicted images are stored there."
    if lake.connector_id != lakes[0].connector_id:
        return f"Predicted images go to its own storage connector ({lake.connector_id[:8]})."
    return "Predicted images go to the default storage connector."


def datalake_options(choices: Choices) -> list[tuple[str, str]]:
    """The datalakes to choose from, the default one first."""
    named = [(lake.name, lake.name) for lake in choices.lakes]
    title = named[0][0] if named else ""
    is_plain = title.lower() == "default"
    return [(title if is_plain else f"{title} (the default)", title), *named[1:]] if named else []


def place_options(form: DeployForm, choices: Choices) -> list[tuple[str, str]]:
    """The places to choose from, each with its device, by what is typed for them."""
    mine = [] if form.strategy is Strategy.SERVING else [(_BY_HAND, "")]
    names = [LOCAL, *choices.place_names()]
    return [*mine, *((_place(name, choices.report(name)), name) for name in names)]


def _place(name: str, report: PlaceReport | None) -> str:
    title = "This machine (local)" if name == LOCAL else name
    if report is None:
        return title
    if report.inventory is None:
        return f"{title}: does not answer"
    gpus = report.inventory.gpus
    return f"{title}: {gpus[0].name if len(gpus) == 1 else count(len(gpus), 'GPU')}" if gpus else (
        f"{title}: {count(report.inventory.cores, 'core')}, no GPU"
    )  # fmt: skip


def place_facts(form: DeployForm, choices: Choices) -> str:
    """What is free at the place that is chosen."""
    if not form.place:
        return ""
    report = choices.report(form.place)
    if report is None:
        return "Asking what is free there …"
    if report.inventory is None:
        return report.trouble
    # A place without a GPU says so in the picker.
    devices = f"{report.inventory.devices()}." if report.inventory.gpus else ""
    busy = len(report.inventory.serving)
    serving = f"{count(busy, 'model is', 'models are')} served there now." if busy else ""
    return f"{devices} {serving}".strip()


def device_options(form: DeployForm, choices: Choices) -> list[tuple[str, str]]:
    """What the model can run on at the place that is chosen, by what is typed for it."""
    report = choices.report(form.place)
    inventory = report.inventory if report else None
    if inventory is None or not inventory.gpus:
        return [("The best there is", "auto"), ("CPU", "cpu")]
    cards = [
        (f"{gpu.name}, {gpu.free_mib / 1024:.0f} of {gpu.memory_mib / 1024:.0f} GiB free", number)
        for number, gpu in enumerate(inventory.gpus)
    ]
    named = [(title, f"cuda:{number}") for title, number in cards]
    return [("The best there is", "auto"), *named, ("CPU", "cpu")]


def name_facts(verdict: Verdict) -> str:
    """What its name means, where it is one that is in use."""
    if verdict.known is None:
        return ""
    return f"{verdict.known.name} is there already: it is served again, not made twice."
