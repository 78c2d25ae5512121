"""PyTorch's state dicts, without PyTorch: of ``nn.Sequential(nn.Linear(...), nn.ReLU(), nn.Linear(...))``."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..formulas import Array
from ..networks.fast import Network
from .parts import network_of


def to_torch_state_dict(model: Any, prefix: str = "", step: int = 2) -> dict[str, Array]:
    """Return "0.weight" (n_out, n_in), "0.bias" (n_out,), "2.weight", ...: for PyTorch's load_state_dict.

    ``module.load_state_dict({name: torch.from_numpy(a) for name, a in state.items()})``; safetensors' save_file takes
    it as it is.

    Parameters
    ----------
    model
        a network or estimator
    prefix
        of every name, such as "layers."
    step
        from the place of one layer to that of the next: 2 where an activation lies between, 3 with dropout

    """
    net = network_of(model)
    state = {}
    for place, (w, b) in enumerate(zip(net.weights, net.biases, strict=True)):
        state[f"{prefix}{place * step}.weight"] = w.copy()
        state[f"{prefix}{place * step}.bias"] = b.copy()
    return state


def from_torch_state_dict(state: Mapping[str, Any], **network: Any) -> Network:
    """Return a network with the parameters of a PyTorch module that is Linear layers and activations.

    Parameters
    ----------
    state
        tensors or arrays by name, in the order of the layers; a Linear without bias gets one of zeros
    network
        arguments of ``fastbp.Network`` besides the sizes: `activation`, `output`, `cost`. A state dict does not say
        them. `dtype` is that of the tensors, if it is not given

    Raises
    ------
    ValueError
        where there are other parameters than those of Linear layers, or layers do not fit onto each other

    """
    arrays = {name: _array(name, value) for name, value in state.items()}
    weights: list[Array] = []
    biases: list[Array] = []
    for name, w in arrays.items():
        stem, _, kind = name.rpartition(".")
        if kind == "bias" and f"{stem}.weight" in arrays:
            continue
        if kind != "weight" or w.ndim != 2:
            raise ValueError(f"{name} {w.shape} is no parameter of a Linear layer, and fastbp has no other layers")
        b = arrays.get(f"{stem}.bias", np.zeros(len(w), w.dtype))
        if b.shape != (len(w),):
            raise ValueError(f"{stem}.bias must be ({len(w)},), got {b.shape}")
        if weights and w.shape[1] != len(weights[-1]):
            raise ValueError(f"{name} takes {w.shape[1]} inputs, and the layer before has {len(weights[-1])} outputs")
        weights.append(w)
        biases.append(b)
    if not weights:
        raise ValueError("the state dict is empty")
    dtype = network.pop("dtype", "float64" if weights[0].dtype == np.float64 else "float32")
    sizes = [weights[0].shape[1], *map(len, weights)]
    return Network(sizes, dtype=dtype, initializer=(weights, biases), **network)


def _array(name: str, value: Any) -> Array:
    if hasattr(value, "detach"):  # a tensor, perhaps with a gradient, or on another device
        value = value.detach().cpu().numpy()
    array = np.asarray(value)
    if array.dtype.kind != "f":
        raise ValueError(f"{name} holds {array.dtype}, not floating-point numbers")
    return array
