"""The page of models that can be served says what the tests of this folder show."""

import dataclasses

from picsellia_jupyter.domain.predictions import PREDICTION_TYPES
from picsellia_jupyter.serving import heads
from picsellia_jupyter.serving.manifest import HEADS, InputSpec, Manifest
from tests.serving.toolchains import exporters
from tests.serving.toolchains.cases import CASES
from tests.serving.toolchains.table import PATH, with_table


def test_the_table_is_up_to_date():
    page = PATH.read_text(encoding="utf-8")
    assert page == with_table(page), "run: python -m tests.serving.toolchains.table"


def test_every_head_and_every_key_is_described():
    page = PATH.read_text(encoding="utf-8")
    keys = {field.name for value in (Manifest, InputSpec) for field in dataclasses.fields(value)}
    told = {*HEADS, *keys} - {"input", "kind", "notes"}
    assert sorted(name for name in told if f"`{name}`" not in page) == []


def test_every_prediction_type_is_served_by_a_case():
    assert {case.kind for case in CASES} == set(PREDICTION_TYPES)


def test_every_head_reads_a_case():
    read = set()
    for case in CASES:
        if case.needs is None:
            side = case.view.side
            trial = heads.Trial(exporters.eager(case), case.kind, case.labels, side, side)
            read.add(heads.recognise(trial).said["head"])
    assert read == set(HEADS)
