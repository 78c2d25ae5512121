"""The scaling of columns, and how it becomes part of the network."""

import numpy as np
import pytest

from fastbp import Network, ReferenceNetwork
from fastbp.networks.scaling import choose, fold_into_inputs, fold_into_outputs, standard


def test_when_features_are_scaled():
    small, large = np.array([[-1.0], [0.5]]), np.array([[3.0], [5.0]])
    assert choose(small, "auto") is None
    assert choose(large, "none") is None
    np.testing.assert_allclose(choose(large, "auto")(large), [[-1], [1]])
    np.testing.assert_allclose(choose(small, "standard")(small), [[-1], [1]])
    flags = choose(np.array([[3.0, 0], [5, 1], [5, 1]]), "auto")  # a rare flag must not become huge
    np.testing.assert_array_equal(flags(np.array([[3.0, 1]]))[:, 1], [1])
    pixels = np.array([[0, 255]], np.uint8)
    np.testing.assert_array_equal(choose(pixels, "auto")(pixels), np.float32([[0, 1]]))
    np.testing.assert_array_equal(standard(np.ones((3, 1)))(np.ones((3, 1))), np.zeros((3, 1)))


@pytest.mark.parametrize("engine", [Network, ReferenceNetwork])
def test_folded_scaling_changes_no_prediction(engine):
    rng = np.random.default_rng(0)
    x, y = rng.normal(100, [1, 20, 3], (50, 3)), rng.normal(7, [1, 100], (50, 2))
    net = engine([3, 5, 2], activation="tanh", output="identity", dtype="float64", seed=0)
    scale_x, scale_y = standard(x), standard(y)
    expected = net.predict(scale_x(x)) * scale_y.scale + scale_y.shift
    fold_into_inputs(net, scale_x)
    fold_into_outputs(net, scale_y)
    np.testing.assert_allclose(net.predict(x), expected, rtol=1e-12)
