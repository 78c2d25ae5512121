"""Pictures of what was measured."""

from typing import Any

from fastbp.plotting.figures import new_figure

OURS = "fastbp"
COLORS = {  # the same in every picture; peers are muted, so that ours stands out
    OURS: "#1f4e9c",
    "torch": "#8c96a3",
    "torch compiled": "#c7ccd3",
    "jax": "#e3a857",
    "sklearn": "#9fc59a",
    "numpy": "#5fa3a3",
    "book": "#b58fb8",
    "onnxruntime": "#d98880",
}


def plot_benchmark(results: Any, ax: Any = None) -> Any:
    """Draw a group of bars for each case, ours first; return the axes.

    The number above ours is how many times as fast it is as the best peer.
    """
    names = [name for name in COLORS if any(name in result.times for result in results)]
    width = 0.86 / max(len(result.times) for result in results)
    ax = ax or new_figure(width=max(7.0, 1.4 * len(results) + 1)).subplots()
    for place, result in enumerate(results):
        for i, (name, time) in enumerate(result.times.items()):
            middle = place + (i - (len(result.times) - 1) / 2) * width
            error = {"ecolor": "0.3", "elinewidth": 0.8}
            ax.bar(middle, time.median, 0.92 * width, yerr=time.spread, color=COLORS[name], error_kw=error)
            if name == OURS and result.ratio:
                corner = (middle + width / 2, 1.05 * (time.median + time.spread))  # the next bar is free of it
                ax.text(*corner, f"{result.ratio:.1f}x", ha="right", va="bottom", fontsize=8, weight="bold")
    labels = [f"{result.case.name}\n{'-'.join(map(str, result.case.sizes))}" for result in results]
    ax.set_xticks(range(len(results)), labels, fontsize=8)
    ax.set(yscale="log", ylabel="microseconds per step (less is better)", xlim=(-0.6, len(results) - 0.4))
    ax.set_title(_setting(results), fontsize=10)
    ax.grid(axis="y", alpha=0.25)
    ax.set_axisbelow(True)
    for name in names:
        ax.bar(0, 0, color=COLORS[name], label=name)
    columns = int(0.8 * ax.figure.get_figwidth())
    ax.figure.legend(loc="outside lower center", ncols=columns, fontsize=8, frameon=False)
    return ax


def plot_sweep(name: str, values: Any, results: Any, cliffs: Any, ax: Any = None) -> Any:
    """Draw how the time per step grows, ours and the best peer's, both axes logarithmic; return the axes.

    A ring is a cliff: there our time grew much faster than the work.
    """
    ax = ax or new_figure(width=7).subplots()
    ours = [result.times[OURS].median for result in results]
    ax.plot(values, ours, "o-", color=COLORS[OURS], label=OURS, zorder=3)
    peers = [(value, result.best_peer) for value, result in zip(values, results, strict=True) if result.best_peer]
    best = [result.times[result.best_peer].median for result in results if result.best_peer]
    if peers:
        ax.plot([value for value, _ in peers], best, "--", color="0.6", label="best peer")
    for peer in dict.fromkeys(peer for _, peer in peers):
        known = [(value, time) for (value, found), time in zip(peers, best, strict=True) if found == peer]
        ax.plot(*zip(*known, strict=True), "s", color=COLORS[peer], label=f"best is {peer}")
    fallen = [(value, time) for value, time, cliff in zip(values, ours, cliffs, strict=True) if cliff]
    if fallen:
        ax.plot(*zip(*fallen, strict=True), "o", ms=14, mfc="none", mec="C3", mew=1.5, label="cliff")
    ax.set_xscale("log", base=2)
    ax.set_xticks(values, [str(value) for value in values], fontsize=8)
    ax.minorticks_off()
    ax.set(yscale="log", xlabel=name, ylabel="microseconds per step (less is better)")
    ax.set_title(_setting(results), fontsize=10)
    ax.grid(alpha=0.25)
    ax.legend()
    return ax


def _setting(results: Any) -> str:
    first = results[0]
    return f"{first.dtype}, {first.threads} thread{'s' * (first.threads > 1)}"
