"""Train a network on the digits in fastbp or on data of your own, check it, and save it.

Features are scaled to what training likes; the scaling becomes part of the saved network, which
takes plain data.
"""

import argparse
import shlex
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..checking.report import CheckReport
from ..errors import DivergenceError
from ..formulas import Array
from ..formulas.optimizers import OPTIMIZERS, SGD
from ..networks import scaling
from ..networks.fast import Network
from ..training.history import History
from . import confusion, models, picture, scores, sources
from .data import Choice, Data, load
from .outcome import Outcome, UsageError, usage
from .warmup import compile_kernels

CHECKED_ROWS = 200
SGD_RATE = 0.1
STEPS, LEAST_EPOCHS, MOST_EPOCHS = 2760, 20, 100  # by default


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
    add("source", metavar="DATA", nargs="?", help=f"{sources.FORMATS} (default)")
    add("--data", metavar="DATA", help="the same")
    add("--target", metavar="COLUMN", help="of a table: what to predict, by name or number (default: last)")
    add("--drop", metavar="COLUMN", nargs="+", default=[], help="of a table: columns to leave out")
    add("--task", choices=("auto", "classification", "regression"), default="auto",
        help="auto (default): text is classes; so are whole numbers that are few and seen often each")  # fmt: skip
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
    add("--optimizer", choices=sorted(OPTIMIZERS), default="adam", help="default: adam")
    add("--learning-rate", type=float, metavar="RATE", help="default: 0.001; for sgd 0.1, for rmsprop 0.01")
    add("--momentum", type=float, help="of sgd and rmsprop (default: 0)")
    add("--nesterov", action="store_true", help="Nesterov's momentum, with sgd")
    add("--epochs", type=int,
        help=f"default: {STEPS} mini-batches, within {LEAST_EPOCHS} to {MOST_EPOCHS} epochs")  # fmt: skip
    add("--batch-size", type=int, default=32, metavar="M", help="default: 32")
    add("--threads", default="auto", type=_threads, help='a number or "auto" (default); changes no result')
    add("--seed", type=int, default=0, help="default: 0; the same seed gives the same network")
    add = parser.add_argument_group("files").add_argument
    add("--output", metavar="FILE", help="the saved network (default: NAME.safetensors in this folder)")
    add("--plot", metavar="FILE.png", help="the picture of the training (default: NAME.png beside the network, "
        "if matplotlib is installed)")  # fmt: skip
    add("--no-plot", action="store_true", help="draw no picture")


def run(options: argparse.Namespace) -> Outcome:
    """Train, cross-check, evaluate and save."""
    optimizer = _optimizer(options)
    source = _source(options)
    path = Path(options.output or f"{sources.title(source)}.safetensors")
    models.check_writable(path)
    place = picture.place(path, options.plot, options.no_plot)
    data = load(source, Choice(options.target, options.task, tuple(options.drop), options.seed))
    net = _network(options, data)
    compile_seconds = sum(compile_kernels([options.dtype]).values())
    trained = _train(options, net, optimizer, data)
    tested = _test(net, data)
    _describe_data(net, data)
    net.save(path)
    if place.path:
        names = [] if data.classes is None else models.names(net)
        tests = (data.x_test, data.y_test, tested.outputs)
        mistakes = picture.worst_mistakes(*tests, names, data.columns) if names else None
        picture.draw(place.path, trained.history, tested.confusion, names, mistakes)
    seconds = sum(trained.history.seconds)
    report = {
        "data": data.words,
        "target": data.target or None,
        "task": net.notes["task"],
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
        "test_cost": tested.cost,
        **{f"test_{name}": tested.verdict.scores.get(name) for name in ("accuracy", "guess", "rmse", "r2")},
        "classes": None if data.classes is None else data.classes.tolist(),
        "confusion": None if tested.confusion is None else tested.confusion.tolist(),
        "warnings": [words for words in [tested.verdict.warning, *trained.doubts] if words],
        "notes": data.notes,
        "cross_check": trained.check.to_dict(),
        "samples_per_second": len(data.x_train) * len(trained.history) / seconds,
        "training_seconds": seconds,
        "compile_seconds": compile_seconds,
        "model": str(path),
        "picture": str(place.path) if place.path else None,
    }
    failure = "" if trained.check.passed else f"the cross-check failed: {trained.check.worst.name}"
    after = _next(source, path)
    return Outcome(report, _describe(report, trained.check, data, tested, place, after), failure)


def _source(options: argparse.Namespace) -> str | None:
    """Return what to train on, named in either way."""
    if options.source and options.data and options.source != options.data:
        raise UsageError(f"two data, {options.source} and {options.data}; give one of them")
    source: str | None = options.source or options.data
    return None if source is not None and sources.is_digits(source) else source


def _next(source: str | None, path: Path) -> str:
    """Return a command that can be run as it stands."""
    data = sources.DIGITS if source is None else source
    if data == "-":
        return shlex.join(["fastbp", "check", str(path)])
    return shlex.join(["fastbp", "predict", str(path), data])


def _describe_data(net: Network, data: Data) -> None:
    """Let the model file say what its inputs and outputs mean."""
    net.classes, net.columns = data.classes, data.columns
    net.notes["task"] = "regression" if data.classes is None else "classification"
    if data.target:
        net.notes["target"] = data.target


class Trained(NamedTuple):
    """What is left of a training run, besides the network."""

    history: History[Any]
    check: CheckReport
    doubts: list[str]  # what the library warned of


def _train(options: argparse.Namespace, net: Network, optimizer: Any, data: Data) -> Trained:
    """Train on scaled data, cross-check, and make the scaling part of the network."""
    from ..checking.cross import cross_check

    scale_x = scaling.choose(data.x_train, options.scale)
    scale_y = scaling.standard(data.y_train) if _is_linear(net, data) else None
    if data.classes is not None:
        net.classes = np.arange(len(data.classes))  # a rare class may be missing in one of the parts
    x, x_test = (scale_x(x) if scale_x else x for x in (data.x_train, data.x_test))
    y, y_test = (scale_y(y) if scale_y else y for y in (data.y_train, data.y_test))
    with usage():
        epochs = options.epochs
        if epochs is None:
            steps = -(-len(x) // max(options.batch_size, 1))
            epochs = min(max(LEAST_EPOCHS, STEPS // steps), MOST_EPOCHS)
        with warnings.catch_warnings(record=True, action="always") as doubts, _said_of_options():
            history = net.fit(x, y, epochs, options.batch_size, optimizer, validation_data=(x_test, y_test))
    check = cross_check(net, x[:CHECKED_ROWS], y[:CHECKED_ROWS], steps=5)
    if scale_x:
        scaling.fold_into_inputs(net, scale_x)
    if scale_y:
        scaling.fold_into_outputs(net, scale_y)
        for errors in (history.rmse, history.validation_rmse):  # in units of the target, as in the file
            errors[:] = [None if error is None else error * float(scale_y.scale[0]) for error in errors]
    return Trained(history, check, [str(doubt.message) for doubt in doubts])


@contextmanager
def _said_of_options() -> Iterator[None]:
    """Inside, the way out of a divergence is an option of the command line."""
    try:
        yield
    except DivergenceError as error:
        raise ArithmeticError(
            f"{error.what}; nothing was saved; try --optimizer adam --learning-rate {error.advised_rate:g}"
        ) from error


def _threads(text: str) -> str | int:
    return text if text == "auto" else int(text)


def _optimizer(options: argparse.Namespace) -> Any:
    row = OPTIMIZERS[options.optimizer]
    given = {"learning_rate": options.learning_rate, "momentum": options.momentum, "nesterov": options.nesterov or None}
    if row is SGD and options.learning_rate is None:
        given["learning_rate"] = SGD_RATE
    known = {each.name for each in fields(row)}
    for name, value in given.items():
        if value is not None and name not in known:
            raise UsageError(f"--{name} is not for --optimizer {options.optimizer}; choose --optimizer sgd")
    with usage():
        return row(**{name: value for name, value in given.items() if value is not None})


def _network(options: argparse.Namespace, data: Data) -> Network:
    """Build the network that the options and the data ask for."""
    defaults = NUMBERS if data.classes is None else CLASSES
    cost: Any = options.cost or defaults.cost  # a name that may be unknown, which Network says
    n_out = data.y_train.shape[1] if data.classes is None else len(data.classes)
    hidden = defaults.sizes if options.sizes is None else options.sizes
    with usage():
        return Network(
            [data.x_train.shape[1], *hidden, n_out],
            activation=options.activation,
            output=None if cost != "quadratic" else "identity" if data.classes is None else "sigmoid",
            cost=cost,
            l2=defaults.l2 if options.l2 is None else options.l2,
            dropout=defaults.dropout if options.dropout is None else options.dropout,
            dtype=options.dtype,
            seed=options.seed,
            threads=options.threads,
        )


def _is_linear(net: Network, data: Data) -> bool:
    return data.classes is None and not net.spec.activation_rows[-1].is_probability


class Tested(NamedTuple):
    """What the network as it is saved says of the test samples."""

    cost: float
    outputs: Array
    verdict: scores.Verdict
    confusion: Array | None


def _test(net: Network, data: Data) -> Tested:
    cost, outputs = net.evaluate(data.x_test, data.y_test).cost, net.predict(data.x_test)
    if data.classes is None:
        return Tested(cost, outputs, scores.of_numbers(outputs, data.y_test), None)
    answers, names = models.choices(outputs), [str(name) for name in data.classes.tolist()]
    verdict = scores.of_labels(answers, data.y_test, data.y_train, names)
    return Tested(cost, outputs, verdict, confusion.count(data.y_test, answers, len(names)))


def _describe(
    report: dict[str, Any], check: CheckReport, data: Data, tested: Tested, place: picture.Place, after: str
) -> str:
    """Say it to a person."""
    sizes = "-".join(map(str, report["sizes"]))
    names = f"{report['activations'][0]}, {report['activations'][-1]}, {report['cost']}"
    verdict = "passed" if check.passed else "FAILED"
    lines = [
        ("data", f"{report['data']}: {report['training_samples']:,} samples to train on, "
            f"{report['test_samples']:,} to test"),
        ("target", f"{data.target!r}: {data.target_words}" if data.target else data.target_words),
        *(("note", note) for note in data.notes),
        ("network", f"{sizes} ({report['parameters']:,} parameters), {names}, {report['dtype']}"),
        ("training", f"{report['epochs']} epoch{'s' * (report['epochs'] != 1)} of mini-batches of "
            f"{report['batch_size']}, "
            f"{report['optimizer']} at learning rate {report['learning_rate']:g}, seed {report['seed']}"),
        ("test", tested.verdict.words),
        *(("warning", words) for words in report["warnings"]),
        ("cross-check", f"{verdict}: {len(check.rows)} arrays against NumPy in float64; "
            f"worst {check.worst.name}, at {check.worst.share:.2g} of its tolerance"),
        ("speed", f"{report['samples_per_second']:,.0f} samples per second: "
            f"{report['training_seconds']:.2g} s of training "
            f"(and before it {report['compile_seconds']:.2g} s to compile or load the kernels)"),
        *_confusion(tested, data),
        ("saved", report["model"]),
        *(("picture", words) for words in [report["picture"] or place.note] if words),
        ("next", after),
    ]  # fmt: skip
    return "\n".join(f"{name + ':' * (name == 'next'):<12} {text}" for name, text in lines)


def _confusion(tested: Tested, data: Data) -> list[tuple[str, str]]:
    if tested.confusion is None or data.classes is None:
        return []
    lines = confusion.describe(tested.confusion, [str(name) for name in data.classes.tolist()])
    return [("confusion" if place == 0 else "", line) for place, line in enumerate(lines)]
