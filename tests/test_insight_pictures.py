"""Pictures of what happens inside: they can be drawn of anything, say what they show, and keep to the convention."""

import io

import numpy as np
import pytest

import fastbp
from fastbp import plotting
from fastbp.formulas.looks import LayerLook

pytest.importorskip("matplotlib")
rng = np.random.default_rng(0)


def look(layer, activation="sigmoid", **values):
    usual = {
        "neurons": 30, "weight_norm": 1.0, "delta": 10.0**-layer, "nabla_w": 0.1, "nabla_b": 0.1, "update_ratio": 1e-3,
        "saturated": 0.5, "dead": 0.0, "small_inputs": 0.1, "by_weights": 1.1, "by_slope": 0.2,
    }  # fmt: skip
    return LayerLook(layer, activation, **{**usual, **values})


def layers(count, **values):
    return tuple(look(i, by_weights=None if i == count - 1 else 1.1, **values) for i in range(count))


SHAPES = [(1, 1), (12, 300), (3, 1)]


def drawn(display):
    """Save the picture: matplotlib finds out then that something cannot be drawn."""
    display.figure_.savefig(io.BytesIO(), format="png")
    assert display.ax_.figure in (display.figure_, *display.figure_.subfigs)
    return display


@pytest.mark.parametrize("style", ["default", "dark_background", "grayscale"])
@pytest.mark.parametrize(("count", "epochs"), SHAPES)
def test_any_number_of_layers_and_epochs(count, epochs, style):
    from matplotlib import style as styles

    moments = [layers(count)] * epochs
    with styles.context(style):
        speeds = drawn(plotting.plot_speeds(moments))
        assert speeds.ax_.get_legend().get_texts()[0].get_text() == "0 sigmoid"
        assert len(speeds.ax_.lines) == count
        heat = drawn(plotting.plot_saturation(moments))
        assert heat.ax_.images[0].get_array().shape == (count, epochs)
        assert drawn(plotting.plot_saturation(layers(count))).ax_.images[0].get_array().shape == (count, 3)
        assert len(drawn(plotting.plot_factors(layers(count))).ax_.patches) == 2 * count - 1


def test_nothing_is_no_reason_to_stop():
    """δ of 0, factors and shares that have no meaning."""
    zero = layers(3, delta=0.0, by_slope=None, saturated=None, dead=None)
    assert "δ is 0" in drawn(plotting.plot_speeds([zero] * 3)).ax_.get_legend().get_texts()[0].get_text()
    drawn(plotting.plot_saturation(zero))
    drawn(plotting.plot_saturation([zero] * 3))
    assert "no mistake" in drawn(plotting.plot_factors(zero)).ax_.texts[0].get_text()
    ended = (look(0), look(1, by_slope=0.0), look(2, by_weights=None))
    assert "back to δ 0 in layer 1" in drawn(plotting.plot_factors(ended)).ax_.get_title()


def test_a_way_that_ends_names_the_layer_and_the_cause():
    """An output whose σ' is 0 has a mistake to send back; weights of 0 stop it one layer before theirs."""
    x, y = rng.normal(size=(40, 5)), rng.random((40, 3))
    net = fastbp.Network([5, 7, 6, 3], output="relu", cost="quadratic", seed=0)
    net.biases = [*net.biases[:-1], np.full(3, -50.0)]
    assert (
        "σ' is 0 at the output"
        in drawn(plotting.plot_factors(fastbp.diagnose(net, x, y).layers)).ax_.texts[0].get_text()
    )
    net = fastbp.Network([5, 7, 6, 3], seed=0)
    net.weights = [*net.weights[:-1], np.zeros((3, 6))]
    assert "back to δ 0 in layer 1 " in drawn(plotting.plot_factors(fastbp.diagnose(net, x, y).layers)).ax_.get_title()


@pytest.mark.parametrize("delta", [np.inf, np.nan])
def test_what_is_not_finite_is_not_said_to_be_0(delta):
    broken = (look(0), look(1, delta=delta, by_weights=None))
    assert "not finite" in drawn(plotting.plot_factors(broken)).ax_.texts[0].get_text()
    inside = (look(0), look(1, by_weights=delta), look(2, by_weights=None))
    assert f"δ {delta} in layer 1 " in drawn(plotting.plot_factors(inside)).ax_.get_title()
    lost = (look(0, by_slope=1e-300), look(1, delta=1e-20, by_weights=None))  # no axis goes there
    assert "δ 1.1e-320 in layer 0 " in drawn(plotting.plot_factors(lost)).ax_.get_title()


def test_epochs_have_their_numbers_in_both_pictures():
    moments = [(look(0), look(1, "softmax", saturated=None))] * 12
    for draw in (plotting.plot_speeds, plotting.plot_saturation):
        ax = drawn(draw(moments)).ax_
        low, high = ax.get_xlim()
        ticks = [label.get_text() for label in ax.get_xticklabels() if low <= label.get_position()[0] <= high]
        assert ticks == ["2", "4", "6", "8", "10", "12"]
    assert ax.images[0].get_extent() == [0.5, 12.5, 1.5, -0.5]
    assert [(text.get_position()[1], text.get_text()[0]) for text in ax.texts] == [(1, "–")]


def test_the_waterfall_ends_at_the_first_layer():
    net = fastbp.Network([5, 7, 6, 3], seed=0)
    found = fastbp.diagnose(net, rng.normal(size=(40, 5)), rng.integers(0, 3, 40))
    last = drawn(plotting.plot_factors(found.layers)).ax_.lines[-1].get_ydata()[0]
    assert last == pytest.approx(found.layers[0].delta)


@pytest.mark.parametrize("delta", [np.inf, np.nan])
def test_speeds_that_are_not_finite_are_not_0(delta):
    speeds = drawn(plotting.plot_speeds([(look(0, delta=delta), look(1))]))
    assert [t.get_text() for t in speeds.ax_.get_legend().get_texts()] == ["0 sigmoid: δ is not finite", "1 sigmoid"]


def test_no_epoch_is_said_to_be_none():
    for draw in (plotting.plot_speeds, plotting.plot_saturation):
        with pytest.raises(ValueError, match="nothing was seen yet"):
            draw([])


@pytest.mark.parametrize("name", ["$steep$", r"$\frac$", "_", "a & <b>"])
def test_names_of_ones_own_are_text(name):
    net = fastbp.Network([5, 4, 3], activation=fastbp.Activation(name, np.tanh), seed=0)
    x, y = rng.normal(size=(40, 5)), rng.integers(0, 3, 40)
    watch = fastbp.Diagnostics(1)
    net.fit(x, y, 2, callbacks=[watch], verbose=0)
    assert drawn(watch.plot()).ax_.get_legend().get_texts()[0].get_text() == f"0 {name}"
    drawn(plotting.plot_saturation(watch.epochs))
    drawn(plotting.plot_distributions(net, x))
    drawn(fastbp.diagnose(net, x, y).plot())


@pytest.mark.parametrize("sizes", [[1, 1], [3, 1000, 1], [9, 4, 4, 4, 4, 4, 2]], ids=str)
def test_distributions_have_two_histograms_per_layer(sizes):
    net = fastbp.Network(sizes, activation="relu", seed=0)
    display = drawn(plotting.plot_distributions(net, rng.normal(size=(20, sizes[0]))))
    assert len(display.figure_.axes) == 2 * (len(sizes) - 1)


def test_saturated_neurons_have_a_distribution():
    """Activations of 1 and of 1 less the least that float64 knows: there is no room for bins between them."""
    net = fastbp.Network([5, 7, 3], dtype="float64", seed=0)
    net.biases = [np.full(7, 36.6), net.biases[1]]
    x = rng.normal(size=(40, 5))
    assert 0 < np.ptp(net.forward(x).activations[1]) < 1e-14
    drawn(plotting.plot_distributions(net, x))
    assert "<img" in fastbp.diagnose(net, x, rng.integers(0, 3, 40))._repr_html_()


def test_what_is_not_finite_is_counted_beside_a_distribution():
    net = fastbp.Network([5, 3, 2], activation="relu", dtype="float32", seed=0)
    net.weights = [np.full((3, 5), 2e38), net.weights[1]]
    display = drawn(plotting.plot_distributions(net, np.array([[1.0] * 5, [0.1] * 5])))
    assert [text.get_text() for text in display.ax_.texts] == ["3 of 6 are not finite"]


def test_weights_are_images_where_inputs_are():
    net = fastbp.Network([64, 30, 10], seed=0)
    display = drawn(plotting.plot_weights(net))
    np.testing.assert_array_equal(display.ax_.images[0].get_array(), net.weights[0][0].reshape(8, 8))
    with pytest.raises(ValueError, match="7 inputs are no square image"):
        plotting.plot_weights(fastbp.Network([7, 3, 1], seed=0))


def test_equations_that_fail_stand_out():
    net = fastbp.Network([5, 7, 3], seed=0)
    report = fastbp.check_equations(net, rng.normal(size=(10, 5)), rng.integers(0, 3, 10))
    assert "The equations hold" in drawn(plotting.plot_equations(report)).ax_.get_title()
    for error in (1.0, np.nan, np.inf):
        failed = type(report)(report.title, (report.rows[0]._replace(error=error), *report.rows[1:]), "it is wrong")
        ax = drawn(plotting.plot_equations(failed)).ax_
        assert "do NOT all hold" in ax.get_title()
        (line,) = [line for line in ax.lines if line.get_label() == "error, FAILED"]
        assert line.get_marker() == "X"
        assert list(line.get_ydata()) == [0]
        assert line.get_xdata()[0] > max(row.tolerance for row in report.rows)


def test_rows_that_tell_nothing_do_not_look_passed():
    net = fastbp.Network([5, 7, 3], seed=0)
    report = fastbp.check_equations(net, rng.normal(size=(10, 5)), rng.integers(0, 3, 10))
    vague = type(report)(report.title, (report.rows[0]._replace(tolerance=2.0), *report.rows[1:]), "")
    ax = drawn(plotting.plot_equations(vague)).ax_
    assert "hold where they can be checked" in ax.get_title()
    assert [list(line.get_ydata()) for line in ax.lines if line.get_label() == "error, tells nothing"] == [[0]]
    unseen = [row._replace(error=np.nan, place=()) for row in report.rows]
    assert (
        "hold where"
        in drawn(plotting.plot_equations(type(report)(report.title, (unseen[0], *report.rows[1:]), ""))).ax_.get_title()
    )
    nothing = drawn(plotting.plot_equations(type(report)(report.title, tuple(unseen), "")))
    assert "nothing was checked" in nothing.ax_.texts[0].get_text()


def test_an_axes_that_is_given_is_drawn_on():
    from matplotlib.figure import Figure

    epochs = [layers(2)]
    for draw, data in (
        (plotting.plot_speeds, epochs), (plotting.plot_saturation, epochs), (plotting.plot_factors, epochs[0]),
    ):  # fmt: skip
        ax = Figure().subplots()
        display = draw(data, ax)
        assert display.ax_ is ax
        assert display.figure_ is ax.figure


def test_reports_draw_themselves():
    net = fastbp.Network([5, 7, 3], seed=0)
    x, y = rng.normal(size=(40, 5)), rng.integers(0, 3, 40)
    watch = fastbp.Diagnostics(1)
    with pytest.raises(ValueError, match="nothing was seen yet"):
        watch.plot()
    net.fit(x, y, 3, callbacks=[watch], verbose=0)
    assert "each layer" in drawn(watch.plot()).ax_.get_title()
    found = fastbp.diagnose(net, x, y)
    assert drawn(found.plot())._repr_png_().startswith(b"\x89PNG")
    assert found._repr_html_().count("data:image/png;base64,") == 2
