"""When batches start, on a device of which only the clock is real to the batcher."""

import pytest

from picsellia_jupyter.serving.batching import WAIT_S, Batcher


class Device:
    """A device that takes 8 ms and 0.5 ms an image; time passes only when it is told to."""

    def __init__(self, largest=8):
        self.now = 0.0
        self.batcher = Batcher(largest, lambda: self.now)
        self.ready = self.running = 0
        self.sizes = []

    @property
    def outstanding(self):
        return self.ready + self.running

    def come(self, images=1):
        for _ in range(images):
            self.ready += 1
            self.batcher.came(self.outstanding)

    def wait_s(self):
        return self.batcher.wait_s(self.ready, self.outstanding)

    def start(self):
        self.running = self.batcher.take(self.ready)
        self.ready -= self.running
        self.sizes.append(self.running)

    def end(self):
        seconds = 0.008 + 0.0005 * self.running
        self.now += seconds
        self.batcher.ran(seconds, self.outstanding)
        self.running = 0


def served(clients, *, seconds=2.0, away_s=0.0008, largest=8):
    """Images a second where each client sends the next image 0.8 ms after an answer."""
    device, coming, count = Device(largest), [0.0] * clients, 0

    def arrive():
        while coming and coming[0] <= device.now:
            coming.pop(0)
            device.come()

    while device.now < seconds:
        arrive()
        wait_s = device.wait_s()
        if wait_s == 0.0:
            device.start()
            size = device.running
            device.end()
            arrive()
            count += size
            coming += [device.now + away_s] * size
            coming.sort()
        else:
            until = device.now + (9.9 if wait_s is None else wait_s) + 1e-9
            device.now = min([until, *coming[:1]])
    return count / device.now


@pytest.mark.parametrize("clients", [2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 24, 32])
def test_throughput_is_close_to_ideal_with_any_number_of_clients(clients):
    size = min(clients, 8)
    ideal = size / (0.008 + 0.0005 * size)
    least = 0.93 if clients >= 16 else 0.85
    assert served(clients) >= least * ideal


def test_a_lone_client_never_waits():
    device = Device()
    for _ in range(20):
        device.come()
        assert device.wait_s() == 0.0
        device.start()
        device.end()
        device.now += 0.001


def test_with_nothing_ready_there_is_nothing_to_start():
    assert Device().wait_s() is None


def test_a_full_batch_starts_at_once_and_leaves_the_rest():
    device = Device()
    device.come(11)
    assert device.wait_s() == 0.0
    device.start()
    assert (device.running, device.ready) == (8, 3)


def test_a_free_device_waits_for_as_many_as_there_were_but_three_milliseconds_at_most():
    device = Device()
    device.come(4)
    device.start()
    device.end()
    device.come(1)
    assert device.wait_s() == pytest.approx(WAIT_S)
    device.now += 0.001
    device.come(2)
    assert device.wait_s() == pytest.approx(WAIT_S - 0.001)
    device.now += 0.0021
    assert device.wait_s() == 0.0


def test_those_that_did_not_come_are_not_waited_for_again():
    device = Device()
    device.come(6)
    device.start()
    device.end()
    device.come()
    device.wait_s()
    device.now += WAIT_S + 0.0001
    assert device.wait_s() == 0.0
    device.start()
    device.end()
    device.come()
    assert device.wait_s() == 0.0


def test_a_fast_model_is_waited_for_shorter_than_it_takes():
    batcher = Batcher(8, lambda: 0.0)
    batcher.came(2)
    batcher.take(2)
    batcher.ran(0.001, 2)
    assert batcher.wait_s(1, 1) == pytest.approx(0.0005)


def test_without_batches_nothing_is_ever_waited_for():
    device = Device(largest=1)
    device.come(5)
    device.start()
    device.end()
    assert device.wait_s() == 0.0
    device.start()
    assert device.sizes == [1, 1]


def test_one_slow_batch_does_not_make_a_model_slow():
    batcher = Batcher(8)
    assert batcher.recent_s == 0.0
    for seconds, recent in ((0.2, 0.0), (0.01, 0.01), (0.3, 0.01), (0.2, 0.2)):
        batcher.ran(seconds, 1)
        assert batcher.recent_s == recent


def test_as_many_as_were_lately_there_together_are_enough():
    device = Device()
    assert device.batcher.enough(1)
    device.come(3)
    assert [device.batcher.enough(ready) for ready in (1, 2, 3)] == [False, False, True]
    device.come(20)
    assert [device.batcher.enough(ready) for ready in (7, 8)] == [False, True]
