import numpy as np

from picsellia_jupyter.demo.scans import SPLIT_SHARES, load_scans, split_scans


def test_every_scan_is_in_exactly_one_split():
    scans = load_scans()

    ids = np.concatenate([split.ids for split in split_scans(scans).values()])

    assert sorted(ids.tolist()) == scans.ids.tolist() == list(range(1797))


def test_each_digit_has_the_same_share_in_every_split():
    scans = load_scans()

    for name, split in split_scans(scans).items():
        shares = np.bincount(split.labels) / np.bincount(scans.labels)
        np.testing.assert_allclose(shares, SPLIT_SHARES[name], atol=0.005)


def test_a_scan_keeps_its_label_and_its_row_through_the_split():
    scans = load_scans()

    test = split_scans(scans)["test"]

    np.testing.assert_array_equal(test.labels, scans.labels[test.ids])
    np.testing.assert_array_equal(test.ink, scans.ink[test.ids])


def test_splitting_twice_gives_the_same_splits():
    first, second = split_scans(load_scans()), split_scans(load_scans())

    assert [split.ids.tolist() for split in first.values()] == [
        split.ids.tolist() for split in second.values()
    ]
