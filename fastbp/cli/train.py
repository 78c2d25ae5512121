"""Train a network, on the digits that ship with fastbp unless told otherwise, check it, save it."""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ModelFileError
from .data import load

CHECKED_ROWS = 200


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("--data", metavar="PATH", help=".npz, .csv or a folder with MNIST's files (default: the digits)")
    add("--target", metavar="COLUMN", help="column of a .csv to be predicted: name or number (default: the last)")
    add("--sizes", metavar="N", nargs="*", type=int, default=[256], help="neurons per hidden layer (default: 256)")
    add("--activation", default="relu", help="of the hidden layers (default: relu)")
    add("--cost", help="default: cross_entropy for labels, quadratic for numbers")
    add("--optimizer", choices=("adam", "sgd"), default="adam", help="default: adam")
    add("--learning-rate", type=float, metavar="RATE", help="default: 0.001 for adam, 0.1 for sgd")
    add("--momentum", type=float, default=0.0, help="of sgd (default: 0)")
    add("--l2", type=float, default=1e-4, help="strength of the penalty l2/2 Σ w² (default: 0.0001)")
    add("--dropout", type=float, default=0.3, help="share of hidden neurons to drop (default: 0.3)")
    add("--epochs", type=int, default=60, help="default: 60")
    add("--batch-size", type=int, default=32, help="default: 32")
    add("--dtype", choices=("float32", "float64"), default="float32", help="default: float32")
    add("--threads", default="auto", help='a number or "auto" (default); never changes a result')
    add("--seed", type=int, default=0, help="default: 0")
    add("--output", metavar="FILE", help="where to save (default: NAME.safetensors in this folder)")
    add("--plot", metavar="FILE.png", help="draw the learning curves")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Train, evaluate, cross-check, save."""
    import fastbp

    data, words = load(options.data, options.target, options.seed)
    name = Path(options.data).resolve().stem if options.data else "digits"
    path = Path(options.output or f"{name}.safetensors")
    refuse_foreign(path)
    if options.plot:
        from ..plotting import plot_history, require_matplotlib

        require_matplotlib()
    net = make_network(options, data)
    optimizer = make_optimizer(options)
    compile_seconds = compile_kernels(net, data, optimizer, options.batch_size)
    test = (data.x_test, data.y_test)
    history = net.fit(
        data.x_train, data.y_train, options.epochs, options.batch_size, optimizer, validation_data=test
    )
    score = net.evaluate(*test)
    check = fastbp.cross_check(net, data.x_test[:CHECKED_ROWS], data.y_test[:CHECKED_ROWS], steps=5)
    net.save(path)
    if options.plot:
        plot_history(history).figure.savefig(options.plot)
    seconds = sum(history.seconds)
    speed = len(data.x_train) * len(history) / seconds
    result = {
        "data": words,
        "sizes": net.sizes,
        "epochs": len(history),
        "test_cost": score.cost,
        "test_accuracy": score.accuracy,
        "cross_check": check.to_dict(),
        "samples_per_second": speed,
        "training_seconds": seconds,
        "compile_seconds": compile_seconds,
        "model": str(path),
        "passed": check.passed,
    }
    return result | {"text": describe(result, net, optimizer, check, words, len(data.x_train))}


def refuse_foreign(path: Path) -> None:
    """Overwrite an earlier model, never anything else."""
    import fastbp

    if path.exists():
        try:
            fastbp.load(path)
        except (ModelFileError, OSError):
            raise ValueError(f"{path} is there already and is no model of fastbp; choose another --output") from None


def make_network(options: argparse.Namespace, data: Any) -> Any:
    """Build the network that the options and the data ask for."""
    import fastbp

    labels = np.issubdtype(np.asarray(data.y_train).dtype, np.integer) and np.ndim(data.y_train) == 1
    if labels:
        n_out = int(max(np.max(data.y_train), np.max(data.y_test))) + 1
        n_out = max(n_out, 2)
    else:
        n_out = 1 if np.ndim(data.y_train) == 1 else np.shape(data.y_train)[1]
    cost = options.cost or ("cross_entropy" if labels else "quadratic")
    outputs = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}
    return fastbp.Network(
        [np.shape(data.x_train)[1], *options.sizes, n_out],
        activation=options.activation,
        output=outputs.get(cost, "sigmoid" if labels else "identity"),
        cost=cost,
        initializer="he_normal" if options.activation == "relu" else "glorot_uniform",
        l2=options.l2,
        dropout=options.dropout,
        dtype=options.dtype,
        seed=options.seed,
        threads=options.threads if options.threads == "auto" else int(options.threads),
    )


def make_optimizer(options: argparse.Namespace) -> Any:
    """Build the optimizer that the options ask for."""
    import fastbp

    if options.optimizer == "adam":
        return fastbp.Adam(1e-3 if options.learning_rate is None else options.learning_rate)
    return fastbp.SGD(0.1 if options.learning_rate is None else options.learning_rate, options.momentum)


def compile_kernels(net: Any, data: Any, optimizer: Any, batch_size: int) -> float:
    """Make one step with a copy, so that compiling is not counted as training; return the seconds it took."""
    start = time.perf_counter()
    twin = net.to_reference().to_fast()
    twin.fit(data.x_train[:1], data.y_train[:1], 1, batch_size, optimizer, verbose=0)
    twin.predict(data.x_test[:1])
    return time.perf_counter() - start


def describe(result: dict[str, Any], net: Any, optimizer: Any, check: Any, words: str, n: int) -> str:
    """Say it to a person."""
    count = sum(a.size for a in [*net.weights, *net.biases])
    accuracy = result["test_accuracy"]
    right = f"{accuracy:.2%} of test samples right, " if accuracy is not None else ""
    verdict = "passed" if check.passed else "FAILED"
    sizes = "-".join(map(str, net.sizes))
    return "\n".join(
        [
            f"data         {words}: {n} samples to train on",
            f"network      {sizes}, {count} parameters, {net.spec.activations[0]}, {net.spec.cost}, {net.spec.dtype}",
            f"training     {result['epochs']} epochs of {optimizer}",
            f"test         {right}cost {result['test_cost']:.4g}",
            f"cross-check  {verdict}: {len(check.rows)} arrays against NumPy; "
            f"worst {check.worst.name}, at {check.worst.share:.2g} of what is allowed",
            f"speed        {result['samples_per_second']:,.0f} samples per second "
            f"({result['training_seconds']:.3g} s, after {result['compile_seconds']:.2g} s of "
            "compiling or loading kernels)",
            f"saved        {result['model']}; next: fastbp predict {result['model']} DATA, or fastbp train --help",
        ]
    )
