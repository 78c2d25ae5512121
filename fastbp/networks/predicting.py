"""What a trained network says, and what it depends on."""

from abc import abstractmethod
from dataclasses import replace
from typing import Any

import numpy as np

from ..border import arrays as arguments
from ..border.sparse import SparseRows, is_sparse
from ..border.spec import NetworkSpec
from ..formulas import Array
from ..formulas.costs import Row
from .intake import Intake

AT_A_TIME = 4096  # samples whose activations, or derivatives, are held at a time
OUTPUT = Row("one output", lambda a, y: a * y, lambda a, y: y)  # C_x is one output, where y is a row of the unit matrix


class Predicting(Intake):
    """Outputs, labels, probabilities; hidden layers; derivatives by the inputs."""

    @abstractmethod
    def _input_errors(self, x: Array, y: Array, spec: NetworkSpec) -> Array:
        """Return ∂C_x/∂x (m, n_0), the cost being that of another spec."""

    def predict(self, x: object, out: Array | None = None) -> Array:
        """Return the output activations: (m, n_0) → (m, n_L), (n_0,) → (n_L,)."""
        batch, single = self._samples(x, dense=False)
        shape = (self.spec.sizes[-1],) if single else (len(batch), self.spec.sizes[-1])
        if out is None:
            out = np.empty(shape, self.dtype)
        else:
            arguments.output_array(out, shape, self.dtype)
        if isinstance(batch, SparseRows):
            out[...] = self._outputs(batch)
            return out
        if np.may_share_memory(batch, out):
            batch = batch.copy()
        self._predict(batch, out.reshape(len(batch), -1))
        return out

    def predict_labels(self, x: object) -> Array:
        """Return the label of the largest output for each sample, of one output which side of ½ it is on: (m,).

        Labels are those that `fit` was given, see `classes`; without any they are 0..K-1.
        """
        output = self.spec.activation_rows[-1]
        if self._classes is None and not self.spec.tells_labels:
            raise ValueError(f"the outputs ({output.name}) are quantities, which have no labels: write predict(x)")
        if self._classes is None and not output.over_rows and self.sizes[-1] > 1 and self.epochs_trained:
            raise ValueError(
                "the network was trained on several labels at once, not on one a sample: write predict(x) > 0.5, or "
                "name net.classes if only one can apply"
            )
        a = self.predict(x)
        a = a[None, :] if a.ndim == 1 else a
        places = (a[:, 0] > self.spec.threshold).astype(np.int64) if a.shape[1] == 1 else np.argmax(a, axis=1)
        found: Array = self._known_classes()[places]
        return found

    def predict_proba(self, x: object) -> Array:
        """Return the probability of each class, in the order of `classes`: (m, n_0) → (m, K), (n_0,) → (K,).

        Rows sum to 1: they are the outputs of a softmax, and of one sigmoid a: 1 - a and a.

        Raises
        ------
        ValueError
            where outputs are no such probabilities: quantities, or several sigmoids, each a label by itself

        """
        output = self.spec.activation_rows[-1]
        if output.over_rows:
            return self.predict(x)
        if self.sizes[-1] == 1 and output.is_probability:
            a = self.predict(x)
            return np.concatenate([1 - a, a], axis=-1)
        what = "several labels at once" if output.is_probability else "no probabilities"
        raise ValueError(
            f"the outputs ({output.name}) are {what}, and need not sum to 1: write predict(x); "
            'probabilities of classes come of cost="cross_entropy"'
        )

    def hidden(self, x: object, layer: int) -> Array:
        """Return the activations a of one layer: (m, n_0) → (m, n), (n_0,) → (n,).

        `layer` is the place in `weights`: 0 is the first that computes something, -1 the output.
        """
        last = len(self.spec.sizes) - 2
        if not isinstance(layer, (int, np.integer)) or isinstance(layer, bool) or not -last - 1 <= layer <= last:
            raise ValueError(f"layer must be 0..{last}, a place in net.weights, or -1 for the output; got {layer!r}")

        batch, single = self._samples(x)
        parts = [
            self._forward(batch[start : start + AT_A_TIME]).activations[1:][layer]
            for start in range(0, len(batch), AT_A_TIME)
        ]
        return parts[0][0] if single else np.concatenate(parts)

    def input_gradient(self, x: object, y: object) -> Array:
        """Return ∂C_x/∂x = w¹ᵀ δ¹ of each sample, by BP1 and BP2: (m, n_0).

        C_x is the cost of that sample alone, without penalties: which inputs its error depends on, and how.
        """
        x, y = self._checked(x, y)
        return self._input_errors(x, y, self.spec)

    def jacobian(self, x: object) -> Array:
        """Return ∂a^L_j/∂x_k of each sample: (m, n_0) → (m, n_L, n_0), (n_0,) → (n_L, n_0).

        By BP1 and BP2 for one output at a time, as if it were the cost.
        """
        batch, single = self._samples(x)
        n_out, n_in = self.spec.sizes[-1], self.spec.sizes[0]
        found = np.empty((len(batch), n_out, n_in), self.dtype)
        spec = replace(self.spec, cost=OUTPUT.name, formulas=(*self.spec.formulas, OUTPUT))
        step, units = max(1, AT_A_TIME // n_out), np.eye(n_out, dtype=self.dtype)
        for start in range(0, len(batch), step):
            rows = batch[start : start + step]
            each, outputs = np.repeat(rows, n_out, axis=0), np.tile(units, (len(rows), 1))
            found[start : start + step] = self._input_errors(each, outputs, spec).reshape(len(rows), n_out, n_in)
        return found[0] if single else found

    def _samples(self, x: object, *, dense: bool = True) -> tuple[Array, bool]:
        """Return x as (m, n_0), and whether it came as one sample (n_0,); dense: a sparse x is refused."""
        if dense and is_sparse(x):
            arguments.refuse_sparse("x")
        found: tuple[Any, bool] = arguments.sample_or_samples(
            self._inputs(x), self.spec.sizes[0], self.dtype, self._converts
        )
        return found
