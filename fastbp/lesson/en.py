"""The lesson in English."""

WORDS = {
    "title": "How back-propagation works, with its numbers",
    "forward": "1. Forward, in matrix form (25)",
    "forward_text": (
        "A layer multiplies the activations of the layer before by its weights, adds its biases, and squashes the "
        "sum: aˡ = σ(wˡ aˡ⁻¹ + bˡ), with σ(z) = 1/(1 + e⁻ᶻ). The row of wˡ says from which neuron each weight "
        "leads. Here is a network with 2 inputs, 3 hidden neurons and 2 outputs, and one sample on its way through "
        "it."
    ),
    "assumptions": "2. Two assumptions on the cost C",
    "assumptions_text": (
        "First, C is the mean of the costs C_x of single samples: so the gradients of single samples are all that "
        "is needed. Second, C_x is a function of the outputs a: so it can be followed back from them. Both hold "
        "here, as these numbers of two samples show."
    ),
    "error": "3. The error δ",
    "error_text": (
        "δˡ_j = ∂C/∂zˡ_j says what a small change of the weighted input of a neuron would do to C. A demon at the "
        "neuron that adds Δz to it changes C by δ Δz. Where δ is large it can improve much; where δ is near 0 it "
        "can do nothing: the neuron is right already, or it is saturated and nobody hears the demon."
    ),
    "four": "4. The four equations",
    "bp1": (
        "BP1: δᴸ = ∇ₐC ⊙ σ'(zᴸ). The error at the output is how far each output is off, times the slope of σ there "
        "(⊙ multiplies entry by entry)."
    ),
    "bp2": (
        "BP2: δˡ = ((wˡ⁺¹)ᵀ δˡ⁺¹) ⊙ σ'(zˡ). The transposed weights send the error back one layer, and the slope of "
        "σ lets a part of it through."
    ),
    "bp3": "BP3: ∂C/∂bˡ_j = δˡ_j. The error is the gradient of the bias.",
    "bp4": (
        "BP4: ∂C/∂wˡ_jk = aˡ⁻¹_k δˡ_j. The gradient of a weight is the activation it starts from, times the error "
        "it leads to."
    ),
    "check": "by a change of ±{step:g}:",
    "checked": (
        "Every weight and every bias of both layers was changed a little, and C computed again: the equations and "
        "these differences are nowhere further apart than {worst:.1g}."
    ),
    "slow": "5. Which weights learn slowly (32)",
    "slow_text": (
        "∂C/∂w = a_in δ_out. A weight learns slowly if the neuron it starts from is hardly active. For the input x "
        "= {x} the weights from the first input learn {ratio:.0f} times faster than those from the second, in "
        "every row:"
    ),
    "neuron": "6. One neuron that is wrong, and sure of it",
    "neuron_text": (
        "A single sigmoid neuron is to answer 0 for the input 1, by gradient descent with η = {eta:g} over "
        "{epochs} epochs. It begins once a little wrong, and once badly wrong."
    ),
    "neuron_quadratic": (
        "With the quadratic cost the neuron that begins at a = {far_a} takes {far} epochs until a is below 0.5; "
        "the one that begins at {near_a} takes {near}. It is more wrong, and learns {times} times slower in the "
        "first epoch (|∂C/∂w| {far_speed} against {near_speed}): BP1 multiplies the mistake by σ'(z), and σ is "
        "flat there."
    ),
    "neuron_binary_cross_entropy": (
        "With the cross-entropy σ' cancels, and δ = a - y: the more wrong, the faster. The neuron that begins at "
        "{far_a} now learns {other} times faster in the first epoch than the one at {near_a}, and is below 0.5 "
        "after {far} epochs, the other after {near}. (The book lowers η to 0.005 here; what counts is the shape.)"
    ),
    "neuron_chart": "The output a over the epochs, for C_x = {cost}.",
    "deep": "7. Why the first layers of a deep network learn slowly",
    "deep_text": (
        "BP2 multiplies δ by σ' in every layer, and for a sigmoid that is at most ¼. So in a network {sizes} of "
        "sigmoids, trained on handwritten digits, the first layer begins to learn {times:.0f} times slower than "
        "the third. After {epochs} epochs {accuracy:.0f} % of the test digits are right."
    ),
    "deep_chart": "Speed of learning |∂C/∂b| of each layer over the epochs; l = 1 is the first layer.",
    "cure": "8. A σ of one's own",
    "cure_text": (
        "The equations hold for any σ. So take one whose slope is positive and never comes near 0, σ(z) = tanh z + "
        'z/2 with σ\' between 0.5 and 1.5. It is one line: fastbp.Activation("steady", lambda z: np.tanh(z) + z / '
        "2). The third layer now learns {after} times as fast as the first (before: {before:.0f} times), and after "
        "the same {epochs} epochs {accuracy:.0f} % of the test digits are right (before: {without:.0f} %)."
    ),
    "end": "To see all this of a network of yours: fastbp diagnose MODEL DATA, or fastbp.diagnose(net, x, y).",
}
