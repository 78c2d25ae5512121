"""A run in the user's hands: one step, or its two halves, at a time. `fit` runs on the same."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..border import options
from ..errors import DivergenceError
from ..formulas import Array
from ..formulas.schedules import rates_at
from ..formulas.second_order import WholeBatch
from ..training.loop import Data, Plan, Session, Task, Trained, train
from ..training.streams import DROPOUT, stream

MANY = 10_000  # steps that may be to come, for whoever chooses a team


class Trainer:
    """Training with an optimizer whose state lasts from call to call.

    Parameters
    ----------
    net
        the network, of either engine; its parameters are changed
    optimizer
        as in ``net.fit``; None: ``fastbp.Adam(1e-3)``
    clip_norm
        the longest that a gradient over all parameters may be; a longer one is scaled down to it
    clip_layer_norm, clip_value, ema
        as in ``net.fit``; `averaged` has the average
    steps_per_epoch
        what a schedule takes for an epoch; needed only where the learning rate is one

    """

    def __init__(
        self,
        net: Any,
        optimizer: Any = None,
        clip_norm: float | None = None,
        *,
        clip_layer_norm: float | None = None,
        clip_value: float | None = None,
        ema: float | None = None,
        steps_per_epoch: float | None = None,
    ) -> None:
        self.net = net
        self.optimizer = options.checked_optimizer(optimizer)
        if isinstance(self.optimizer, WholeBatch):
            name = type(self.optimizer).__name__
            raise TypeError(f"{name} takes all samples at once, not a step at a time: write net.fit(..., optimizer=it)")
        self.clips = options.checked_clips(clip_norm, clip_layer_norm, clip_value)
        self.ema = options.checked_ema(ema)
        self.steps_per_epoch = steps_per_epoch
        self.state = net._new_state(self.optimizer, averages=ema is not None)
        self._spec = net.spec
        self._sessions: dict[str, Any] = {}  # by what they are for, kept from step to step

    @property
    def steps(self) -> int:
        """Updates made so far."""
        return int(self.state.steps)

    def step(self, x: object, y: object) -> float:
        """Make one update for a mini-batch x (m, n_0), y (m,) or (m, n_L); return C before it, penalties included.

        Raises
        ------
        DivergenceError
            where C is not finite; the update is not made

        """
        data, penalty = self._checked(x, y), self.net._penalty()
        session = self._session("step", data)
        seen = session.train(np.arange(len(data.x)), 0, 1, self._seed(), rates=self._rates())
        if seen.failed >= 0:
            raise self._diverged(data)
        return float(seen.cost / len(data.x) + penalty)

    def gradient(self, x: object, y: object) -> Array:
        """The first half of a step: ∂C/∂w and ∂C/∂b of a mini-batch with its penalties, in one flat array.

        It lies as the network's engine likes it, with pads, so it can be added, scaled, sent to a trainer of the same
        network elsewhere, and given to `apply`; `net.backprop` has it in matrices. Dropout drops what it would in
        `step`. Where C is not finite it raises DivergenceError.
        """
        data = self._checked(x, y)
        found: Array | None = self._session("gradient", data).gradient(self._seed())
        if found is None:
            raise self._diverged(data)
        return found

    def apply(self, gradient: object) -> None:
        """The second half: change the parameters by a gradient that `gradient` has made, perhaps with others.

        Raises
        ------
        ValueError
            where it is no such array, or not finite; nothing is changed

        """
        size, dtype = self.net._gradient_size(), self.net.dtype
        array = np.ascontiguousarray(gradient, dtype)
        if array.shape != (size,):
            raise ValueError(f"gradient must be ({size},), as trainer.gradient(x, y) returns it; got {array.shape}")
        if not np.isfinite(array).all():
            raise ValueError("gradient is not finite; the parameters are unchanged")
        self._session("apply", self._no_data()).apply(array, self._rate())

    def averaged(self) -> Any:
        """Return a copy of the network with the moving average of its weights, as `ema` asks for."""
        if self.state.average is None or not self.steps:
            raise ValueError("there is no average: write Trainer(..., ema=0.999), and make a step")
        twin = self.net._twin(type(self.net))
        twin._set_parameters(*self.state.read_average())
        return twin

    def state_dict(self) -> dict[str, Any]:
        """Return copies of all that the run depends on, by name: "steps", "weights.0", "velocity.weights.0", ...

        Both engines have the same.
        """
        found: dict[str, Any] = {"steps": self.steps}
        for prefix, arrays in self._arrays().items():
            found |= {f"{prefix}.{place}": array.copy() for place, array in enumerate(arrays)}
        return found

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict` was asked; what does not fit raises ValueError, and nothing is changed."""
        wanted = {f"{prefix}.{place}": a for prefix, arrays in self._arrays().items() for place, a in enumerate(arrays)}
        if differing := sorted({"steps", *wanted} ^ set(state)):
            verb = "lacks" if differing[0] in {"steps", *wanted} else "has an unexpected"
            raise ValueError(f"the state {verb} {differing[0]!r}; it must be of this network and optimizer")
        for name, array in wanted.items():
            if np.shape(state[name]) != array.shape or not np.isfinite(state[name]).all():
                raise ValueError(f"{name} must be {array.shape}, and finite; got {np.shape(state[name])}")
        steps = options.integer("steps", state["steps"], low=0)
        layers = range(len(self.net.sizes) - 1)

        def pair(prefix: str) -> tuple[list[Array], list[Array]]:
            kinds = (f"{prefix}weights", f"{prefix}biases")
            weights, biases = ([np.asarray(state[f"{k}.{i}"], self.net.dtype) for i in layers] for k in kinds)
            return weights, biases

        weights, biases = pair("")
        self.net.spec.check_signs(weights)
        self.net._set_parameters(weights, biases)
        for slot, name in enumerate(self.optimizer.slots):
            self.state.set(slot, *pair(f"{name}."))
        if self.state.average is not None:
            self.state.set_average(*pair("average."))
            self.state.shows_average = False
        self.state.steps = steps

    def fit(self, task: Task) -> Trained:
        """Run the epochs of a task; see `net.fit`."""

        def begin() -> Session:
            session: Session = self.net._session(task.data, task.plan, self.state)
            return session

        return train(self.net, begin, task, self)

    def _diverged(self, data: Data) -> DivergenceError:
        return DivergenceError(0, self.steps + 1, self.net._faulty_layer(data.x), self._rate())

    def _arrays(self) -> dict[str, list[Array]]:
        weights, biases = self.net._get_parameters()
        found = {"weights": weights, "biases": biases}
        for slot, name in enumerate(self.optimizer.slots):
            weights, biases = self.state.get(slot)
            found |= {f"{name}.weights": weights, f"{name}.biases": biases}
        if self.state.average is not None:
            found["average.weights"], found["average.biases"] = self.state.read_average()
        if self.state.shows_average:
            names = [("weights", "average.weights"), ("biases", "average.biases")]
            found |= {name: found[other] for pair in names for name, other in (pair, pair[::-1])}
        return found

    def _checked(self, x: object, y: object) -> Data:
        data = Data(*self.net._checked(x, y, learning=True))
        self.net._output_is_open = False  # what the first y has shown stays
        return data

    def _no_data(self) -> Data:
        sizes = self.net.sizes
        return Data(np.zeros((1, sizes[0]), self.net.dtype), np.zeros((1, sizes[-1]), self.net.dtype))

    def _session(self, kind: str, data: Data) -> Any:
        """Return the session for this, with room for the data, which it takes."""
        if self._spec is not self.net.spec:  # a first y has changed it, and with it where the parameters lie
            self._sessions.clear()
            self._spec = self.net.spec
        session: Any = self._sessions.get(kind)
        if session is None or not session.bind(data):
            plan = Plan(self.optimizer, len(data.x), ema=self.ema, steps=MANY, **self.clips)
            session = self.net._session(data, plan, self.state, halves=kind != "step")
            self._sessions[kind] = session
        return session

    def _rate(self) -> float:
        """The learning rate of the next step."""
        rate = self.optimizer.learning_rate
        if not callable(rate):
            return float(rate)
        if self.steps_per_epoch is None:
            raise ValueError("a schedule goes by epochs; say how long one is: Trainer(..., steps_per_epoch=100)")
        return float(rates_at(rate, np.array([self.steps / self.steps_per_epoch]))[0])

    def _rates(self) -> Array | None:
        return np.array([self._rate()]) if callable(self.optimizer.learning_rate) else None

    def _seed(self) -> int:
        """The next step's, for dropout."""
        if not any(self.net.spec.dropouts):
            return 0
        return int(stream(self.net.spec.seed, DROPOUT, self.steps).integers(2**63))
