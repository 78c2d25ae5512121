"""What is exported computes what the network does, in other hands."""

import ctypes
import json
import runpy
import shutil
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file
from sklearn.datasets import make_classification, make_multilabel_classification
from sklearn.neural_network import MLPClassifier, MLPRegressor

import fastbp
from fastbp import cli, export
from fastbp.errors import ModelFileError
from fastbp.formulas.activations import ACTIVATIONS
from fastbp.nielsen import network2

CLOSE = {"float32": {"rtol": 1e-5, "atol": 1e-5}, "float64": {"rtol": 1e-12, "atol": 1e-13}}
OWN = fastbp.Activation(
    "mine",
    lambda z: (
        np.where((z > 1) & ~(z >= 4), np.log1p(np.abs(z)), np.arctan(z) * np.sign(z) + np.sin(z) * np.cos(z))
        + np.sqrt(np.clip(z, 0.5, 9))
    ),
)
FAR = fastbp.Activation("far", lambda z: np.where(np.abs(z) < np.inf, z, 0) + 1e-30 * np.minimum(z, 1e300))
SAME = fastbp.Activation("same", lambda z: 0.5)
HOSTILE = fastbp.Activation('*/ """ \' \\\n??/ {0} %d\nimport nothing_like_this', lambda z: z / 3 - 1)
MINE = {"mine": OWN, "far": FAR, "same": SAME, "hostile": HOSTILE}
ROUNDED = {"gelu", "mine"}  # ONNX Runtime has their erf and arctan in float32 only
compiler = shutil.which("gcc") or shutil.which("cc")
needs_compiler = pytest.mark.skipif(compiler is None, reason="there is no C compiler")
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic"]


def made(activation, dtype="float32", sizes=(3, 17, 2)):
    name = getattr(activation, "name", activation)
    settings = {"activation": activation, "output": "identity", "cost": "quadratic"}
    if name == "softmax":
        settings = {
            "activation": "tanh",
            "output": fastbp.activations.softmax(temperature=2.0),
            "cost": "cross_entropy",
        }
    return fastbp.Network(list(sizes), **settings, dtype=dtype, seed=1)


def inputs(net, m=33):
    return np.random.default_rng(0).normal(0, 2, (m, net.sizes[0])).astype(net.dtype)


every_kind = pytest.mark.parametrize("activation", [*ACTIVATIONS, *MINE.values()], ids=[*ACTIVATIONS, *MINE])
both_dtypes = pytest.mark.parametrize("dtype", ["float32", "float64"])
odd_sizes = pytest.mark.parametrize(
    "sizes", [(1, 1), (2, 3), (1, 2, 1), (17, 33, 3), (33, 1, 17, 2), (100, 31, 16)], ids=str
)


@pytest.fixture(scope="module")
def digits():
    """A trained network, and the digits that ship with the package."""
    data = fastbp.datasets.load_digits()
    net = fastbp.Network([64, 30, 10], activation="relu", cost="cross_entropy", seed=0)
    net.fit(data.x_train, data.y_train, epochs=10, verbose=0)
    net.classes = [f"digit {i}" for i in range(10)]
    return net, np.concatenate([data.x_train, data.x_test]).astype(np.float32)


# ONNX


def in_onnx_runtime(path, x):
    runtime = pytest.importorskip("onnxruntime")
    return runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


@both_dtypes
@every_kind
def test_onnx_runtime_agrees_with_network(activation, dtype, tmp_path):
    net = made(activation, dtype)
    export.to_onnx(net, tmp_path / "net.onnx")
    name = getattr(activation, "name", activation)
    limits = {"rtol": 1e-6, "atol": 1e-6} if dtype == "float64" and name in ROUNDED else CLOSE[dtype]
    x = inputs(net)
    np.testing.assert_allclose(in_onnx_runtime(tmp_path / "net.onnx", x), net.predict(x), **limits)


@odd_sizes
def test_onnx_of_odd_sizes(sizes, tmp_path):
    net = made("tanh", sizes=sizes)
    export.to_onnx(net, tmp_path / "net.onnx")
    for m in (1, 2, 33):
        x = inputs(net, m)
        np.testing.assert_allclose(in_onnx_runtime(tmp_path / "net.onnx", x), net.predict(x), **CLOSE["float32"])


def test_onnx_of_the_digits(digits, tmp_path):
    onnx = pytest.importorskip("onnx")
    net, x = digits
    export.to_onnx(net, tmp_path / "net.onnx")
    onnx.checker.check_model(str(tmp_path / "net.onnx"), full_check=True)
    found = in_onnx_runtime(tmp_path / "net.onnx", x)
    assert np.abs(found - net.predict(x)).max() < 1e-5
    assert np.array_equal(np.argmax(found, axis=1), np.argmax(net.predict(x), axis=1))
    properties = {p.key: p.value for p in onnx.load(str(tmp_path / "net.onnx")).metadata_props}
    assert json.loads(properties["classes"])[3] == "digit 3"


@pytest.mark.parametrize("x", [-1e3, -88.0, -20.0, -1e-3, 0.0, 1e-6, 1.0, 30.0, 1e3])
@pytest.mark.parametrize("name", ["softplus", "log_sigmoid", "elu", "selu", "mish", "silu", "gelu_tanh"])
def test_onnx_is_exact_far_out_and_near_zero(name, x, tmp_path):
    net = fastbp.Network([1, 1, 1], activation=name, output="identity", dtype="float64",
                         initializer=([[[1.0]], [[1.0]]], [[0.0], [0.0]]))  # fmt: skip
    export.to_onnx(net, tmp_path / "net.onnx")
    samples = np.array([[x]])
    found = in_onnx_runtime(tmp_path / "net.onnx", samples)
    np.testing.assert_allclose(found, net.predict(samples), rtol=1e-12, atol=1e-300)


def test_onnx_that_is_not_installed_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"fastbp\[onnx\]"):
        export.to_onnx(made("tanh"), tmp_path / "net.onnx")


# C


def compiled(net, folder, *flags, name="network"):
    """Return predict and class as functions of one sample."""
    export.to_c_source(net, folder / "net.c", name)
    library = folder / f"lib{name}.so"
    command = [compiler, "-O2", *STRICT, *flags, "-shared", "-fPIC", str(folder / "net.c"), "-o", str(library), "-lm"]
    subprocess.run(command, check=True)
    functions = ctypes.CDLL(str(library))

    def predict(x):
        found = np.full((len(x), net.sizes[-1]), np.nan, x.dtype)
        for row, out in zip(x, found, strict=True):
            functions[f"{name}_predict"](row.ctypes.data_as(ctypes.c_void_p), out.ctypes.data_as(ctypes.c_void_p))
        return found

    def classes(x):
        return [functions[f"{name}_class"](row.ctypes.data_as(ctypes.c_void_p)) for row in x]

    return predict, classes


@needs_compiler
@both_dtypes
@every_kind
def test_c_agrees_with_network(activation, dtype, tmp_path):
    net = made(activation, dtype)
    x = inputs(net)
    np.testing.assert_allclose(compiled(net, tmp_path)[0](x), net.predict(x), **CLOSE[dtype])


@needs_compiler
@odd_sizes
def test_c_of_odd_sizes(sizes, tmp_path):
    net = made("sigmoid", sizes=sizes)
    x = inputs(net)
    np.testing.assert_allclose(compiled(net, tmp_path, name="my_net2")[0](x), net.predict(x), **CLOSE["float32"])


@needs_compiler
def test_c_tells_the_class_and_keeps_its_buffers_where_one_wants_them(digits, tmp_path):
    net, x = digits
    source = export.to_c_source(net)
    assert '"digit 3"' in source
    assert "malloc" not in source
    for flags in ((), ("-DNETWORK_BUFFERS=",), ("-O3", "-march=native")):
        predict, classes = compiled(net, tmp_path, *flags)
        np.testing.assert_allclose(predict(x[:100]), net.predict(x[:100]), **CLOSE["float32"])
        assert classes(x) == np.argmax(net.predict(x), axis=1).tolist()


@needs_compiler
def test_c_is_a_program_if_one_asks_for_it(tmp_path):
    net = made("tanh", "float64", (2, 3, 2))
    export.to_c_source(net, tmp_path / "net.c")
    subprocess.run(
        [compiler, *STRICT, "-DNETWORK_MAIN", str(tmp_path / "net.c"), "-o", str(tmp_path / "net"), "-lm"], check=True
    )
    x = inputs(net, 5)
    text = "\n".join(" ".join(map(repr, row)) for row in x.tolist())
    run = subprocess.run([str(tmp_path / "net")], input=text, capture_output=True, text=True, check=True)
    found = [[float(a) for a in line.split()] for line in run.stdout.splitlines()]
    np.testing.assert_allclose(found, net.predict(x), rtol=1e-12)
    assert subprocess.run([str(tmp_path / "net")], input="1.0", capture_output=True, text=True).returncode == 1


def test_names_in_c_are_checked_and_classes_are_quoted():
    net = made("tanh", sizes=(2, 3, 3))
    with pytest.raises(ValueError, match="identifier"):
        export.to_c_source(net, name="my net")
    net.classes = ['a "quote"', "über\n", "what??"]
    assert r'"a \"quote\"", "\303\274ber\012", "what\?\?"' in export.to_c_source(net)


# NumPy


@both_dtypes
@every_kind
def test_numpy_source_agrees_with_network(activation, dtype, tmp_path):
    net = made(activation, dtype)
    export.to_numpy_source(net, tmp_path / "net.py")
    x = inputs(net)
    predict = runpy.run_path(str(tmp_path / "net.py"))["predict"]
    np.testing.assert_allclose(predict(x), net.predict(x), **CLOSE[dtype])
    np.testing.assert_allclose(predict(x[0]), net.predict(x[0]), **CLOSE[dtype])
    assert predict(x).dtype == net.dtype


def test_numpy_source_needs_numpy_alone_and_tells_labels(digits, tmp_path):
    net, x = digits
    (tmp_path / "net.py").write_text(export.to_numpy_source(net))
    np.save(tmp_path / "x.npy", x)
    code = (
        "import sys, numpy as np; import net; print(*net.predict_labels(np.load('x.npy')), sep=',');"
        "print(sorted({'numba', 'fastbp', 'scipy'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    labels, loaded = run.stdout.splitlines()
    assert labels.split(",") == net.predict_labels(x).tolist()
    assert loaded == "[]"


def test_a_single_output_tells_two_labels(tmp_path):
    x, y = make_classification(100, 5, random_state=0)
    net = fastbp.Network([5, 4, 1], cost="binary_cross_entropy", seed=0)
    net.fit(x, np.array(["no", "yes"])[y], epochs=50, verbose=0)
    export.to_numpy_source(net, tmp_path / "net.py")
    assert runpy.run_path(str(tmp_path / "net.py"))["predict_labels"](x) == net.predict_labels(x).tolist()
    if compiler:
        places = compiled(net, tmp_path)[1](x.astype(np.float32))
        assert [("no", "yes")[place] for place in places] == net.predict_labels(x).tolist()


# PyTorch, scikit-learn, the book


@both_dtypes
@odd_sizes
def test_a_state_dict_goes_there_and_back(sizes, dtype):
    net = made("tanh", dtype, sizes)
    state = export.to_torch_state_dict(net, "layers.", step=3)
    assert list(state)[:2] == ["layers.0.weight", "layers.0.bias"]
    assert all(a.flags.c_contiguous and a.flags.writeable and a.dtype == net.dtype for a in state.values())
    other = export.from_torch_state_dict(state, activation="tanh", output="identity")
    assert other.dtype == net.dtype
    assert np.array_equal(other.predict(inputs(net)), net.predict(inputs(net)))


class Tensor:
    def __init__(self, array):
        self.array = array

    def detach(self):
        return self

    cpu = detach

    def numpy(self):
        return self.array


def test_state_dicts_of_other_modules():
    rng = np.random.default_rng(0)
    w = [rng.random((3, 4)).astype(np.float32), rng.random((2, 3)).astype(np.float32)]
    net = export.from_torch_state_dict(
        {"fc1.weight": Tensor(w[0]), "out.weight": Tensor(w[1]), "out.bias": np.ones(2, "f")}
    )
    assert list(net.sizes) == [4, 3, 2]
    assert not net.biases[0].any()
    for state, told in [
        ({"bn.weight": np.ones(3)}, "bn.weight"),
        ({"conv.weight": np.ones((2, 2, 3, 3))}, "conv.weight"),
        ({"a.weight": w[0], "a.bias": np.ones(7)}, "a.bias"),
        ({"a.weight": w[0], "b.weight": w[0]}, "b.weight"),
        ({"a.weight": np.ones((2, 2), int)}, "int64"),
        ({"a.running_mean": np.ones(3)}, "running_mean"),
        ({}, "empty"),
    ]:
        with pytest.raises(ValueError, match=told):
            export.from_torch_state_dict(state)


X, Y = make_classification(90, 7, n_informative=5, n_classes=3, random_state=0)
XM, YM = make_multilabel_classification(90, 7, n_classes=3, random_state=0)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("kind", "x", "y"),
    [(MLPClassifier, X, Y), (MLPClassifier, X, np.array(["a", "b"])[Y % 2]), (MLPClassifier, XM, YM),
     (MLPRegressor, X, X[:, 0]), (MLPRegressor, X, X[:, :2])],
    ids=["labels", "two", "several", "quantity", "quantities"],
)  # fmt: skip
@pytest.mark.parametrize("activation", ["relu", "logistic", "identity"])
def test_a_network_of_scikit_learns(kind, x, y, activation):
    estimator = kind(hidden_layer_sizes=(6, 5), activation=activation, max_iter=5, random_state=0).fit(x, y)
    net = export.from_sklearn(estimator)
    found = net.predict(x)
    if kind is MLPRegressor or y.ndim == 2:
        right = estimator.predict(x) if kind is MLPRegressor else estimator.predict_proba(x)
        np.testing.assert_allclose(found, right.reshape(found.shape), rtol=1e-9)
    else:
        np.testing.assert_allclose(net.predict_proba(x), estimator.predict_proba(x), rtol=1e-9)
        assert np.array_equal(net.predict_labels(x), estimator.predict(x))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_estimators_are_exported_with_their_scaling(tmp_path):
    from fastbp.sklearn import Classifier

    estimator = Classifier(max_iter=30, random_state=0).fit(X * 50 + 9, Y)
    export.to_numpy_source(estimator, tmp_path / "net.py")
    assert (
        runpy.run_path(str(tmp_path / "net.py"))["predict_labels"](X * 50 + 9) == estimator.predict(X * 50 + 9).tolist()
    )
    with pytest.raises(TypeError, match="after its fit"):
        export.from_sklearn(MLPClassifier())
    with pytest.raises(TypeError, match="list"):
        export.to_c_source([1, 2])


@pytest.mark.parametrize("cost", ["quadratic", "binary_cross_entropy"])
def test_the_books_file_goes_there_and_back(cost, tmp_path):
    net = fastbp.Network([4, 3, 2], output="sigmoid", cost=cost, dtype="float64", seed=0)
    export.to_network2_json(net, tmp_path / "net.json")
    other = export.from_network2_json(tmp_path / "net.json")
    assert other.spec.cost == cost
    x = inputs(net)
    assert np.array_equal(other.predict(x), net.predict(x))
    np.testing.assert_allclose(network2.load(tmp_path / "net.json").feedforward(x.T).T, net.predict(x), rtol=1e-12)


def test_what_the_book_has_not_is_refused(tmp_path):
    with pytest.raises(ValueError, match="tanh"):
        export.to_network2_json(made("tanh"), tmp_path / "net.json")
    with pytest.raises(ValueError, match="huber"):
        export.to_network2_json(fastbp.Network([2, 2], output="sigmoid", cost="huber"), tmp_path / "net.json")
    network2.Network([2, 2], network2.LogLikelihoodCost).save(tmp_path / "net.json")
    with pytest.raises(ModelFileError, match="LogLikelihoodCost"):
        export.from_network2_json(tmp_path / "net.json")


@pytest.mark.parametrize("write", [export.to_c_source, export.to_numpy_source])
def test_parameters_that_are_not_finite_are_refused(write):
    net = made("tanh")
    net._set_parameters([w * np.inf for w in net._get_parameters()[0]], net._get_parameters()[1])
    with pytest.raises(ValueError, match=r"weights\[0\] is not finite"), np.errstate(invalid="ignore"):
        write(net)


# The command line


@pytest.mark.parametrize(
    ("kind", "suffix"), [("onnx", ".onnx"), ("c", ".c"), ("numpy", ".py"), ("torch", ".safetensors")]
)
def test_a_model_file_is_exported(kind, suffix, tmp_path, capsys, digits):
    net, x = digits
    model = tmp_path / "digits.fastbp"
    net.save(model)
    if kind == "onnx":
        pytest.importorskip("onnx")
    assert cli.main(["export", str(model), "--to", kind, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    output = tmp_path / f"digits{suffix}"
    assert report == {"output": str(output), "kind": kind, "bytes": output.stat().st_size, "sizes": [64, 30, 10]}
    if kind == "torch":
        other = export.from_torch_state_dict(load_file(output), activation="relu", cost="cross_entropy")
        assert np.array_equal(other.predict(x), net.predict(x))


def test_the_model_is_not_written_over(tmp_path, capsys):
    model = tmp_path / "net.safetensors"
    made("tanh").save(model)
    before = model.read_bytes()
    assert cli.main(["export", str(model), "--to", "torch"]) == 2
    assert "overwrite" in capsys.readouterr().err
    assert model.read_bytes() == before
    assert cli.main(["export", str(model), "--to", "c", "--output", str(tmp_path / "other.c")]) == 0
    assert (tmp_path / "other.c").is_file()
