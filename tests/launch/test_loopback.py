"""Which addresses lead to the asking machine, and which processes share them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from picsellia_jupyter.launch import loopback


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:8000", "http://127.8.9.1", "http://[::1]:80/x", "http://localhost:80"],
)
def test_an_address_of_ones_own_machine(address: str):
    assert loopback.is_loopback(address)


@pytest.mark.parametrize(
    "address", ["https://app.picsellia.com", "http://10.0.0.7", "http://localhost.example.com"]
)
def test_an_address_elsewhere(address: str):
    assert not loopback.is_loopback(address)


def test_another_process_of_this_machine_has_the_same_loopback():
    code = "from picsellia_jupyter.launch import loopback; print(loopback.identity())"

    said = subprocess.check_output([sys.executable, "-c", code], text=True)

    assert said.strip() == loopback.identity()
