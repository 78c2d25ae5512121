"""fastbp.sklearn: scikit-learn's own estimators with its own numbers, and two with other defaults."""

import copy
import inspect
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy import sparse
from sklearn import neural_network
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_diabetes, make_classification, make_multilabel_classification, make_regression
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import fastbp
from fastbp.sklearn import Classifier, MLPClassifier, MLPRegressor, Regressor

pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore:Got `batch_size` less than 1",
    "ignore:scipy.optimize. The `disp` and `iprint`",  # scikit-learn 1.6 and SciPy 1.16
)
PEERS = {MLPClassifier: neural_network.MLPClassifier, MLPRegressor: neural_network.MLPRegressor}
MODERN = {Classifier: MLPClassifier, Regressor: MLPRegressor}
WEIGHTED = "sample_weight" in inspect.signature(neural_network.MLPClassifier.fit).parameters  # from 1.7 on
NUMBERS = {"rtol": 1e-6, "atol": 0}

x3, y3 = make_classification(150, 17, n_informative=9, n_classes=3, random_state=1)
x2, y2 = make_classification(120, 15, random_state=2)
xm, ym = make_multilabel_classification(130, 16, random_state=3)
xr, yr = make_regression(140, 9, noise=4.0, random_state=4)
DATA = {
    "labels": (MLPClassifier, x3, y3),
    "two labels": (MLPClassifier, x2, np.array(["no", "yes"])[y2]),
    "several labels": (MLPClassifier, xm, ym),
    "unscaled": (MLPClassifier, x3 * 300, y3),
    "a quantity": (MLPRegressor, xr, yr / 50),
    "quantities": (MLPRegressor, xr, np.column_stack([yr / 50, yr**2 / 9000])),
}


def both(kind, x, y, *more, **parameters):
    settings = {"max_iter": 20, "random_state": 5, **parameters}
    return kind(**settings).fit(x, y, *more), PEERS[kind](**settings).fit(x, y, *more)


def assert_same(mine, theirs, x):
    assert vars(mine).keys() >= vars(theirs).keys()
    assert mine.n_iter_ == theirs.n_iter_
    assert mine.t_ == theirs.t_
    np.testing.assert_allclose(mine.loss_, theirs.loss_, **NUMBERS)
    if mine.solver != "lbfgs":
        np.testing.assert_allclose(mine.loss_curve_, theirs.loss_curve_, **NUMBERS)
    for name in ("coefs_", "intercepts_"):
        for array, right in zip(getattr(mine, name), getattr(theirs, name), strict=True):
            np.testing.assert_allclose(array, right, rtol=1e-6, atol=1e-8)
    if hasattr(mine, "predict_proba"):
        np.testing.assert_allclose(mine.predict_proba(x), theirs.predict_proba(x), rtol=1e-6, atol=1e-9)
        assert np.array_equal(mine.predict(x), theirs.predict(x))
    else:
        np.testing.assert_allclose(mine.predict(x), theirs.predict(x), rtol=1e-6)
    for name in ("out_activation_", "n_outputs_", "n_layers_", "n_features_in_"):
        assert getattr(mine, name) == getattr(theirs, name)


# The same numbers


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@pytest.mark.parametrize("name", DATA)
def test_estimator_agrees_with_scikit_learn(name, solver):
    kind, x, y = DATA[name]
    few = {"max_iter": 5} if solver == "lbfgs" else {"learning_rate_init": 0.001}
    if solver == "sgd" and name == "unscaled":
        few["learning_rate_init"] = 1e-6
    assert_same(*both(kind, x, y, solver=solver, **few), x)


@pytest.mark.parametrize(
    "parameters",
    [
        {"activation": "logistic"}, {"activation": "tanh", "alpha": 2.0}, {"activation": "identity"}, {"alpha": 0.0},
        {"hidden_layer_sizes": ()}, {"hidden_layer_sizes": 3}, {"hidden_layer_sizes": (31, 33, 1)},
        {"batch_size": 1, "max_iter": 3}, {"batch_size": 7}, {"batch_size": 500}, {"shuffle": False},
        {"solver": "sgd", "nesterovs_momentum": False}, {"solver": "sgd", "momentum": 0},
        {"solver": "sgd", "momentum": 1},
        {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.3},
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.05, "n_iter_no_change": 2, "max_iter": 60},
        {"tol": 0.1, "n_iter_no_change": 2, "max_iter": 60}, {"early_stopping": True, "max_iter": 60},
        {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3}, {"early_stopping": True, "validation_fraction": 0.4},
    ],
    ids=str,
)  # fmt: skip
def test_every_parameter_means_what_it_does_there(parameters):
    mine, theirs = both(MLPClassifier, x3, y3, **parameters)
    assert_same(mine, theirs, x3)
    assert mine.validation_scores_ == theirs.validation_scores_
    assert mine.best_validation_score_ == theirs.best_validation_score_
    if mine.best_loss_ is not None:
        np.testing.assert_allclose(mine.best_loss_, theirs.best_loss_, **NUMBERS)


@pytest.mark.parametrize("name", ["labels", "several labels", "quantities"])
@pytest.mark.parametrize("early", [False, True])
@pytest.mark.skipif(not WEIGHTED, reason="scikit-learn has no sample_weight there before 1.7")
def test_sample_weight_means_what_it_does_there(name, early):
    kind, x, y = DATA[name]
    weight = np.random.default_rng(0).uniform(0.1, 3, len(x))
    assert_same(*both(kind, x, y, weight, early_stopping=early, alpha=0.1), x)


@pytest.mark.skipif(not WEIGHTED, reason="scikit-learn has no sample_weight there before 1.7")
def test_sample_weight_counts_with_lbfgs():
    assert_same(*both(MLPClassifier, x3, y3, np.linspace(0.1, 2, len(x3)), solver="lbfgs", max_iter=4), x3)


def test_poisson_is_scikit_learns():
    y = np.round(np.abs(yr) / 30)
    if WEIGHTED:
        assert_same(*both(MLPRegressor, xr, y, loss="poisson"), xr)
    else:
        assert MLPRegressor("poisson", max_iter=200, random_state=0).fit(xr, y).predict(xr).min() > 0


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csc_matrix], ids=lambda kind: kind.__name__)
def test_sparse_x_gives_the_same(kind):
    x = np.where(np.abs(x3) > 1, x3, 0)
    assert_same(*both(MLPClassifier, kind(x), y3), kind(x))


def test_float32_stays_float32():
    mine, theirs = both(MLPClassifier, x3.astype(np.float32), y3)
    assert mine.coefs_[0].dtype == np.float32
    np.testing.assert_allclose(mine.loss_curve_, theirs.loss_curve_, rtol=1e-4)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("name", ["labels", "a quantity"])
def test_partial_fit_goes_on_where_it_was(name, solver):
    kind, x, y = DATA[name]
    settings = {"solver": solver, "random_state": 5, "batch_size": 30, "learning_rate": "invscaling"}
    mine, theirs = kind(**settings), PEERS[kind](**settings)
    first = {"classes": np.unique(y)} if kind is MLPClassifier else {}
    for each in (mine, theirs):
        each.partial_fit(x[:60], y[:60], **first)
        each.partial_fit(x[60:], y[60:])
        for _ in range(3):
            each.partial_fit(x, y)
    assert_same(mine, theirs, x)
    other = pickle.loads(pickle.dumps(mine)).partial_fit(x, y)
    np.testing.assert_array_equal(other.coefs_[0], mine.partial_fit(x, y).coefs_[0])


def test_warm_start_goes_on():
    mine, theirs = (kind(max_iter=4, random_state=5, warm_start=True) for kind in (MLPClassifier, PEERS[MLPClassifier]))
    for each in (mine, theirs):
        each.fit(x3, y3)
        first = each.coefs_[0]
        each.fit(x3, y3)
        assert each.coefs_[0] is first
    assert_same(mine, theirs, x3)
    with pytest.raises(ValueError, match="same classes"):
        mine.fit(x3, y3 % 2)


def test_coefs_are_the_truth():
    mine, theirs = both(MLPClassifier, x3, y3)
    for each in (mine, theirs):
        each.coefs_[0][2, 1] += 3
        each.intercepts_[1] = each.intercepts_[1] + [0, 5.0, 0]
    assert np.array_equal(mine.predict_proba(x3), mine.to_sklearn().predict_proba(x3))
    np.testing.assert_allclose(mine.predict_proba(x3), theirs.predict_proba(x3), rtol=1e-6)
    for each in (mine, theirs):
        each.partial_fit(x3, y3)
    np.testing.assert_allclose(mine.coefs_[0], theirs.coefs_[0], rtol=1e-6, atol=1e-9)


def test_an_initializer_of_a_subclass_is_used():
    def zeros(self, fan_in, fan_out, dtype):
        return np.full((fan_in, fan_out), 0.1, dtype), np.zeros(fan_out, dtype)

    mine, theirs = (type("Own", (kind,), {"_init_coef": zeros}) for kind in (MLPClassifier, PEERS[MLPClassifier]))
    mine, theirs = mine(max_iter=5, random_state=0).fit(x3, y3), theirs(max_iter=5, random_state=0).fit(x3, y3)
    np.testing.assert_allclose(mine.loss_curve_, theirs.loss_curve_, **NUMBERS)


def test_what_is_printed_is_the_same(capsys):
    said = []
    for kind in (MLPClassifier, PEERS[MLPClassifier]):
        kind(verbose=True, early_stopping=True, tol=0.5, max_iter=30, random_state=1).fit(x3, y3)
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]


# Warnings and errors


@pytest.mark.filterwarnings("default")
def test_warnings_are_scikit_learns():
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(2\)") as said:
        MLPClassifier(max_iter=2).fit(x3, y3)
    assert [warning.filename for warning in said] == [__file__]
    with pytest.warns(UserWarning, match="clipped"):
        MLPClassifier(max_iter=2, batch_size=1000).fit(x3, y3)


def test_ctrl_c_keeps_the_model():
    def stop(net, history):
        if len(history) == 3:
            raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="interrupted by user"):
        found = MLPClassifier(callbacks=[stop]).fit(x3, y3)
    assert found.score(x3, y3) > 0.1


def test_parameters_that_leave_the_finite_numbers_are_an_error():
    with pytest.raises(ValueError, match="non-finite parameter weights"):
        MLPRegressor(solver="sgd", learning_rate_init=1e3).fit(xr * 1e3, yr * 1e3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"activation": "nothing"}, {"solver": "newton"}, {"alpha": -1}, {"hidden_layer_sizes": (0,)}, {"dropout": 1},
        {"dtype": "int8"}, {"n_jobs": 0}, {"class_weight": "all"}, {"callbacks": 3},
        {"activation": ["relu", "tanh"]}, {"solver": "lbfgs", "dropout": 0.5},
        {"solver": "lbfgs", "callbacks": [print]},
    ],
    ids=str,
)  # fmt: skip
def test_a_wrong_parameter_is_a_value_error(wrong):
    with pytest.raises(ValueError):
        MLPClassifier(**wrong).fit(x3, y3)


def test_partial_fit_is_only_for_stochastic_solvers():
    assert not hasattr(MLPClassifier(solver="lbfgs"), "partial_fit")
    with pytest.raises(ValueError, match="early_stopping"):
        MLPClassifier(early_stopping=True).partial_fit(x3, y3, classes=[0, 1, 2])


# What is asked for besides


def test_to_sklearn_gives_scikit_learns_own():
    mine = MLPClassifier(max_iter=5, random_state=0).fit(x3, y3)
    other = mine.to_sklearn()
    assert type(other) is neural_network.MLPClassifier
    assert np.array_equal(other.predict_proba(x3), mine.predict_proba(x3))
    np.testing.assert_allclose(other.partial_fit(x3, y3).coefs_[0], mine.partial_fit(x3, y3).coefs_[0], rtol=1e-9)
    with pytest.raises(ValueError, match="elu"):
        MLPClassifier(activation="elu", max_iter=2).fit(x3, y3).to_sklearn()


def test_class_weight_is_sample_weight():
    weight = np.where(y3 == 1, 5.0, 1.0)
    mine = MLPClassifier(max_iter=9, random_state=0, class_weight={1: 5.0}).fit(x3, y3)
    other = MLPClassifier(max_iter=9, random_state=0).fit(x3, y3, sample_weight=weight)
    assert np.array_equal(mine.coefs_[0], other.coefs_[0])


def test_activations_of_fastbp_layer_by_layer():
    own = fastbp.Activation("steady", lambda z: np.tanh(z) + z / 2)
    mine = MLPClassifier((9, 8), ["elu", own], max_iter=200, random_state=0).fit(x3, y3)
    assert mine.score(x3, y3) > 0.8
    net = fastbp.export.from_sklearn(mine)
    np.testing.assert_allclose(net.predict(x3), mine.predict_proba(x3), rtol=1e-9)


def test_two_quantiles_are_an_interval():
    rng = np.random.default_rng(0)
    x = rng.uniform(-2, 2, (2000, 1))
    y = np.sin(2 * x[:, 0]) + rng.normal(0, 0.2, 2000)
    low, high = (
        MLPRegressor(fastbp.costs.quantile(q=q), activation="tanh", max_iter=200, random_state=0).fit(x, y).predict(x)
        for q in (0.1, 0.9)
    )
    assert 0.72 < np.mean((low < y) & (y < high)) < 0.88


def test_dropout_dtype_and_threads():
    mine = MLPClassifier(dropout=0.5, dtype="float32", n_jobs=2, max_iter=30, random_state=0).fit(x3, y3)
    again = MLPClassifier(dropout=0.5, dtype="float32", n_jobs=1, max_iter=30, random_state=0).fit(x3, y3)
    assert mine.coefs_[0].dtype == np.float32
    assert np.array_equal(mine.coefs_[0], again.coefs_[0])
    assert mine.loss_ > MLPClassifier(max_iter=30, random_state=0).fit(x3, y3).loss_


def test_callbacks_see_validation_data_and_stop():
    seen = []
    stopping = fastbp.EarlyStopping(patience=3)
    mine = MLPClassifier(
        max_iter=300, random_state=0, callbacks=[stopping, lambda net, h: seen.append(h.validation_cost[-1])]
    )
    mine.fit(x3[:100], y3[:100], validation_data=(x3[100:], y3[100:]))
    assert mine.n_iter_ == len(seen) < 300
    assert np.argmin(seen) == len(seen) - 4
    judged = MLPClassifier(max_iter=30, random_state=0, early_stopping=True)
    judged.fit(x3[:100], y3[:100], validation_data=(x3[100:], y3[100:]))
    assert judged.best_validation_score_ == judged.score(x3[100:], y3[100:])


def test_validation_data_are_on_the_scale_of_the_targets():
    y = yr * 1e6 + 3e8
    found = Regressor(random_state=0, max_iter=30, early_stopping=True)
    found.fit(xr[:100], y[:100], validation_data=(xr[100:], y[100:]))
    deviation = np.std(y[:100])
    error = np.mean(((found.predict(xr[100:]) - y[100:]) / deviation) ** 2) / 2
    np.testing.assert_allclose(-found.best_validation_score_, error, rtol=1e-3)


def test_nothing_is_remembered_of_a_judgement_that_was_broken_off(monkeypatch):
    found = MLPClassifier(max_iter=5, random_state=0, early_stopping=True)
    held = np.ascontiguousarray(x3[100:])

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(found, "_judged", stop, raising=False)
    with pytest.warns(UserWarning, match="interrupted"):
        found.fit(x3[:100], y3[:100], validation_data=(held, y3[100:]))
    assert not hasattr(found, "_seen")


def test_callbacks_of_scikit_learn_are_told():
    if not hasattr(MLPClassifier, "set_callbacks"):
        pytest.skip("scikit-learn has callbacks from 1.9 on")
    from sklearn.callback import ScoringMonitor

    class Third:
        def setup(self, estimator, context):
            self.ends = []

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context):
            self.ends.append(context.task_name)
            return len(self.ends) == 3

    third, monitor = Third(), ScoringMonitor(scoring="accuracy")
    mine = MLPClassifier(max_iter=9, random_state=0).set_callbacks(third, monitor).fit(x3, y3)
    assert third.ends == ["epoch"] * 3 + ["fit"]
    assert mine.n_iter_ == 3
    assert len(monitor.get_logs().data) >= 3


# In the company of scikit-learn's own


def test_grid_search_in_two_processes():
    search = GridSearchCV(
        make_pipeline(StandardScaler(), MLPClassifier(max_iter=20, random_state=0)),
        {"mlpclassifier__alpha": [1e-4, 1.0]}, n_jobs=2, cv=2,
    )  # fmt: skip
    assert search.fit(x3, y3).best_score_ > 0.5


@pytest.mark.parametrize(
    "meta",
    [
        lambda net: BaggingClassifier(net, 2),
        lambda net: VotingClassifier([("a", net), ("b", clone(net))], voting="soft"),
        lambda net: StackingClassifier([("a", net)], cv=2),
        lambda net: CalibratedClassifierCV(net, cv=2),
    ],
    ids=["bagging", "voting", "stacking", "calibrated"],
)
def test_classifiers_that_are_made_of_others(meta):
    assert meta(MLPClassifier(max_iter=30, random_state=0)).fit(x3, y3).score(x3, y3) > 0.5


def test_transformed_target_set_output_clone_joblib_and_copies(tmp_path):
    whole = TransformedTargetRegressor(MLPRegressor(max_iter=300, random_state=0), transformer=StandardScaler())
    assert whole.fit(xr, yr).score(xr, yr) > 0.5
    frame = pd.DataFrame(x3, columns=[f"c{i}" for i in range(17)])
    pipeline = make_pipeline(StandardScaler().set_output(transform="pandas"), MLPClassifier(max_iter=5, random_state=0))
    pipeline.fit(frame, y3)
    assert pipeline[-1].feature_names_in_.tolist() == list(frame.columns)
    joblib.dump(pipeline, tmp_path / "model")
    for other in (joblib.load(tmp_path / "model"), copy.deepcopy(pipeline)):
        assert np.array_equal(other.predict_proba(frame), pipeline.predict_proba(frame))
    net = clone(pipeline[-1])
    assert net.get_params() == pipeline[-1].get_params()
    assert not hasattr(net, "coefs_")


def test_parameters_and_defaults_are_scikit_learns():
    for kind, peer in PEERS.items():
        own = inspect.signature(kind).parameters
        for name, parameter in inspect.signature(peer).parameters.items():
            assert own[name].default == parameter.default
    if WEIGHTED:
        for kind, peer in PEERS.items():
            names = list(inspect.signature(peer).parameters)
            assert list(inspect.signature(kind).parameters)[: len(names)] == names


# Other defaults


def test_the_defaults_of_today_need_no_care():
    x, y = load_diabetes(return_X_y=True)
    found = Regressor(random_state=0).fit(x[:300] * 1000 + 5, y[:300] * 1e6)
    assert found.score(x[300:] * 1000 + 5, y[300:] * 1e6) > 0.3
    assert MLPRegressor(random_state=0).fit(x[:300] * 1000 + 5, y[:300] * 1e6).score(x * 1000 + 5, y * 1e6) < 0


@pytest.fixture
def table():
    rng, n = np.random.default_rng(0), 700
    frame = pd.DataFrame({
        "colour": rng.choice(["red", "green", "blue"], n),
        "size": rng.normal(1000, 50, n),
        "age": rng.integers(0, 90, n),
    })  # fmt: skip
    return frame, (frame.colour == "red") * 2.0 + frame["size"] / 100


def test_tables_with_categories_and_numbers_of_any_scale(table):
    frame, y = table
    found = Regressor(random_state=0).fit(frame[:600], y[:600])
    assert found.score(frame[600:], y[600:]) > 0.9
    labels = np.where(y > y.median(), "big", "small")
    told = Classifier(random_state=0).fit(frame[:600], labels[:600])
    assert told.score(frame[600:], labels[600:]) > 0.85
    with pytest.warns(UserWarning, match="mauve"):
        told.predict(frame[600:].assign(colour="mauve"))
    with pytest.raises(ValueError, match="data frame"):
        told.predict(np.zeros((3, 3)))


@pytest.mark.parametrize("kind", [Classifier, Regressor])
def test_to_network_takes_plain_numbers(kind, table):
    frame, y = table
    y = y if kind is Regressor else np.where(y > y.median(), "big", "small")
    found = kind(random_state=0, max_iter=20).fit(frame, y)
    net = found.to_network()
    if kind is Classifier:
        assert np.array_equal(net.predict_labels(frame), found.predict(frame))
    else:
        np.testing.assert_allclose(net.predict(frame)[:, 0], found.predict(frame), rtol=1e-5)


@pytest.mark.parametrize("kind", [Classifier, Regressor])
def test_to_sklearn_takes_plain_numbers_and_no_categories(kind, table):
    found = kind(random_state=0, max_iter=20).fit(x3 * 40 + 7, y3)
    other = found.to_sklearn()
    assert type(other) is PEERS[MODERN[kind]]
    np.testing.assert_allclose(other.predict(x3 * 40 + 7), found.predict(x3 * 40 + 7), rtol=1e-4, atol=1e-4)
    other.partial_fit(x3 * 40 + 7, y3)
    net = fastbp.export.from_sklearn(found)
    if kind is Classifier:
        np.testing.assert_allclose(net.predict_proba(x3 * 40 + 7), found.predict_proba(x3 * 40 + 7), atol=1e-5)
    with pytest.raises(ValueError, match="colour"):
        kind(random_state=0, max_iter=2).fit(table[0], np.round(table[1])).to_sklearn()


def test_sparse_columns_keep_their_zeros():
    rng = np.random.default_rng(0)
    x = sparse.csr_array(1000 * rng.random((300, 40)) * (rng.random((300, 40)) < 0.1))
    y = np.asarray(x.sum(axis=1)).ravel() > 2000
    assert Classifier(random_state=0).fit(x, y).score(x, y) > 0.9


@pytest.mark.parametrize("kind", [Classifier, Regressor])
def test_training_stops_by_itself_where_there_are_samples_enough(kind):
    assert len(np.repeat(x3, 4, axis=0)) >= 500
    many = kind(random_state=0).fit(np.repeat(x3, 4, axis=0), np.repeat(y3, 4))
    assert len(many.validation_scores_) == many.n_iter_
    assert kind(random_state=0, max_iter=3).fit(x3, y3).validation_scores_ is None


# scikit-learn's own checks, whole

MINI_BATCHES = {  # of other samples, in another order, so that copies of a sample and its weight are not quite the same
    f"check_sample_weight_equivalence_on_{kind}_data": "training is stochastic" for kind in ("dense", "sparse")
}


@parametrize_with_checks(
    [MLPClassifier(max_iter=100), MLPRegressor(max_iter=100), Classifier(max_iter=60), Regressor(max_iter=60)],
    expected_failed_checks=lambda estimator: MINI_BATCHES if type(estimator) in MODERN else {},
)
@pytest.mark.filterwarnings("ignore")
def test_estimator_passes_scikit_learns_checks(estimator, check):
    check(estimator)


def test_the_version_of_scikit_learn_is_one_that_was_tried():
    assert tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 6)
