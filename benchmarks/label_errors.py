"""How many planted label errors are among the hardest samples: `python -m benchmarks.label_errors`, 3 minutes.

Digits of which k labels are made wrong; the k hardest are looked at. What is printed is the share of them that is
wrong, mean and deviation over the seeds: how `hardest_samples` ranks, and other ways to do it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from tqdm import tqdm

from fastbp import Network, gradient_norms, hardest_samples
from fastbp.datasets import load_digits

PLANTED = (29, 72, 144)  # of 1442: 2, 5 and 10 %
SEEDS, MANY, FOLDS = 10, 200, 5

NETWORKS: dict[str, Callable[[int], Network]] = {
    "64-100-10": lambda seed: Network([64, 100, 10], activation="relu", cost="cross_entropy", seed=seed),
    "64-200-200-10": lambda seed: Network([64, 200, 200, 10], activation="relu", cost="cross_entropy", seed=seed),
    "64-100-10, the book's": lambda seed: Network([64, 100, 10], seed=seed),
}


def plant(seed: int, k: int) -> tuple[Any, Any, Any]:
    """Return the digits with k wrong labels, and where these are."""
    x, y, *_ = load_digits()
    rng = np.random.default_rng(seed)
    wrong = rng.choice(len(y), k, replace=False)
    y = y.copy()
    y[wrong] = (y[wrong] + rng.integers(1, 10, k)) % 10
    return x, y, wrong


def measure(make: Callable[[int], Network], seed: int, k: int, many: int = MANY) -> dict[str, float]:
    """Return the precision of each ranking."""
    x, y, wrong = plant(seed, k)

    def precision(scores: Any) -> float:
        return float(np.isin(np.argsort(-scores, kind="stable")[:k], wrong).mean())

    net = make(seed)
    found = {"chance": k / len(y)}
    found["C_x, mean over the epochs of a twin: `hardest_samples`"] = precision(hardest_samples(net, x, y).scores)
    net.fit(x, y, verbose=0)
    found["C_x, the network's own after 30 epochs"] = precision(hardest_samples(net, x, y, epochs=0).scores)
    found["norm of ∂C_x, the same"] = precision(np.linalg.norm(gradient_norms(net, x, y), axis=1))
    net.fit(x, y, epochs=many, verbose=0)
    found[f"C_x, the network's own after {30 + many}"] = precision(hardest_samples(net, x, y, epochs=0).scores)
    found[f"C_x, of {FOLDS} networks that never saw the sample"] = precision(unseen(make, seed, x, y))
    return found


def unseen(make: Callable[[int], Network], seed: int, x: Any, y: Any) -> Any:
    """Return C_x (m,) of networks that were trained on the other samples."""
    fold, costs = np.random.default_rng(seed).permutation(len(y)) % FOLDS, np.zeros(len(y))
    for part in range(FOLDS):
        net, here = make(seed), fold == part
        net.fit(x[~here], y[~here], verbose=0)
        costs[here] = hardest_samples(net, x[here], y[here], epochs=0).scores
    return costs


def main(seeds: int = SEEDS, planted: tuple[int, ...] = PLANTED, many: int = MANY) -> None:
    """Print the table in Markdown."""
    print(f"| network | ranked by | {' | '.join(f'{k} wrong' for k in planted)} |\n|---|---|{'---|' * len(planted)}")
    for network, make in NETWORKS.items():
        cells: dict[str, list[str]] = {}
        for k in planted:
            bar = tqdm(range(seeds), desc=f"{network}, {k} wrong", disable=None, leave=False)
            runs = [measure(make, seed, k, many) for seed in bar]
            for name in runs[0]:
                values = [run[name] for run in runs]
                cells.setdefault(name, []).append(f"{np.mean(values):.2f} ± {np.std(values):.2f}")
        for name, row in cells.items():
            print(f"| {network} | {name} | {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
