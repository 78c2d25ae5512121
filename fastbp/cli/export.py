"""Write a saved network for other programs: ONNX, one file of C, one file of NumPy, or PyTorch's names.

What it takes and gives are the plain numbers of the table or images it was trained on: scaling is part of its weights.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from safetensors.numpy import save

from .. import export, files
from ..networks.base import BaseNetwork
from ..networks.fast import Network
from .outcome import Outcome, UsageError


class Kind(NamedTuple):
    """A kind of file."""

    suffix: str
    write: Callable[[BaseNetwork, Path], Any]
    use: str  # what to do with the file


def _write_torch(net: BaseNetwork, path: Path) -> None:
    files.replace(path, save(export.to_torch_state_dict(net)))


KINDS = {
    "onnx": Kind(".onnx", export.to_onnx, 'onnxruntime.InferenceSession("{file}").run(None, {{"x": x}})'),
    "c": Kind(".c", export.to_c_source, "cc -O3 -D{name}_MAIN {file} -lm reads samples and prints outputs"),
    "numpy": Kind(".py", export.to_numpy_source, "from {stem} import predict"),
    "torch": Kind(".safetensors", _write_torch, 'module.load_state_dict(safetensors.torch.load_file("{file}"))'),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("model", metavar="MODEL", help="file that fastbp train or Network.save wrote")
    add("--to", required=True, choices=KINDS, help="onnx, c, numpy, or torch: a state dict, as safetensors")
    add("--output", metavar="FILE", help="write there (default: beside MODEL, with the suffix of its kind)")


def run(options: argparse.Namespace) -> Outcome:
    """Load, and write."""
    kind, model = KINDS[options.to], Path(options.model)
    output = Path(options.output) if options.output else model.with_suffix(kind.suffix)
    if output.resolve() == model.resolve():
        output_rule = "--output" if options.output else "the file"
        raise UsageError(f"{output_rule} would overwrite the model {model}; write --output another{kind.suffix}")
    net = Network.load(model)
    kind.write(net, output)
    size, use = output.stat().st_size, kind.use.format(file=output, stem=output.stem, name="NETWORK")
    report = {"output": str(output), "kind": options.to, "bytes": size, "sizes": list(net.sizes)}
    return Outcome(report, f"{output}: {size:,} bytes. {use}")
