import dataclasses

import pytest

from picsellia_jupyter.display import cards, listings, progress
from picsellia_jupyter.domain.deployments import (
    Check,
    DeploymentRecord,
    DryRun,
    Progress,
    ServingKernel,
    ServingState,
    Stage,
    Strategy,
)
from picsellia_jupyter.domain.registry import Framework, InferenceType, Model, ModelVersion
from picsellia_jupyter.domain.running import Running, ServedNow
from tests.display.html_reading import PAYLOAD, Reading, assert_only_ours

LINE = "%deploy digits-detector:0 --strategy serving --threshold 0.3"
DRY_RUN = DryRun(latency_s=0.0032, found=12, runtime="onnxruntime 1.31 (CPU)")
RECORD = DeploymentRecord(
    id="d1",
    name="brave-otter",
    type=InferenceType.OBJECT_DETECTION,
    strategy=Strategy.SERVING,
    state=ServingState.READY,
    model_version_id="v1",
    model_title="digits-detector:0",
    threshold=0.3,
    datalake_id="l1",
    datalake_name="default",
    inferences=1240,
    serving=ServingKernel("k1", "http://127.0.0.1:4001", "local"),
)
VERSION = ModelVersion(
    id="v1",
    model_id="m1",
    model_name="digits-detector",
    name="first",
    version=0,
    type=InferenceType.OBJECT_DETECTION,
    framework=Framework.PYTORCH,
    labels={index: f"label {index}" for index in range(20)},
)


def changed(**fields) -> DeploymentRecord:
    return dataclasses.replace(RECORD, **fields)


def facts_of(page: str) -> str:
    return " | ".join(assert_only_ours(page).text)


def test_a_served_deployment_shows_where_it_is_reached_what_it_runs_on_and_when_it_ends():
    running = Running("cuda:0", "fp16", 512 * 1024 * 1024, 1, idle_s=7200, idle_left_s=6000)
    record = changed(serving=ServingKernel("k1", "http://127.0.0.1:4001", "gpu1"))
    now = ServedNow("http://127.0.0.1:5005", running)
    for fact in (
        "Served | gpu1, http://127.0.0.1:5005",
        "Runs on | cuda:0 (fp16), 512 MiB",
        "Ends | after 2h without a request, 100 min from now",
    ):
        assert fact in facts_of(cards.deployment_card(record, None, "", now))


def test_a_kernel_that_cannot_be_reached_is_said_on_its_card():
    now = ServedNow(trouble="The Jupyter server at https://gpu-box does not answer: refused.")

    # Its address there is no use, and one here it has not.
    assert (
        "Served | local | "
        "Not reached | The Jupyter server at https://gpu-box does not answer: refused."
    ) in facts_of(cards.deployment_card(RECORD, None, "", now))


@pytest.mark.parametrize(
    ("running", "device", "end"),
    [
        (Running(), "", "not by itself"),
        (
            Running("cpu", "fp32", 220_200_960, 2, idle_s=43_200),
            "cpu (fp32), 2 workers of 210 MiB",
            "after 12h without a request",
        ),
        (
            Running("cpu", "fp32", 0, 4, idle_s=90 * 60, idle_left_s=90 * 60),
            "cpu (fp32), 4 workers",
            "after 90m without a request, 90 min from now",
        ),
        (
            Running("cpu", "fp32", 0, 1, idle_s=43_200, idle_left_s=43_190),
            "cpu (fp32)",
            "after 12h without a request, 12 h from now",
        ),
    ],
)
def test_what_runs_is_told_in_words(running: Running, device: str, end: str):
    assert running.device_in_words() == device
    assert running.end_in_words() == end


def test_a_ready_deployment_shows_what_it_is_and_what_to_do_next():
    shown = facts_of(cards.deployment_card(RECORD, DRY_RUN, LINE))
    for fact in (
        "brave-otter | ready | object detection",
        "Model version | digits-detector:0",
        "Strategy | Picsellia Serving",
        "Threshold | 0.3",
        "Datalake | default",
        "Served | local, http://127.0.0.1:4001",
        "Inferences | 1,240",
        "Dry run | 3.2 ms, onnxruntime 1.31 (CPU), sandbox: process",
        LINE,
        "%predict IMAGE… --on brave-otter | %monitor brave-otter --last 24h",
        "%undeploy brave-otter",
    ):
        assert fact in shown


def test_the_checklist_names_what_is_well_and_what_to_do_about_the_rest():
    checks = (Check("Files", "model.onnx"), Check("Origin", "imported by hand", "Compare."))
    shown = facts_of(cards.deployment_card(RECORD, dataclasses.replace(DRY_RUN, checks=checks), ""))
    assert "Checked | ✓ Files" in shown
    assert "⚠ Origin | imported by hand. Compare." in shown


def test_a_classification_says_why_it_has_no_threshold():
    record = changed(type=InferenceType.CLASSIFICATION, threshold=None)
    assert "Threshold | none (classification)" in facts_of(cards.deployment_card(record, None, ""))


def test_a_stopped_deployment_says_why_and_offers_no_prediction():
    record = changed(state=ServingState.STOPPED, reason="No heartbeat for 12 s.")
    shown = facts_of(cards.deployment_card(record, None, ""))
    assert "Why | No heartbeat for 12 s." in shown
    assert "%predict" not in shown


def test_monitoring_only_comes_with_its_code_as_it_was_given():
    record = changed(strategy=Strategy.MONITORING, state=ServingState.NOT_SERVED, serving=None)
    code = "if a < b:\n    deployment.monitor(\n        'page.jpg',\n    )"
    page = cards.deployment_card(record, None, LINE, code=code)
    assert code in Reading(page).text


def test_a_name_with_a_space_is_quoted_in_the_lines_to_type():
    assert '%monitor "two words" --last 24h' in cards.deployment_text(
        changed(name="two words"), None, ""
    )


def test_a_deployment_in_a_terminal_is_aligned():
    assert cards.deployment_text(RECORD, DRY_RUN, LINE).splitlines()[:3] == [
        "brave-otter: ready (object detection)",
        "  Model version  digits-detector:0",
        "  Strategy       Picsellia Serving",
    ]


@pytest.mark.parametrize("state", ServingState)
def test_a_state_is_told_in_words_not_by_its_colour_alone(state):
    assert state.value in Reading(cards.deployment_card(changed(state=state), None, "")).text


def test_only_a_web_address_becomes_a_link():
    linked = Reading(cards.deployment_card(changed(url="https://app.example/d1"), None, ""))
    assert linked.values("href") == ["https://app.example/d1"]
    unlinked = Reading(cards.deployment_card(changed(url="javascript:alert(1)"), None, ""))
    assert unlinked.values("href") == []


STEPS = [
    Progress(Stage.RESOLVE, "digits-detector:0", 0.0),
    Progress(Stage.DOWNLOAD, "model-latest", 0.5),
    Progress(Stage.LOAD, "onnxruntime", 2.0),
]


def test_progress_marks_what_is_done_what_lasts_and_what_is_to_come():
    reading = assert_only_ours(progress.progress_card(STEPS, 3.0))
    assert reading.values("aria-label") == [
        "Deploying, 3.0 s",
        *["done", "done", "under way", "to come", "to come"],
    ]
    assert reading.values("aria-current") == ["step"]
    shown = " | ".join(reading.text)
    assert "Download | model-latest | 1.5 s" in shown
    assert "Load | onnxruntime | 1.0 s" in shown


def test_progress_that_arrived_is_done_throughout():
    steps = [
        *STEPS,
        Progress(Stage.DRY_RUN, "one image", 2.5),
        Progress(Stage.READY, "", 2.8),
    ]
    labels = Reading(progress.progress_card(steps, 2.8)).values("aria-label")
    assert labels == ["Ready after 2.8 s", *["done"] * 5]


def test_stages_that_were_passed_over_are_not_needed():
    steps = [STEPS[0], Progress(Stage.READY, "", 0.4)]
    labels = Reading(progress.progress_card(steps, 0.4)).values("aria-label")
    assert labels[1:] == ["done", "not needed", "not needed", "not needed", "done"]


def test_progress_that_failed_says_where_and_why():
    page = progress.progress_card(STEPS, 3.0, "The model worker ended.")
    reading = assert_only_ours(page)
    assert "Not deployed: ended at load after 3.0 s" in reading.text
    assert "The model worker ended." in reading.text
    assert "failed" in reading.values("aria-label")
    assert reading.values("aria-current") == []


def test_progress_in_a_terminal_is_two_lines():
    assert progress.progress_text(STEPS, 3.0).splitlines() == [
        "✓ resolve  ✓ download  → load  · dry run  · ready",
        "Deploying, 3.0 s: onnxruntime",
    ]


def test_progress_may_be_shown_before_anything_began():
    assert "Deploying, 0.0 s" in progress.progress_card([], 0.0)
    assert progress.progress_text([], 0.0).endswith("Deploying, 0.0 s")


def test_deployments_are_listed_one_a_row():
    reading = assert_only_ours(listings.deployments_table([RECORD, changed(name="calm-heron")]))
    assert reading.tags.count("tr") == 3
    assert "calm-heron" in reading.text


def test_deployments_in_a_terminal_stand_in_columns():
    head, row = listings.deployments_text([RECORD]).splitlines()
    assert head.index("State") == row.index("ready")
    assert head.index("Threshold") == row.index("0.3")


def test_no_deployments_say_how_to_make_one():
    assert "%deploy" in facts_of(listings.deployments_table([]))
    assert "%deploy" in listings.deployments_text([])


def test_the_registry_lists_each_version_with_its_labels():
    models = [Model("m1", "digits-detector", (VERSION,)), Model("m2", "empty")]
    shown = facts_of(listings.registry_table(models))
    assert "digits-detector:0 | first | object detection | pytorch" in shown
    assert "label 11 and 8 more" in shown
    assert "empty | no version yet" in shown
    assert "no version yet" in listings.registry_text(models)


def test_an_empty_registry_says_so():
    assert "no models yet" in facts_of(listings.registry_table([]))
    assert "no models yet" in listings.registry_text([])


def test_status_is_a_few_named_facts():
    rows = {"Platform": "local", "Organization": "demo"}
    assert "Platform | local | Organization | demo" in facts_of(cards.status_card(rows))
    assert cards.status_text(rows) == "Platform      local\nOrganization  demo"


def everything_with(text: str) -> list[str]:
    record = changed(
        name=text,
        model_title=text,
        datalake_name=text,
        reason=text,
        url=f"https://{text}",
        serving=ServingKernel(text, text, text),
    )
    version = dataclasses.replace(VERSION, model_name=text, name=text, labels={0: text})
    steps = [Progress(Stage.LOAD, text, 0.0)]
    return [
        cards.deployment_card(record, DryRun(0.1, 1, text, text), text, code=text),
        progress.progress_card(steps, 1.0, text),
        progress.progress_card(steps, 1.0),
        listings.deployments_table([record]),
        listings.registry_table([Model("m", text, (version,)), Model("n", text)]),
        cards.status_card({text: text}, title=text),
    ]


def test_nothing_that_was_typed_elsewhere_becomes_html():
    for page in everything_with(PAYLOAD):
        assert any("<script>" in text for text in assert_only_ours(page).text)


def test_no_text_reaches_a_terminal_with_control_signs():
    text = "name\x1b[31m\x07\u202e"
    record = changed(name=text, model_title=text, reason=text)
    for shown in (
        cards.deployment_text(record, None, ""),
        listings.deployments_text([record]),
        progress.progress_text([Progress(Stage.LOAD, text, 0.0)], 1.0, text),
        listings.registry_text([Model("m", text)]),
        cards.status_text({"a": text}),
    ):
        assert not set(shown) & set("\x1b\x07\u202e")


def test_a_note_stands_above_and_is_escaped():
    html = cards.with_note("<p>below</p>", "3 <b>lost</b>")

    assert html.index("3 &lt;b&gt;lost") < html.index("<p>below</p>")
    assert cards.with_note("<p>below</p>", "") == "<p>below</p>"
    assert cards.with_note_text("below", "3 lost") == "Note: 3 lost\nbelow"
