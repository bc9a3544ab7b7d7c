import pytest

from picsellia_jupyter.domain.errors import first_line


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("one\ntwo", "one"),
        ("", "ValueError"),
        (
            "Graph execution error:\n\nDetected\n/x; No such file\n\t [[{{node N}}]]",
            "/x; No such file",
        ),
        (
            "The following operation failed in the TorchScript interpreter.\nTraceback:\n  here\n"
            "RuntimeError: too small\n",
            "RuntimeError: too small",
        ),
    ],
)
def test_the_line_that_tells_of_an_error_is_found(said, told):
    assert first_line(ValueError(said)) == told
