"""The records that kernels read: one for a run, and one for each layer, by name.

They hold addresses instead of arrays: a slice of a numba array counts references with atomic instructions, and two
threads that do so fight over one cache line.
"""

from functools import cache
from typing import Any

import numpy as np

# One row per computed layer; offsets count numbers from the start of the buffer named.
LAYER = np.dtype(
    [
        (name, np.int64)
        for name in (
            "n_in",
            "n_out",
            "rows",  # n_in, padded
            "columns",  # n_out, padded
            "weights",  # in parameters: panels of (rows, width)
            "bias",  # in parameters: (columns,)
            "neurons",  # where its columns begin among those of all layers
            "sigma",  # address of σ, see kernels/activate.py; 0: a = z
            "prime",  # address of ⊙ σ'; 0: it is 1, or part of the cost's function
            "gauge",  # address of |σ'|, see kernels/looks/gauge.py; 0: none
            "input",  # in work: a^(l-1) (m, ld_input)
            "ld_input",
            "z",  # in work: z^l (m, ld), where a^l or δ^l comes to lie, unless σ' needs it
            "output",  # in work: a^l (m, ld)
            "delta",  # in work: δ^l (m, ld)
            "ld",
            "blocks",  # of nonzeros in a row of the inputs; 0: all inputs are multiplied; -1: and converted before
        )
    ]
    + [
        ("dropout", np.float64),  # share of its inputs that a training step drops
    ]
)

# One for a run: where its arrays lie, what is called by address, and what is set.
FIELDS = {
    # addresses of arrays
    "layers": np.int64,  # (num_layers,) of LAYER
    "parameters": np.int64,  # (num_parameters,)
    "state": np.int64,  # (slots, num_parameters)
    "work": np.int64,  # the workspace
    "x": np.int64,  # (N, n_0)
    "targets": np.int64,  # (N, n_L), or 0
    "labels": np.int64,  # (N,) of int64, or 0
    "weights": np.int64,  # (N,) of the samples, or 0
    "order": np.int64,  # (num_samples,) of int64: the samples of an epoch, one mini-batch after the other
    "constants": np.int64,  # (steps, num_constants) of float64, see rules.py
    "costs": np.int64,  # (batch_size,) of float64: weight · C_x
    "right": np.int64,  # (batch_size,) of float64: weight where the answer is right, else 0
    "seen": np.int64,  # (threads, 4) of float64, see epoch.py
    "sync": np.int64,  # see barrier.py
    "starts": np.int64,  # see products/nonzeros.py
    "entries": np.int64,
    "picked": np.int64,
    "whole": np.int64,  # (num_parameters,): the gradient, where it is wanted whole, see halves.py; or 0
    "second_state": np.int64,  # (slots, num_parameters), of the rule that takes the whole gradient
    "squares": np.int64,  # (Σ columns,) of float64: Σ (∂C/∂w)² of each neuron, or Σ w²
    "gathered": np.int64,  # (num_parameters,): the gradient of the mini-batches before, of several that are added up
    "average": np.int64,  # (num_parameters,): the moving average of the parameters, or 0
    "journal": np.int64,  # (mini-batches + 1, 2) of float64: Σ weight · C_x of each, and Σ w² before it; or 0
    "signs": np.int64,  # (Σ n_in,): of the weights from each input, see formulas/constraints.py; or 0
    # what is looked at, see looks/; 0 where nothing is
    "looks": np.int64,  # (num_layers + 1, NUM_SUMS) of float64; in the last row, mini-batches looked at and samples
    "row_squares": np.int64,  # (num_layers, ROW_SLOTS, capacity) of float64
    "neuron_squares": np.int64,  # (NEURON_SLOTS, num_neurons) of float64
    "slopes": np.int64,  # (threads, num_neurons): the largest |σ'|
    "counts": np.int64,  # (threads, num_layers, COUNTS) of int64
    "dots": np.int64,  # (threads, 2, capacity) of float64: products of rows
    "before": np.int64,  # w before the update: all, or for each thread what it has at hand
    # addresses of functions, 0 where there is nothing to do
    "product": np.int64,
    "cost": np.int64,
    "rule": np.int64,
    "penalty": np.int64,
    "online": np.int64,
    "gather_from": np.int64,  # of x of another dtype
    "drop_inputs": np.int64,
    "drop_errors": np.int64,
    "second_half": np.int64,  # what follows where the fused rule is not all, see halves.py
    "second_rule": np.int64,  # what becomes of the whole gradient
    "forward_entries": np.int64,
    "add_entries": np.int64,
    "chain_gradient": np.int64,
    "update_from_chains": np.int64,
    "update_and_forward": np.int64,
    "take_rows": np.int64,  # 0: each thread keeps its part, see pieces.py
    "take_updates": np.int64,
    "nabla_squares": np.int64,
    "look_rows": np.int64,
    "look_at_gradient": np.int64,
    "look_at_change": np.int64,
    "look_and_update": np.int64,
    "add_looks": np.int64,
    # offsets in work, in numbers
    "zeros": np.int64,  # (panel,) of 0
    "scratch": np.int64,  # (threads, scratch_size)
    "scratch_size": np.int64,
    "sums": np.int64,  # in a thread's scratch: those of a block of nonzeros, 0 between the blocks
    "turned": np.int64,  # in a thread's scratch: a transposed panel
    "gradients": np.int64,  # (chains of samples, num_parameters), see chains.py; 0: none
    # sizes and settings
    "num_layers": np.int64,
    "num_parameters": np.int64,
    "num_neurons": np.int64,  # of all layers, each padded
    "num_samples": np.int64,
    "num_constants": np.int64,
    "first_constants": np.int64,  # where those of this call's first mini-batch begin
    "constants_step": np.int64,  # numbers from one mini-batch's constants to the next: 0 if they are all the same
    "batch_size": np.int64,
    "capacity": np.int64,  # rows of the workspace
    "look_every": np.int64,  # so many mini-batches one is looked at; 0: none
    "look_from": np.int64,  # updates made before the first mini-batch of the order
    "learns": np.int64,  # 0: nothing is changed
    "fused": np.int64,  # the rule is applied to each piece of the gradient as it is made
    "straight": np.int64,  # plain SGD without penalties, which adds -η/m δ aᵀ straight to w
    "seed": np.uint64,  # of dropout in this epoch
    "accumulate": np.int64,  # mini-batches to an update
    "penalty_per_batch": np.int64,  # l1 and l2 are over the mini-batch's weight, as all the rest of its sum is
    "clip_layers": np.int64,  # clip_norm is of each layer, not of all
    "l1": np.float64,
    "l2": np.float64,
    "clip_norm": np.float64,  # of the whole gradient; inf: as it is
    "max_norm": np.float64,  # of the weights into a neuron; inf: any
    "deadline": np.float64,  # seconds, by clock.py, after which a call of a team ends early,
    "patience": np.float64,  # and so many more for each mini-batch it has made;
    "latest": np.float64,  # after which it ends in any case; inf: it does not
}  # fmt: skip


@cache
def record_of(dtype: str) -> np.dtype[Any]:
    """Return the record for numbers of float32 or float64; `one` is the input of every bias."""
    return np.dtype([*FIELDS.items(), ("one", dtype)], align=True)


PLACES = {name: place for place, name in enumerate(FIELDS)}  # in words of 8 bytes
DOUBLES = {name for name, kind in FIELDS.items() if kind is np.float64}


class Record:
    """A run's record, and the arrays whose addresses are in it: they live as long as it does."""

    def __init__(self, dtype: str, **values: Any) -> None:
        # To set an element of the record itself takes 250 ns, of these 60
        self.words = np.zeros(len(FIELDS) + 1, np.int64)
        self.doubles = self.words.view(np.float64)
        self.array = self.words.view(record_of(dtype))
        self.array["one"] = 1
        self.held: dict[str, Any] = {}
        self.set(**{"clip_norm": np.inf, "max_norm": np.inf, "latest": np.inf, "accumulate": 1} | values)

    @property
    def address(self) -> int:
        """Where the record lies."""
        return int(self.array.ctypes.data)

    def set(self, **values: Any) -> None:
        """Set addresses of functions, offsets, sizes and settings."""
        for name, value in values.items():
            (self.doubles if name in DOUBLES else self.words)[PLACES[name]] = value

    def __getitem__(self, name: str) -> Any:
        """Return what is set."""
        return (self.doubles if name in DOUBLES else self.words)[PLACES[name]].item()

    def hold(self, **arrays: Any) -> None:
        """Keep arrays, C-contiguous, and set their addresses; None is 0."""
        for name, array in arrays.items():
            self.held[name] = array
            self.words[PLACES[name]] = 0 if array is None else array.ctypes.data
