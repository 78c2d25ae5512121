"""Train a network on the digits in fastbp or on data of your own, check it, and save it.

Features are scaled to what training likes; the scaling becomes part of the saved network, which
takes plain data.
"""

import argparse
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..formulas.optimizers import SGD, Adam
from ..history import History
from ..network import Network
from ..report import CheckReport
from . import models, scaling
from .data import Data, load
from .outcome import Outcome, UsageError, usage
from .warmup import compile_kernels

CHECKED_ROWS = 200
STEPS, LEAST_EPOCHS, MOST_EPOCHS = 2760, 20, 100  # by default
OUTPUTS = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}


class Defaults(NamedTuple):
    """What suits a kind of task; on the digits, 98 % of the test images, within a second."""

    sizes: list[int]
    cost: str
    dropout: float
    l2: float


CLASSES = Defaults([256, 256], "cross_entropy", 0.4, 1e-4)
NUMBERS = Defaults([64, 64], "quadratic", 0.0, 3e-3)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument_group("data").add_argument
    add("--data", metavar="PATH", help=".npz, .csv or folder with MNIST's files (default: digits)")
    add("--target", metavar="COLUMN", help="of a .csv: what to predict, by name or number (default: last)")
    add("--task", choices=("auto", "classification", "regression"), default="auto",
        help="auto (default): text and up to 100 whole numbers are classes")  # fmt: skip
    add("--scale", choices=scaling.MODES, default="auto",
        help="features: auto (default) unless in -1..1, standard (mean 0, deviation 1), none")  # fmt: skip
    add = parser.add_argument_group("network").add_argument
    add("--sizes", metavar="N", nargs="*", type=int,
        help="neurons per hidden layer (default: 256 256; for numbers 64 64)")  # fmt: skip
    add("--activation", default="relu", help="of hidden layers: relu (default), tanh, sigmoid, identity")
    add("--cost", help="cross_entropy (default), binary_cross_entropy, quadratic (default for numbers)")
    add("--l2", type=float, help="penalty l2/2 Σ w² (default: 0.0001; for numbers 0.003)")
    add("--dropout", type=float, help="share of hidden neurons to drop (default: 0.4; for numbers 0)")
    add("--dtype", default="float32", help="float32 (default) or float64")
    add = parser.add_argument_group("training").add_argument
    add("--optimizer", choices=("adam", "sgd"), default="adam", help="default: adam")
    add("--learning-rate", type=float, metavar="RATE", help="default: 0.001; for sgd 0.1")
    add("--momentum", type=float, help="of sgd (default: 0)")
    add("--nesterov", action="store_true", help="Nesterov's momentum, with sgd")
    add("--epochs", type=int,
        help=f"default: {STEPS} mini-batches, within {LEAST_EPOCHS} to {MOST_EPOCHS} epochs")  # fmt: skip
    add("--batch-size", type=int, default=32, metavar="M", help="default: 32")
    add("--threads", default="auto", type=_threads, help='a number or "auto" (default); changes no result')
    add("--seed", type=int, default=0, help="default: 0; the same seed gives the same network")
    add = parser.add_argument_group("files").add_argument
    add("--output", metavar="FILE", help="the saved network (default: NAME.safetensors in this folder)")
    add("--plot", metavar="FILE.png", help="draw the learning curves")


def run(options: argparse.Namespace) -> Outcome:
    """Train, cross-check, evaluate and save."""
    optimizer = _optimizer(options)
    path = Path(options.output or f"{Path(options.data or 'digits').resolve().stem}.safetensors")
    models.check_writable(path)
    _check_plot(options.plot)
    data = load(options.data, options.target, options.task, options.seed)
    net = _network(options, data)
    compile_seconds = sum(compile_kernels([options.dtype]).values())
    trained = _train(options, net, optimizer, data)
    models.save(models.Model(net, data.classes), path)
    if options.plot:
        from ..plotting import plot_history

        plot_history(trained.history).figure.savefig(options.plot)
    seconds = sum(trained.history.seconds)
    report = {
        "data": data.words,
        "training_samples": len(data.x_train),
        "test_samples": len(data.x_test),
        "sizes": net.sizes,
        "parameters": sum(a.size for a in [*net.weights, *net.biases]),
        "activations": list(net.spec.activations),
        "cost": net.spec.cost,
        "dtype": net.spec.dtype,
        "seed": net.spec.seed,
        "optimizer": options.optimizer,
        "learning_rate": optimizer.learning_rate,
        "epochs": len(trained.history),
        "batch_size": options.batch_size,
        **_test_scores(net, data),
        "cross_check": trained.check.to_dict(),
        "samples_per_second": len(data.x_train) * len(trained.history) / seconds,
        "training_seconds": seconds,
        "compile_seconds": compile_seconds,
        "model": str(path),
    }
    failure = "" if trained.check.passed else f"the cross-check failed: {trained.check.worst.name}"
    return Outcome(report, _describe(report, trained.check), failure)


class Trained(NamedTuple):
    """What is left of a training run, besides the network."""

    history: History
    check: CheckReport


def _train(options: argparse.Namespace, net: Network, optimizer: SGD | Adam, data: Data) -> Trained:
    """Train on scaled data, cross-check, and make the scaling part of the network."""
    from ..checking import cross_check

    scale_x = scaling.choose(data.x_train, options.scale)
    scale_y = scaling.standard(data.y_train) if _is_linear(net, data) else None
    x, x_test = (scale_x(x) if scale_x else x for x in (data.x_train, data.x_test))
    y, y_test = (scale_y(y) if scale_y else y for y in (data.y_train, data.y_test))
    with usage():
        epochs = options.epochs
        if epochs is None:
            steps = -(-len(x) // max(options.batch_size, 1))
            epochs = min(max(LEAST_EPOCHS, STEPS // steps), MOST_EPOCHS)
        history = net.fit(x, y, epochs, options.batch_size, optimizer, validation_data=(x_test, y_test))
    check = cross_check(net, x[:CHECKED_ROWS], y[:CHECKED_ROWS], steps=5)
    if scale_x:
        scaling.fold_into_inputs(net, scale_x)
    if scale_y:
        scaling.fold_into_outputs(net, scale_y)
    return Trained(history, check)


def _threads(text: str) -> str | int:
    return text if text == "auto" else int(text)


def _optimizer(options: argparse.Namespace) -> SGD | Adam:
    rate = options.learning_rate
    with usage():
        if options.optimizer == "sgd":
            return SGD(0.1 if rate is None else rate, options.momentum or 0.0, options.nesterov)
        if options.momentum is not None or options.nesterov:
            raise UsageError("--momentum and --nesterov are for --optimizer sgd; adam has its own")
        return Adam() if rate is None else Adam(rate)


def _network(options: argparse.Namespace, data: Data) -> Network:
    """Build the network that the options and the data ask for."""
    defaults = CLASSES if data.classes else NUMBERS
    cost = options.cost or defaults.cost
    n_out = len(data.classes) or data.y_train.shape[1]
    hidden = defaults.sizes if options.sizes is None else options.sizes
    with usage():
        return Network(
            [data.x_train.shape[1], *hidden, n_out],
            activation=options.activation,
            output=OUTPUTS.get(cost, "sigmoid" if data.classes else "identity"),
            cost=cost,
            initializer="he_normal" if options.activation == "relu" else "glorot_uniform",
            l2=defaults.l2 if options.l2 is None else options.l2,
            dropout=defaults.dropout if options.dropout is None else options.dropout,
            dtype=options.dtype,
            seed=options.seed,
            threads=options.threads,
        )


def _is_linear(net: Network, data: Data) -> bool:
    return not data.classes and net.spec.activations[-1] == "identity"


def _check_plot(path: str | None) -> None:
    if path is not None:
        from ..plotting import check_format

        check_format(path)


def _test_scores(net: Network, data: Data) -> dict[str, float | None]:
    """Judge the network as it is saved, on plain data."""
    score = net.evaluate(data.x_test, data.y_test)
    scores = {"test_cost": score.cost, "test_accuracy": score.accuracy}
    if data.classes:
        return scores
    squares = np.mean((net.predict(data.x_test) - data.y_test) ** 2, axis=0)
    variance = np.var(data.y_test, axis=0)
    explained = float(1 - squares.sum() / variance.sum()) if variance.any() else None
    return scores | {"test_rmse": float(np.sqrt(squares.mean())), "test_r2": explained}


def _describe(report: dict[str, Any], check: CheckReport) -> str:
    """Say it to a person."""
    sizes = "-".join(map(str, report["sizes"]))
    names = f"{report['activations'][0]}, {report['activations'][-1]}, {report['cost']}"
    verdict = "passed" if check.passed else "FAILED"
    path = report["model"]
    lines = {
        "data": f"{report['data']}: {report['training_samples']:,} samples to train on, "
        f"{report['test_samples']:,} to test",
        "network": f"{sizes} ({report['parameters']:,} parameters), {names}, {report['dtype']}",
        "training": f"{report['epochs']} epochs of mini-batches of {report['batch_size']}, "
        f"{report['optimizer']} at learning rate {report['learning_rate']:g}, seed {report['seed']}",
        "test": _verdict(report),
        "cross-check": f"{verdict}: {len(check.rows)} arrays against NumPy in float64; "
        f"worst {check.worst.name}, at {check.worst.share:.2g} of its tolerance",
        "speed": f"{report['samples_per_second']:,.0f} samples per second: "
        f"{report['training_seconds']:.2g} s of training "
        f"(and before it {report['compile_seconds']:.2g} s to compile or load the kernels)",
        "saved": path,
        "next": f"fastbp predict {path} DATA, fastbp check {path}, fastbp train --help",
    }
    return "\n".join(f"{name:<12} {text}" for name, text in lines.items())


def _verdict(report: dict[str, Any]) -> str:
    if (accuracy := report["test_accuracy"]) is not None:
        right = round(accuracy * report["test_samples"])
        return f"{accuracy:.2%} right ({right:,} of {report['test_samples']:,} samples it never saw)"
    text = f"root mean square error {report['test_rmse']:.4g}"
    if report["test_r2"] is not None:
        text += f", {report['test_r2']:.1%} of the variance explained"
    return text
