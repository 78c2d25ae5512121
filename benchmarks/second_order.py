"""What cost a curve is fitted to, and in what time: `python -m benchmarks.second_order`, 8 minutes.

1-20-20-1, tanh, float64, one thread: 200 points of sin(5 x) e^(-x²). Levenberg-Marquardt and L-BFGS by iterations;
Adam, whose rate falls to 0 along a cosine, for 100 times the longest time of Levenberg-Marquardt.
"""

import time
from typing import Any

import numpy as np

from fastbp import LBFGS, Adam, LevenbergMarquardt, Network, schedules

LEVENBERG, QUASI_NEWTON, TIMES = (30, 60, 100, 200), (300, 3000), 100
ADAM = ((0.01, 200), (0.003, 20))  # rate, batch size


def curve() -> tuple[Any, Any]:
    """Return 200 points of a smooth function."""
    x = np.linspace(-1, 1, 200)[:, None]
    return x, np.sin(5 * x) * np.exp(-x * x)


def fitted(optimizer: Any, epochs: int, batch_size: int = 200) -> tuple[float, float]:
    """Return the lowest cost of a run, and its seconds."""
    net = Network([1, 20, 20, 1], activation="tanh", dtype="float64", seed=0, threads=1)
    start = time.perf_counter()
    history = net.fit(*curve(), epochs=epochs, batch_size=batch_size, optimizer=optimizer, verbose=0)
    return min(history.cost), time.perf_counter() - start


def main(times: int = TIMES) -> None:
    """Print a table."""
    fitted(LevenbergMarquardt(), 2)  # compiles
    print("| method | epochs | lowest C | seconds |\n|---|---|---|---|")

    def tell(name: str, epochs: int, cost: float, seconds: float) -> None:
        print(f"| {name} | {epochs} | {cost:.1e} | {seconds:.2f} |", flush=True)

    longest = 0.0
    for epochs in LEVENBERG:
        cost, longest = fitted(LevenbergMarquardt(), epochs)
        tell("Levenberg-Marquardt", epochs, cost, longest)
    for epochs in QUASI_NEWTON:
        tell("L-BFGS", epochs, *fitted(LBFGS(tolerance=1e-15), epochs))
    for rate, size in ADAM:
        fitted(Adam(rate), 20, size)
        per_epoch = fitted(Adam(rate), 2000, size)[1] / 2000
        epochs = int(times * longest / per_epoch)
        name = f"Adam, η {rate:g} to 0, batch {size}"
        tell(name, epochs, *fitted(Adam(schedules.cosine(rate, epochs)), epochs, size))


if __name__ == "__main__":
    main()
