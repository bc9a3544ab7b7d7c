"""Gates that cannot be."""

import pytest

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.promotion import Gate


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"by": 1.0}, "a gain in [0, 1); got 1. 0.02 is two points of AP."),
        ({"confidence": 95.0}, "lies in [0.5, 1); got 95. 95 % is 0.95."),
        ({"at_least": 5}, "at least 20 images; got 5. Of fewer no interval can be told."),
    ],
)
def test_a_gate_that_cannot_be_is_refused(wrong, says):
    with pytest.raises(InvalidInputError) as refused:
        Gate("ap_50", **wrong)
    assert says in str(refused.value)
