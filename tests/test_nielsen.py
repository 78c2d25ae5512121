"""The book's programs: the same networks, streams of random numbers, printed lines and files, at another speed."""

import gzip
import json
import pickle
import random
import runpy
from pathlib import Path

import numpy as np
import pytest

import fastbp
from fastbp.errors import DataFileError, ModelFileError
from fastbp.nielsen import mnist_loader, network, network2
from fastbp.nielsen.pickled import read_arrays
from fastbp.nielsen.shuffle import shuffled

book = runpy.run_path(str(Path(__file__).parent.parent / "benchmarks" / "book_loop.py"))  # the book's loop, plainly
SIZES = ([3, 2], [2, 1], [1, 3, 2], [15, 16, 3], [17, 31, 33, 10])
STEADY = fastbp.Activation("steady", lambda z: np.tanh(z) + z / 2)
SAME = {"rtol": 1e-9, "atol": 1e-11}  # float64, some dozen steps of which each begins where the last one ended


def seeded(make, *args, **named):
    np.random.seed(12345678)
    random.seed(12345678)
    return make(*args, **named)


def samples(sizes, n=64, labels=False, dtype=np.float32):
    rng = np.random.default_rng(3)
    x = rng.random((n, sizes[0], 1)).astype(dtype)
    places = rng.integers(0, sizes[-1], n)
    if labels:
        return list(zip(x, places, strict=True))
    return list(zip(x, np.eye(sizes[-1])[places][:, :, None], strict=True))


def assert_same(net, other):
    for name in ("weights", "biases"):
        for array, wanted in zip(getattr(net, name), getattr(other, name), strict=True):
            np.testing.assert_allclose(array, wanted, **SAME)


# The same numbers


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("batch", [1, 7, 10, 64, 100])
def test_chapter_1_trains_as_the_book_does(sizes, batch, capsys):
    mine, theirs = samples(sizes), samples(sizes)
    tests = samples(sizes, labels=True)
    net, other = seeded(network.Network, sizes), seeded(book["Chapter1"], sizes)
    state = random.getstate(), np.random.get_state()[1].tolist()
    net.SGD(mine, 3, batch, 3.0, test_data=tests)
    after = random.getstate()
    random.setstate(state[0])
    right = other.SGD(theirs, 3, batch, 3.0, test_data=tests)
    assert_same(net, other)
    assert capsys.readouterr().out == "".join(f"Epoch {i}: {count} / 64\n" for i, count in enumerate(right))
    assert random.getstate() == after
    assert np.random.get_state()[1].tolist() == state[1]
    assert [x.tolist() for x, _ in mine] == [x.tolist() for x, _ in theirs]  # the list itself is shuffled


@pytest.mark.parametrize("sizes", [[15, 16, 10], [17, 31, 33, 10]], ids=str)
def test_chapter_3_trains_and_measures_as_the_book_does(sizes, capsys):
    data, held = samples(sizes), samples(sizes, 33, labels=True)
    net, other = seeded(network2.Network, sizes), seeded(book["Chapter3"], sizes)
    found = net.SGD(data, 3, 10, 0.5, 5.0, held, True, True, True, True)
    random.seed(12345678)
    wanted = other.SGD(samples(sizes), 3, 10, 0.5, 5.0, held)
    assert_same(net, other)
    for each, right in zip(found, wanted, strict=True):
        np.testing.assert_allclose(each, right, rtol=1e-9)
    lines = capsys.readouterr().out.split("\n")
    assert lines[:6] == [
        "Epoch 0 training complete",
        f"Cost on training data: {found[2][0]}",
        f"Accuracy on training data: {found[3][0]} / 64",
        f"Cost on evaluation data: {found[0][0]}",
        f"Accuracy on evaluation data: {found[1][0]} / 33",
        "",
    ]
    json.dumps(found)
    assert [type(each[0]) for each in found] == [float, int, float, int]


def test_backprop_is_the_books():
    net = network2.Network([5, 4, 3], cost=network2.QuadraticCost)
    x, y = np.random.default_rng(0).random((5, 1)), np.eye(3)[:, [1]]
    twin = fastbp.Network([5, 4, 3], output="sigmoid", dtype="float64", initializer=(
        net.weights, [b[:, 0] for b in net.biases]))  # fmt: skip
    wanted = twin.backprop(x.T, y.T)
    nabla_b, nabla_w = net.backprop(x, y)
    for found, right in zip(
        [*nabla_w, *nabla_b], [*wanted.nabla_w, *(b[:, None] for b in wanted.nabla_b)], strict=True
    ):
        np.testing.assert_allclose(found, right, rtol=1e-12)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 15, 16, 17, 31, 33, 100, 1000])
def test_the_order_is_that_of_random_shuffle(n):
    for _ in range(3):
        state = random.getstate()
        order = list(range(n))
        random.shuffle(order)
        after = random.getstate()
        random.setstate(state)
        assert shuffled(n).tolist() == order
        assert random.getstate() == after


def test_another_shuffle_in_the_place_of_pythons_is_used(monkeypatch):
    monkeypatch.setattr(random, "shuffle", lambda x: x.reverse())
    assert shuffled(3).tolist() == [2, 1, 0]


# Lists that belong to the user


def test_what_is_written_into_the_lists_counts():
    sizes = [4, 3, 2]
    net, other = seeded(network.Network, sizes), seeded(book["Chapter1"], sizes)
    for each in (net, other):
        each.weights[0][1, 2] = 7
        each.biases[1][0][0] = -25
        each.weights[1][:] = 0.5
    net.biases = np.array(net.biases, object)
    random.seed(1)
    net.SGD(samples(sizes), 1, 10, 1.0, verbose=False)
    random.seed(1)
    other.SGD(samples(sizes), 1, 10, 1.0)
    assert_same(net, other)
    assert type(net.weights) is type(net.biases) is list
    net.weights[0][0, 0] = 3.0


def test_lists_are_bound_anew_so_that_old_ones_stay():
    net = network.Network([4, 3, 2])
    old, before = net.weights, [w.copy() for w in net.weights]
    net.SGD(samples([4, 3, 2]), 1, 10, 1.0, verbose=False)
    assert net.weights is not old
    assert all(np.array_equal(w, kept) for w, kept in zip(old, before, strict=True))
    assert not np.array_equal(net.weights[0], old[0])


def test_ctrl_c_leaves_lists_of_a_moment_in_between():
    net, data = network.Network([4, 3, 2]), samples([4, 3, 2])
    before = [w.copy() for w in net.weights]

    def stop(net, epoch):
        if epoch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        net.SGD(data, 5, 10, 1.0, verbose=False, epoch_callback=stop)
    assert all(np.isfinite(w).all() for w in net.weights)
    assert not np.array_equal(net.weights[0], before[0])
    net.SGD(data, 1, 10, 1.0, verbose=False)


def test_numbers_are_read_anew_each_time_though_samples_are_known_again():
    sizes, data = [4, 3, 2], samples([4, 3, 2])
    net, other = seeded(network.Network, sizes), seeded(book["Chapter1"], sizes)
    copy = [(x.copy(), y.copy()) for x, y in data]
    for round_ in range(3):
        random.seed(round_)
        net.SGD(data, 1, 10, 1.0, verbose=False)
        random.seed(round_)
        other.SGD(copy, 1, 10, 1.0)
        for each in (data, copy):
            each[5][0][2] = -3.0 * round_
            each[7][1][0] = 0.25
    assert_same(net, other)
    assert len(net._kept_columns) == 1
    random.seed(9)
    net.SGD(data[:20], 1, 10, 1.0, verbose=False)
    random.seed(9)
    other.SGD(copy[:20], 1, 10, 1.0)
    assert_same(net, other)


def test_a_pickled_network_has_what_the_books_has(tmp_path):
    net = network2.Network([4, 3, 2])
    net.SGD(samples([4, 3, 2]), 1, 10, 1.0, verbose=False)
    assert set(net.__getstate__()) == {"num_layers", "sizes", "biases", "weights", "cost"}
    other = pickle.loads(pickle.dumps(net))
    assert_same(net, other)
    old = network.Network.__new__(network.Network)  # as pickle makes one of the book's own
    old.__dict__.update(num_layers=3, sizes=[4, 3, 2], biases=net.biases, weights=net.weights)
    old.SGD(samples([4, 3, 2]), 1, 10, 1.0, verbose=False)


# Overrides


_backprop = network.Network.backprop


def _halved(net, x, y):
    nabla_b, nabla_w = _backprop(net, x, y)
    return [b / 2 for b in nabla_b], [w / 2 for w in nabla_w]


class Halved(network.Network):
    backprop = _halved


class BookHalved(book["Chapter1"]):
    def backprop(self, x, y):
        nabla_b, nabla_w = super().backprop(x, y)
        return [b / 2 for b in nabla_b], [w / 2 for w in nabla_w]


@pytest.mark.parametrize("where", ["subclass", "instance", "class"])
def test_a_method_of_ones_own_is_used_and_it_is_said_once(where, monkeypatch):
    sizes = [4, 3, 2]
    if where == "class":
        monkeypatch.setattr(network.Network, "backprop", _halved)
    net, other = seeded(Halved if where == "subclass" else network.Network, sizes), seeded(BookHalved, sizes)
    if where == "instance":
        net.backprop = lambda x, y: _halved(net, x, y)
    with pytest.warns(UserWarning, match=r"backprop is not the book's") as said:
        net.SGD(samples(sizes), 1, 10, 1.0, verbose=False)
        net.SGD(samples(sizes), 1, 10, 1.0, verbose=False)
    assert len(said) == 1
    random.seed(12345678)
    for _ in range(2):
        other.SGD(samples(sizes), 1, 10, 1.0)
    assert_same(net, other)


@pytest.mark.parametrize("name", ["update_mini_batch", "cost_derivative"])
def test_other_steps_of_ones_own_are_used(name):
    class Own(network.Network):
        pass

    calls = []
    original = getattr(network.Network, name)
    setattr(Own, name, lambda self, *args: calls.append(1) or original(self, *args))
    net = Own([4, 3, 2])
    with pytest.warns(UserWarning, match=name):
        net.SGD(samples([4, 3, 2]), 1, 10, 1.0, verbose=False)
    assert len(calls) == (7 if name == "update_mini_batch" else 64)


@pytest.mark.parametrize("name", ["evaluate", "feedforward"])
def test_judging_by_a_method_of_ones_own_leaves_training_fast(name, capsys):
    class Own(network.Network):
        pass

    answers = {"evaluate": lambda self, data: 42, "feedforward": lambda self, a: np.array([[1.0], [0.0]])}
    setattr(Own, name, answers[name])
    tests = samples([4, 3, 2], labels=True)
    net = Own([4, 3, 2])
    net.SGD(samples([4, 3, 2]), 1, 10, 1.0, test_data=tests)
    right = 42 if name == "evaluate" else sum(int(y == 0) for _, y in tests)
    assert capsys.readouterr().out == f"Epoch 0: {right} / 64\n"


def test_accuracy_total_cost_and_initializers_of_ones_own_are_used():
    class Own(network2.Network):
        def default_weight_initializer(self):
            self.large_weight_initializer()
            self.weights = [w * 0 for w in self.weights]

        def accuracy(self, data, convert=False):
            return 7

        def total_cost(self, data, lmbda, convert=False):
            return 8.0

    net = Own([4, 3, 2])
    assert not net.weights[0].any()
    held = samples([4, 3, 2], labels=True)
    assert net.SGD(samples([4, 3, 2]), 2, 10, 1.0, 0.0, held, True, True, True, True, verbose=False) == (
        [8.0] * 2, [7] * 2, [8.0] * 2, [7] * 2,
    )  # fmt: skip


def test_a_sigmoid_of_ones_own_in_the_module_is_used(monkeypatch):
    monkeypatch.setattr(network, "sigmoid", lambda z: np.tanh(z))
    monkeypatch.setattr(network, "sigmoid_prime", lambda z: 1 - np.tanh(z) ** 2)
    net = network.Network([4, 3, 2])
    a = np.ones((4, 1))
    np.testing.assert_allclose(
        net.feedforward(a),
        np.tanh(net.weights[1] @ np.tanh(net.weights[0] @ a + net.biases[0]) + net.biases[1]),
    )
    with pytest.warns(UserWarning, match="sigmoid"):
        net.SGD(samples([4, 3, 2]), 1, 10, 0.1, verbose=False)


class Fourth:
    @staticmethod
    def fn(a, y):
        return np.sum((a - y) ** 4)

    @staticmethod
    def delta(z, a, y):
        return 4 * (a - y) ** 3 * a * (1 - a)


@pytest.mark.parametrize("cost", [Fourth, Fourth(), network2.CrossEntropyCost, network2.QuadraticCost()], ids=str)
def test_a_cost_is_a_class_or_an_instance(cost):
    net = seeded(network2.Network, [4, 3, 2], cost)
    other = seeded(book["Chapter3"], [4, 3, 2])
    other.error = lambda z, a, y: cost.delta(z, a, y)
    if isinstance(cost, Fourth) or cost is Fourth:
        with pytest.warns(UserWarning, match="cost"):
            found = net.SGD(samples([4, 3, 2]), 2, 10, 0.5, monitor_training_cost=True, verbose=False)
    else:
        found = net.SGD(samples([4, 3, 2]), 2, 10, 0.5, monitor_training_cost=True, verbose=False)
    random.seed(12345678)
    data = samples([4, 3, 2])
    for _ in range(2):
        other.epoch(data, 10, 0.5)
    assert_same(net, other)
    wanted = np.mean([cost.fn(other.feedforward(x), y) for x, y in data])
    np.testing.assert_allclose(found[2][-1], wanted, rtol=1e-9)


# What people give


def test_lazy_zips_are_taken_once():
    data, held = samples([4, 3, 10]), samples([4, 3, 10], labels=True)
    net = network2.Network([4, 3, 10])
    found = net.SGD(zip(*zip(*data, strict=True), strict=True), 2, 10, 1.0, 0.1,
                    zip(*zip(*held, strict=True), strict=True), True, True, True, True, verbose=False)  # fmt: skip
    assert [len(each) for each in found] == [2] * 4
    assert net.accuracy(zip(*zip(*held, strict=True), strict=True)) == found[1][-1]


@pytest.mark.parametrize("call", ["SGD", "backprop", "feedforward"])
def test_a_1d_x_is_an_error(call):
    net = network.Network([4, 3, 2])
    x, y = np.ones(4), np.ones((2, 1))
    calls = {
        "SGD": lambda: net.SGD([(x, y)], 1, 1, 1.0),
        "backprop": lambda: net.backprop(x, y),
        "feedforward": lambda: net.feedforward(x),
    }
    with pytest.raises(ValueError, match=r"reshape\(-1, 1\)"):
        calls[call]()
    one = network.Network([4, 1])
    np.testing.assert_allclose(one.feedforward(x), one.feedforward(x[:, None]))
    one.SGD([(x, 1.0), (x, 0.0)], 1, 1, 1.0, verbose=False)


@pytest.mark.filterwarnings("ignore:training takes")
def test_a_label_to_train_on_is_an_error():
    net = network.Network([4, 3, 2])
    for data in ([(np.ones((4, 1)), 1)], [(np.ones((4, 1)), np.ones((2, 1))), (np.ones((4, 1)), 1)]):
        with pytest.raises(ValueError, match="vectorized_result"):
            net.SGD(data, 1, 1, 1.0, verbose=False)


def test_samples_of_many_kinds_take_the_books_loop():
    data = samples([4, 3, 2])
    data[3] = (data[3][0].astype(np.float64), data[3][1])
    data[4] = [data[4][0], data[4][1]]
    net, other = seeded(network.Network, [4, 3, 2]), seeded(book["Chapter1"], [4, 3, 2])
    with pytest.warns(UserWarning, match="columns of one kind"):
        net.SGD(data, 2, 10, 1.0, verbose=False)
    random.seed(12345678)
    copy = samples([4, 3, 2])
    other.SGD(copy, 2, 10, 1.0)
    assert_same(net, other)


def test_nan_in_the_data_is_an_error_and_leaves_finite_lists():
    net, data = network.Network([4, 3, 2]), samples([4, 3, 2])
    data[5][0][1] = np.nan
    with pytest.raises(ValueError, match="NaN or inf in training_data"):
        net.SGD(data, 2, 10, 1.0, verbose=False)
    assert all(np.isfinite(w).all() for w in net.weights)


def test_evaluation_data_that_are_missing_are_named():
    net = network2.Network([4, 3, 2])
    with pytest.raises(ValueError, match="evaluation_data"):
        net.SGD(samples([4, 3, 2]), 1, 10, 1.0, monitor_evaluation_cost=True)
    with pytest.raises(ValueError, match="monitor_evaluation_accuracy=True"):
        net.SGD(samples([4, 3, 2]), 1, 10, 1.0, early_stopping_n=3)


def test_a_saturated_wrong_output_costs_the_largest_number():
    huge = np.finfo(float).max
    assert network2.CrossEntropyCost.fn(np.array([[1.0]]), np.array([[0.0]])) == huge
    assert network2.CrossEntropyCost.fn(np.array([[1.0]]), np.array([[1.0]])) == 0


def test_a_saturated_output_costs_as_much_while_kernels_train():
    net, data = network2.Network([4, 3, 2]), samples([4, 3, 2])
    net.biases[1][:] = 1e3
    found = net.SGD(data, 2, 10, 0.0, monitor_training_cost=True, verbose=False)
    largest = np.finfo(float).max
    np.testing.assert_allclose(found[2], net.total_cost(data, 0.0), rtol=1e-12)
    assert found[2][0] > largest / 100


def test_what_a_callback_changes_counts_and_is_seen():
    net, data = network2.Network([4, 3, 2]), samples([4, 3, 2])
    seen = []

    def change(net, epoch):
        net.weights[0][:] = epoch
        net.biases = [b * 0 for b in net.biases]
        seen.append(net.total_cost(data, 0.0))
        return epoch == 2

    found = net.SGD(data, 9, 10, 0.0, monitor_training_cost=True, epoch_callback=change, verbose=False)
    assert len(found[2]) == 3
    np.testing.assert_allclose(found[2][1:], seen[:2], rtol=1e-12)
    assert net.weights[0].tolist() == np.full((3, 4), 2.0).tolist()


# Extras


def test_training_stops_where_accuracy_stands_still():
    net = network2.Network([4, 3, 2])
    held = samples([4, 3, 2], labels=True)
    found = net.SGD(samples([4, 3, 2]), 500, 10, 0.0, 0.0, held, monitor_evaluation_accuracy=True,
                    early_stopping_n=4, verbose=False)  # fmt: skip
    assert len(found[1]) == 5  # the first is better than 0


@pytest.mark.parametrize(
    "activation", ["tanh", "relu", fastbp.Activation("steady", lambda z: np.tanh(z) + z / 2)], ids=str
)
@pytest.mark.parametrize("cost", ["quadratic", "cross_entropy", "log_likelihood"])
def test_activation_cost_and_momentum_take_the_same_way_in_kernels_and_loop(activation, cost):
    data = samples([5, 4, 3])
    net = seeded(network2.Network, [5, 4, 3], cost, activation=activation)
    net.SGD(data, 3, 10, 0.2, 0.5, momentum=0.7, verbose=False)

    class Plain(network2.Network):
        def backprop(self, x, y):
            return super().backprop(x, y)

    other = seeded(Plain, [5, 4, 3], cost, activation=activation)
    with pytest.warns(UserWarning, match="backprop"):
        other.SGD(samples([5, 4, 3]), 3, 10, 0.2, 0.5, momentum=0.7, verbose=False)
    assert_same(net, other)


def test_float32_is_float32_and_nearly_the_same():
    held = samples([5, 4, 3], labels=True)
    single, double = (seeded(network2.Network, [5, 4, 3], dtype=dtype) for dtype in ("float32", "float64"))
    for net in (single, double):
        random.seed(0)
        net.SGD(samples([5, 4, 3]), 3, 10, 0.5, 0.1, held, True, True, True, True, verbose=False)
    assert single.weights[0].dtype == np.float32
    np.testing.assert_allclose(single.weights[0], double.weights[0], rtol=1e-3, atol=1e-4)


def test_shapes_that_a_callback_changes_are_an_error():
    def grow(net, epoch):
        net.weights[0] = np.ones((5, 4))

    with pytest.raises(ValueError, match="keep the shapes"):
        network.Network([4, 3, 2]).SGD(samples([4, 3, 2]), 2, 10, 1.0, verbose=False, epoch_callback=grow)


@pytest.mark.parametrize("wrong", [{"mini_batch_size": 0}, {"mini_batch_size": 2.5}, {"epochs": -1}, {"momentum": 1.0}])
def test_settings_that_cannot_be_are_named(wrong):
    (name,) = wrong
    with pytest.raises((ValueError, TypeError), match=name):
        network.Network([4, 3, 2]).SGD(samples([4, 3, 2]), **{"epochs": 1, "mini_batch_size": 10, "eta": 1.0} | wrong)


# Files


def test_network2_saves_and_loads(tmp_path):
    path = tmp_path / "net.json"
    for cost, activation in ((network2.QuadraticCost, "sigmoid"), (network2.CrossEntropyCost(), "relu")):
        net = network2.Network([4, 3, 2], cost, activation=activation)
        net.save(path)
        data = json.loads(path.read_text())
        assert data["sizes"] == [4, 3, 2]
        assert np.shape(data["biases"][0]) == (3, 1)
        other = network2.load(path)
        assert_same(net, other)
        assert other.cost.__name__ == data["cost"]
        x = np.ones((4, 1))
        np.testing.assert_allclose(other.feedforward(x), net.feedforward(x))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sizes": [4, -3, 2]}, "sizes"),
        ({"sizes": [4], "weights": [], "biases": []}, "sizes must list at least two"),
        ({"weights": [[[1.0]]]}, "weights"),
        ({"biases": [[[1.0]], [[float("nan")]]]}, "biases"),
        ({"cost": "Nothing"}, "Nothing"),
        ({"cost": "sigmoid"}, "sigmoid"),
        ({"cost": 7}, "cost"),
        ({"weights": [[[10**400] * 4] * 3, [[1.0] * 3] * 2]}, "too large"),
        ({"biases": [[[1.0]] * 3, [[1.0], [float("nan")]]]}, "finite"),
    ],
)
def test_a_damaged_file_is_named(tmp_path, change, told):
    path = tmp_path / "net.json"
    network2.Network([4, 3, 2]).save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelFileError, match=told):
        network2.load(path)


def test_a_cost_of_ones_own_is_found_in_the_module(tmp_path, monkeypatch):
    monkeypatch.setattr(network2, "Fourth", Fourth, raising=False)
    network2.Network([4, 3, 2], Fourth).save(tmp_path / "net.json")
    assert network2.load(tmp_path / "net.json").cost is Fourth


@pytest.mark.parametrize("protocol", range(5))
def test_the_books_file_is_read_without_running_it(tmp_path, protocol):
    rng = np.random.default_rng(0)
    parts = tuple((rng.random((7, 784)).astype(np.float32), rng.integers(0, 10, 7)) for _ in range(3))
    path = tmp_path / "mnist.pkl.gz"
    path.write_bytes(gzip.compress(pickle.dumps(parts, protocol=protocol)))
    for found, right in zip(mnist_loader.load_data(path), parts, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(found, right, strict=True))
    training, validation, test = mnist_loader.load_data_wrapper(path)
    assert type(training) is type(validation) is type(test) is list
    x, y = training[3]
    assert x.shape == (784, 1)
    assert y.tolist() == mnist_loader.vectorized_result(parts[0][1][3]).tolist()
    assert test[2][1] == parts[2][1][2]


def test_a_missing_file_is_no_damaged_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_arrays(tmp_path / "mnist.pkl.gz")
    (tmp_path / "mnist.pkl.gz").write_bytes(b"not zipped")
    with pytest.raises(DataFileError, match="not the book's"):
        read_arrays(tmp_path / "mnist.pkl.gz")


class Evil:
    def __reduce__(self):
        return print, ("this must not be seen",)


@pytest.mark.parametrize("content", [Evil(), ([1, 2], 3), {"a": 1}, ((np.zeros(3, object), 1),)], ids=str)
def test_another_pickle_is_refused_and_not_run(tmp_path, content, capsys):
    path = tmp_path / "mnist.pkl.gz"
    path.write_bytes(gzip.compress(pickle.dumps(content)))
    with pytest.raises(DataFileError, match=r"mnist\.pkl\.gz"):
        read_arrays(path)
    assert capsys.readouterr().out == ""


def test_a_missing_file_says_where_it_is_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"\.\./data/mnist\.pkl\.gz"):
        mnist_loader.load_data_wrapper()
