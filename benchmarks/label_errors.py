"""How many planted label errors are among the hardest samples: `python -m benchmarks.label_errors`.

Digits of which k labels are made wrong; the k hardest are looked at. What is printed is the share of them that is
wrong, mean and deviation over the seeds. It takes a minute.
"""

from typing import Any

import numpy as np
from tqdm import tqdm

from fastbp import Network, gradient_norms, hardest_samples
from fastbp.datasets import load_digits

PLANTED = (29, 72, 144)  # of 1442: 2, 5 and 10 %
SEEDS, FEW, MANY = 10, 30, 200  # epochs
Ranks = dict[str, Any]


def precision(hardest: Any, wrong: Any) -> float:
    """Return the share of the hardest that is wrong."""
    return float(np.isin(hardest, wrong).mean())


def plant(seed: int, k: int) -> tuple[Any, Any, Any]:
    """Return the digits with k wrong labels, and where these are."""
    x, y, *_ = load_digits()
    rng = np.random.default_rng(seed)
    wrong = rng.choice(len(y), k, replace=False)
    y = y.copy()
    y[wrong] = (y[wrong] + rng.integers(1, 10, k)) % 10
    return x, y, wrong


def measure(seed: int, k: int, few: int = FEW, many: int = MANY) -> dict[str, float]:
    """Return the precision of each ranking."""
    x, y, wrong = plant(seed, k)
    net = Network([x.shape[1], 100, 10], activation="relu", cost="cross_entropy", seed=seed)
    net.fit(x, y, epochs=few, verbose=0)
    norms = np.square(gradient_norms(net, x, y)).sum(axis=1)
    found = {
        "chance": k / len(y),
        f"C_x, the network's own, after {few} epochs": precision(hardest_samples(net, x, y, k, folds=0).rows, wrong),
        "|gradient|, the same": precision(np.argsort(-norms, kind="stable")[:k], wrong),
    }
    net.fit(x, y, epochs=many - few, verbose=0)
    found[f"C_x, the network's own, after {many}"] = precision(hardest_samples(net, x, y, k, folds=0).rows, wrong)
    found["C_x, of twins that never saw the sample"] = precision(hardest_samples(net, x, y, k).rows, wrong)
    return found


def main(seeds: int = SEEDS, planted: tuple[int, ...] = PLANTED) -> None:
    """Print the table in Markdown."""
    cells: dict[str, list[str]] = {}
    for k in planted:
        runs = [measure(seed, k) for seed in tqdm(range(seeds), desc=f"{k} wrong", disable=None, leave=False)]
        for name in runs[0]:
            values = [run[name] for run in runs]
            cells.setdefault(name, []).append(f"{np.mean(values):.2f} ± {np.std(values):.2f}")
    print(f"| ranked by | {' | '.join(f'{k} wrong' for k in planted)} |\n|---|{'---|' * len(planted)}")
    for name, row in cells.items():
        print(f"| {name} | {' | '.join(row)} |")


if __name__ == "__main__":
    main()
