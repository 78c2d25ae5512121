"""The drop-ins and what they stand in for end alike, and each once as a benchmark."""

import random

import numpy as np
import pytest
from sklearn import neural_network

from fastbp import sklearn
from fastbp.nielsen import network

from . import dropins
from .book_loop import Chapter1

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("chapter", [1, 3])
def test_the_books_programs_have_as_many_right(chapter):
    settings = {"chapter": chapter, "epochs": 1, "count": 500}
    mine, theirs = (dropins.work({"kind": "book", "ours": ours, "threads": 1, "settings": settings}) for ours in (1, 0))
    assert mine["outcome"] == theirs["outcome"]
    assert mine["seconds"] > 0 < theirs["seconds"]


def test_estimators_end_with_the_same_loss():
    settings = {"hidden_layer_sizes": [9], "samples": 200, "inputs": 20, "batch_size": "auto", "epochs": 3}
    mine, theirs = (dropins.work({"kind": "sklearn", "ours": o, "threads": 1, "settings": settings}) for o in (1, 0))
    np.testing.assert_allclose(mine["outcome"], theirs["outcome"], rtol=1e-9)


def test_one_sample_is_timed():
    assert "net.predict(x, out)" in dropins.one_sample(short=True)


@pytest.mark.parametrize("kind", [network.Network, Chapter1], ids=["fastbp", "loop"])
@pytest.mark.benchmark(group="the book's program, 1000 samples, 784-30-10")
def test_book(benchmark, kind, capsys):
    rng = np.random.default_rng(0)
    data = [(x, np.eye(10)[:, [y]]) for x, y in zip(rng.random((1000, 784, 1)), rng.integers(0, 10, 1000), strict=True)]
    random.seed(0)
    benchmark(kind([784, 30, 10]).SGD, data, 1, 10, 3.0)


@pytest.mark.parametrize("kind", [sklearn.MLPClassifier, neural_network.MLPClassifier], ids=["fastbp", "scikit-learn"])
@pytest.mark.benchmark(group="MLPClassifier, 500 samples, 20-100-10, batch 10, 5 epochs")
def test_mlp(benchmark, kind):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(500, 20)), rng.integers(0, 10, 500)
    benchmark(kind(batch_size=10, max_iter=5, random_state=0).fit, x, y)
