"""What is made of the times: pictures."""

from . import peers
from .plots import COLORS, plot_benchmark, plot_sweep
from .result import Time
from .small import RESULTS


def test_benchmark_is_drawn():
    ax = plot_benchmark(RESULTS)
    assert [text.get_text() for text in ax.texts] == ["2.5x", "0.5x"]
    assert [text.get_text() for text in ax.figure.legends[0].get_texts()] == ["fastbp", "jax", "numpy"]
    assert ax.get_yscale() == "log"


def test_every_peer_has_a_colour():
    assert set(COLORS) == {"fastbp", *peers.PEERS}


def test_sweep_is_drawn():
    ax = plot_sweep("batch", [1, 2], RESULTS, [False, True])
    assert ax.get_legend_handles_labels()[1] == ["fastbp", "best peer", "best is jax", "best is numpy", "cliff"]
    assert list(ax.lines[0].get_ydata()) == [2.0, 20.0]
    alone = [result._replace(times={"fastbp": Time(1.0, 0.0)}) for result in RESULTS]
    assert plot_sweep("batch", [1, 2], alone, [False, False]).get_legend_handles_labels()[1] == ["fastbp"]
    assert not plot_benchmark(alone).texts
