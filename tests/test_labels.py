"""Labels of any kind: in as they come, kept in the file, out as they were."""

import copy
import pickle
import sys
import types

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import fastbp
from fastbp import SGD, Adam, ModelFileError
from fastbp.networks import storage

X = np.random.default_rng(0).normal(size=(60, 4))
PLACES = (X[:, 0] > -0.5).astype(int) + (X[:, 0] > 0.5)

NAMES = {
    "text": np.array(["cat", "dog", "eel"]),
    "long text": np.array(["", "a b", "ß" * 90]),
    "integers": np.array([-7, 0, 10**12]),
    "0..K-1": np.array([0, 1, 2]),
    "1..K": np.array([1, 2, 3]),
}
KINDS = {
    "array": lambda y: y,
    "list": lambda y: y.tolist(),
    "tuple": lambda y: tuple(y.tolist()),
    "objects": lambda y: y.astype(object),
    "floats": lambda y: y.astype(float) if y.dtype.kind == "i" else y,
    "strided": lambda y: np.repeat(y, 2)[::2],
}


def make(engine, n_out=3, **options):
    return engine([4, 12, n_out], **{"activation": "tanh", "cost": "cross_entropy", "seed": 1, **options})


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_labels_go_in_and_come_out(engine, names, kind):
    net, plain = make(engine), make(engine)
    y = kind(names[PLACES])
    history = net.fit(X, y, 40, 10, Adam(0.02), (X[:20], y[:20]))
    assert history.cost == plain.fit(X, PLACES, 40, 10, Adam(0.02), (X[:20], PLACES[:20])).cost
    assert_array_equal(net.classes, names)
    found = net.predict_labels(X)
    assert found.dtype.kind == names.dtype.kind
    assert_array_equal(found, names[plain.predict_labels(X)])
    assert np.mean(found == names[PLACES]) > 0.9
    assert net.evaluate(X, y) == plain.evaluate(X, PLACES)
    assert net.backprop(X, y).cost == plain.backprop(X, PLACES).cost


PAIRS = [np.array([False, True]), np.array(["no", "yes"]), np.array([-1, 1]), np.arange(2)]


@pytest.mark.parametrize("names", PAIRS, ids=str)
@pytest.mark.parametrize("n_out", [1, 2])
def test_two_classes_have_one_output_or_two(engine, names, n_out):
    y = names[(X[:, 1] > 0).astype(int)]
    net = make(engine, n_out)
    history = net.fit(X, y, 60, 10, Adam(0.02), (X, y), sample_weight=np.ones(60), class_weight={names[0].item(): 2.0})
    assert history.validation_accuracy[-1] > 0.9
    assert_array_equal(net.classes, names)
    assert np.mean(net.predict_labels(X) == y) > 0.9
    assert net.predict_labels(X[0]).tolist() == net.predict_labels(X[:1]).tolist()


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize(("n_out", "names"), [(3, NAMES["text"]), (2, ["no", "yes"]), (1, ["no", "yes"])], ids=str)
def test_checks_take_labels(engine, n_out, names, trained):
    net = make(engine, n_out)
    y = np.array(names)[PLACES % len(names)]
    if trained:
        net.fit(X, y, 1)
    assert fastbp.cross_check(net, X, y).passed
    assert fastbp.check_equations(net, X, y).passed


def test_classes_survive_files_copies_and_engines(engine, tmp_path):
    net = make(engine)
    net.fit(X, NAMES["text"][PLACES], 1)
    net.notes["made by"] = ["me", 1]
    for path in (tmp_path / "one", tmp_path / "two"):  # and are saved again
        net.save(path)
        net = type(net).load(path)
    for other in (net, copy.deepcopy(net), pickle.loads(pickle.dumps(net)), net.to_reference(), net.to_fast()):
        assert_array_equal(other.classes, ["cat", "dog", "eel"])
        assert other.notes == {"made by": ["me", 1]}
        assert_array_equal(other.predict_labels(X), net.predict_labels(X))


@pytest.mark.parametrize("kind", ["text", "integers"])
def test_classes_may_be_named_in_any_order_before_training(engine, kind):
    names = NAMES[kind][[2, 0, 1]]
    net, plain = make(engine), make(engine)
    net.classes = names.tolist()
    net.fit(X[PLACES < 2], names[PLACES[PLACES < 2]], 5)  # one of them does not occur
    plain.fit(X[PLACES < 2], PLACES[PLACES < 2], 5)
    assert_array_equal(net.weights[0], plain.weights[0])
    assert_array_equal(net.predict_labels(X), names[plain.predict_labels(X)])


def test_classes_are_a_copy_and_can_be_forgotten(engine):
    net = make(engine)
    assert net.classes is None
    net.fit(X, NAMES["text"][PLACES], 1)
    net.classes[0] = "cow"
    assert net.classes[0] == "cat"
    net.classes = None
    net.fit(X, NAMES["1..K"][PLACES], 1)
    assert_array_equal(net.classes, [1, 2, 3])


@pytest.mark.parametrize("use", ["fit", "evaluate", "backprop"])
@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["cat"] * 59 + ["cow"], r"y\[59\] is 'cow'; the network's classes are 'cat', 'dog', 'eel'; net.classes"),
        (PLACES, r"y\[0\] is .; the network's classes are 'cat', 'dog', 'eel'"),
        (PLACES > 0, r"y\[0\] is (True|False); the network's classes are"),
    ],
)
def test_other_labels_than_those_it_knows_are_refused(engine, use, y, message):
    net = make(engine)
    net.fit(X, NAMES["text"][PLACES], 1)
    with pytest.raises(ValueError, match=message):
        getattr(net, use)(X, y)


def test_a_fit_that_is_refused_teaches_no_classes(engine):
    net = make(engine)
    with pytest.raises(TypeError):
        net.fit(X, NAMES["text"][PLACES], shuffle="no")
    assert net.classes is None


@pytest.mark.parametrize("value", ["cat", ["a", "b"], ["a", "b", "b"], ["a", "b", 3], [0.5, 1, 2], 3, [[1, 2, 3]]])
def test_classes_that_are_none(engine, value):
    with pytest.raises((ValueError, TypeError), match="classes"):
        make(engine).classes = value


def test_a_label_for_a_quantity_is_refused(engine):
    net = engine([4, 5, 1], activation="relu", seed=0)
    with pytest.raises(ValueError, match=r"y\[0\] is 'a', a label, and the one output \(identity\) is a quan"):
        net.fit(X, ["a", "b"] * 30)
    with pytest.raises(ValueError, match=r"or write y.astype\(float\) if it is a number"):
        net.fit(X, X[:, 0] > 0)
    with pytest.raises(ValueError, match="quantities, which have no labels: write predict"):
        net.predict_labels(X)


@pytest.mark.parametrize("n_out", [1, 2])
def test_too_many_labels_for_the_outputs(engine, n_out):
    with pytest.raises(ValueError, match=r"y has 3 different labels \('cat', 'dog', 'eel'\), the network has"):
        make(engine, n_out).fit(X, NAMES["text"][PLACES])


@pytest.mark.parametrize(("labels", "hinted"), [
    (np.arange(40), True), (np.arange(21), True), (np.arange(20), False), (np.arange(8), False), ("text", False),
])  # fmt: skip
def test_very_many_different_integers_may_be_quantities(engine, labels, hinted):
    y = np.array([f"{k:02}" for k in range(40)]) if isinstance(labels, str) else labels
    with pytest.raises(ValueError, match=f"y has {len(y)} different labels") as error:
        make(engine, 3).fit(np.ones((len(y), 4)), y)
    assert ("for quantities leave cost out" in str(error.value)) == hinted


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_zeros_and_ones_are_labels_to_a_sigmoid_of_the_book(engine):
    net = engine([4, 5, 1], seed=0)
    net.fit(np.eye(4), np.array([0, 1, 1, 0]), 1)
    assert net.classes.tolist() == [0, 1]
    assert set(net.predict_labels(np.eye(4))) <= {0, 1}


def test_classes_for_one_sigmoid_that_quantities_name_get_a_hint(engine):
    with pytest.raises(ValueError, match=r"is 2, and sigmoid outputs only reach 0..1: .* for 3 classes make it"):
        engine([4, 5, 1], seed=0).fit(X, PLACES)


def test_integers_taken_for_quantities_are_doubted(engine):
    net = engine([4, 5, 1], activation="relu", seed=0)
    with pytest.warns(UserWarning, match="y holds only the integers 0, 1, 2, taken as quantities; for") as caught:
        net.fit(X, PLACES, 1)
    assert caught[0].filename == __file__
    net.fit(X, PLACES.astype(float), 1)  # which says that they are meant


def test_two_integers_for_a_quantity_are_doubted(engine):
    with pytest.warns(UserWarning, match='only the integers 0, 1, taken .* for classes choose cost="binary_cross_ent'):
        engine([4, 5, 1], activation="relu", seed=0).fit(X, PLACES % 2, 1)
    with pytest.raises(ValueError, match=r"the one output \(identity\) is a quantity, which has no classes"):
        engine([4, 5, 1], activation="relu", seed=0).classes = [1, 2]


def test_several_labels_at_once_are_not_one(engine):
    net = engine([4, 12, 3], cost="cross_entropy", seed=0)
    net.fit(X, X[:, :3] > 0, 1)
    with pytest.raises(ValueError, match=r"several labels at once, not on one a sample: write predict\(x\) > 0.5"):
        net.predict_labels(X)


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
def test_one_hot_rows_are_labels(engine, output):
    net = engine([4, 12, 3], output=output, cost="binary_cross_entropy", seed=0)
    net.fit(X, np.eye(3)[PLACES], 1)
    assert_array_equal(net.classes, [0, 1, 2])
    assert net.predict_labels(X).shape == (60,)


@pytest.mark.parametrize("names", [np.array(["no", "yes"]), np.array([False, True]), np.array([1, 2])], ids=str)
@pytest.mark.parametrize("n_out", [1, 2])
def test_a_column_of_labels(engine, names, n_out):
    y = names[PLACES % 2]
    if n_out == 2 and names.dtype.kind != "U":
        return  # numbers in a column may be targets, of which there are too few: an error says what to write
    net, plain = make(engine, n_out), make(engine, n_out)
    assert net.fit(X, y[:, None], 2).cost == plain.fit(X, y, 2).cost
    assert_array_equal(net.classes, names)


def test_one_label_alone(engine):
    for n_out in (1, 3):
        with pytest.raises(ValueError, match="y has only one label, 'cat': there is nothing to tell apart"):
            make(engine, n_out).fit(X, ["cat"] * 60)


def test_a_refused_fit_or_one_that_diverges_at_once_teaches_nothing(engine):
    net = make(engine)
    with pytest.raises(ValueError, match="optimizer"):
        net.fit(X, X[:, :3] > 0, optimizer="adams")
    assert (net.spec.activations[-1], net.spec.cost) == ("softmax", "cross_entropy")
    net = make(engine, activation="relu")
    with pytest.raises(fastbp.DivergenceError):
        net.fit(X * 1e15, PLACES + 1, optimizer=SGD(1e15))
    assert net.classes is None


def test_notes_that_json_cannot_hold(engine, tmp_path):
    net = make(engine)
    net.notes["a"] = np.float32(1)
    with pytest.raises(TypeError, match="notes must be what JSON can hold, plain numbers"):
        net.save(tmp_path / "net")


@pytest.mark.parametrize("classes", [["a", "b"], "abc", [1, 2, "c"], {"a": 1}, [[1], [2], [3]]], ids=str)
def test_damaged_classes_in_a_file(engine, tmp_path, classes):
    net = make(engine)
    net.save(tmp_path / "good")
    arrays, metadata = storage.read(tmp_path / "good")
    storage.write(tmp_path / "bad", arrays, {**metadata, "classes": classes})
    with pytest.raises(ModelFileError, match="classes"):
        engine.load(tmp_path / "bad")


def test_files_without_classes_are_read(engine, tmp_path):
    make(engine).save(tmp_path / "new")
    arrays, metadata = storage.read(tmp_path / "new")
    del metadata["classes"]
    storage.write(tmp_path / "old", arrays, metadata)
    net = fastbp.load(tmp_path / "old")
    assert net.classes is None
    assert set(net.predict_labels(X)) <= {0, 1, 2}


def test_balanced_weights_know_labels_of_any_kind(engine):
    net, plain = make(engine), make(engine)
    net.fit(X, NAMES["text"][PLACES], 3, optimizer=SGD(0.1), class_weight={"cat": 3.0, "eel": 0.5})
    plain.fit(X, PLACES, 3, optimizer=SGD(0.1), class_weight={0: 3.0, 2: 0.5})
    assert_array_equal(net.weights[0], plain.weights[0])
    with pytest.raises(ValueError, match="class_weight has label 'cow'; labels are 'cat', 'dog', 'eel'"):
        net.fit(X, NAMES["text"][PLACES], class_weight={"cow": 1.0})


def test_numpy_ma_may_be_half_imported_by_another_thread(engine, monkeypatch):
    monkeypatch.setitem(sys.modules, "numpy.ma", types.ModuleType("numpy.ma"))
    make(engine).fit(X, PLACES, 1)
