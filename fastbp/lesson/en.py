"""The lesson in English."""

WORDS = {
    "title": "How back-propagation works, with its numbers",
    "intro": (
        'This is chapter 2 of Michael Nielsen\'s book "Neural Networks and Deep Learning", with experiments of its '
        "chapters 3 and 5. Numbers in parentheses, like (25), are those of the book's equations. Every other number "
        "was computed just now, by networks of fastbp. They are shown rounded: if you multiply them yourself, the "
        "last digit may differ."
    ),
    "forward": "1. Forward, in matrix form (25)",
    "forward_text": (
        "aˡ = σ(wˡ aˡ⁻¹ + bˡ). Layer l multiplies the activations aˡ⁻¹ of the layer before by its matrix of weights "
        "wˡ, and adds its biases bˡ. This is its weighted input zˡ; the activation function σ, here the sigmoid σ(z) "
        "= 1/(1 + e⁻ᶻ), is applied to every entry of it. The weight wˡⱼₖ leads from neuron k to neuron j: each row "
        "of the matrix belongs to a neuron of layer l. Here is a network of 2 inputs, 3 hidden neurons and 2 "
        "outputs, with one sample x and the answer y that is wanted:"
    ),
    "forward_way": "The sample on its way through the network, with a⁰ = x, and its cost:",
    "assumptions": "2. Two assumptions on the cost C",
    "mean": (
        "First, C is the mean of the costs C_x of single samples. So it is enough to find the gradient for one "
        "sample: the gradient of C is the mean of these. Two samples, each by itself and both together:"
    ),
    "outputs": (
        "Second, C_x is a function of the outputs aᴸ (y is fixed). So the way back can begin at the outputs. An "
        "example: exchange the first and the third hidden neuron, with their weights and biases. The matrices are "
        "different now, the outputs are the same, and so is C_x: {exchanged}, and {cost} before."
    ),
    "error": "3. The error δ",
    "error_text": (
        "The error of neuron j in layer l is δˡⱼ = ∂C/∂zˡⱼ. Imagine a little demon that sits at the neuron and adds "
        "a little Δz to its weighted input. C then changes by about δ Δz. Where |δ| is large, the demon can make C "
        "much smaller, by a Δz against the sign of δ:"
    ),
    "demon": (
        "The demon pushed each neuron by {push:g}, one at a time. It gained most at {most}, least at {least}; ΔC is "
        "what really happened, and nearly δ Δz."
    ),
    "small_delta": (
        "Where |δ| is small, the demon can do little, for one of two reasons. The last output should be 0. In the "
        "second line its bias is lowered by {down:g}: it is nearly right, a - y is small, and little is left to "
        "improve. In the third line its bias is raised by {up:g}: it is wrong, but saturated. σ is flat there, and "
        "the push does not get through."
    ),
    "four": "4. The four equations",
    "four_text": (
        "They all follow from the chain rule. In square brackets stands the same derivative found without them: one "
        "z, b or w is changed by ±h, with h = {step}, C is computed anew each time, and (C(+h) - C(-h)) / 2h is "
        "taken."
    ),
    "bp1": (
        "BP1: δᴸ = ∇ₐC ⊙ σ'(zᴸ). The error of an output is how fast C changes with its activation, times the slope "
        "of σ at its z. (⊙ multiplies entry by entry: the Hadamard product.) For this cost ∇ₐC = aᴸ - y, and for a "
        "sigmoid σ'(z) = a (1 - a)."
    ),
    "bp2": (
        "BP2: δˡ = ((wˡ⁺¹)ᵀ δˡ⁺¹) ⊙ σ'(zˡ). The transposed matrix moves the error back through the weights; the "
        "slope of σ then lets a part of it through."
    ),
    "bp3": "BP3: ∂C/∂bˡⱼ = δˡⱼ. The error is the gradient of the bias.",
    "bp4": (
        "BP4: ∂C/∂wˡⱼₖ = aˡ⁻¹ₖ δˡⱼ. The gradient of a weight is the activation it starts from, times the error it "
        "leads to."
    ),
    "checked": (
        "The equations and the brackets are nowhere further apart than {worst:.1g}. fastbp.check_equations(net, x, "
        "y) does this for any network, equation by equation and layer by layer. Here it made {checks} comparisons, "
        "and all passed."
    ),
    "slow": "5. Which weights learn slowly (32)",
    "slow_text": (
        "BP4 can be read as ∂C/∂w = a_in δ_out. So a weight learns slowly if the neuron it starts from is hardly "
        "active, and also if the neuron it leads to has a small δ: near its best, or saturated. The same network, "
        "with an input near 0: x = {x}."
    ),
    "slow_ratio": (
        "The weights from the first input learn {ratio:.0f} times faster than those from the second. After {steps} "
        "steps of gradient descent with η = {eta:g} they have moved by this much (first input left, second right):"
    ),
    "neuron": "6. One neuron that is wrong, and sure of it",
    "neuron_text": (
        "Chapter 3: a single sigmoid neuron is to answer 0 for the input 1. It learns by gradient descent with η = "
        "{eta:g}, for {epochs} epochs. It begins once a little wrong, and once badly wrong."
    ),
    "neuron_quadratic": (
        "With the quadratic cost, the neuron that begins at a = {far} is further off than the one at {near}, and yet "
        "learns {times} times slower at first: ∂C/∂w is {far_slope}, against {near_slope}. Until a is below 0.5 it "
        "needs {far_half} epochs, the other {near_half}. After {epochs} epochs they are at {far_end} and {near_end}. "
        "The reason is in BP1: δ = (a - y) σ'(z), and at z = {z} the slope σ' is only {slope}."
    ),
    "neuron_entropy": (
        "With the cross-entropy, ∇ₐC = (a - y) / σ'(z): BP1's σ' cancels, and δ = a - y. Now the neuron that is "
        "further off learns faster, {times} times at first: ∂C/∂w is {far_slope}, against {near_slope}. They are "
        "below 0.5 after {far_half} and {near_half} epochs, and at {far_end} and {near_end} after {epochs}."
    ),
    "neuron_chart": "The output a over the epochs, with C_x = {cost}.",
    "neuron_book": (
        "Here η is {eta:g} for both costs. The book takes η = {book:g} for the cross-entropy: what counts is not the "
        "speed, but the shape of the curve. Even with this η, {less:.0f} times smaller, the first step of the neuron "
        "that is badly wrong is {times:.1f} times as long as with the quadratic cost."
    ),
    "deep": "7. Why the first layers of a deep network learn slowly",
    "deep_text": (
        "Chapter 5: BP2 multiplies δ by σ' in every layer it comes through, and the σ' of a sigmoid is at most ¼. A "
        "network {sizes} of sigmoids is trained on handwritten digits, by stochastic gradient descent with η = "
        "{eta:g}. (Its output is softmax with the cross-entropy, so that BP1 takes nothing away.) This is what wᵀ "
        "and σ' make of δ in the first epoch, from the output back to the first layer:"
    ),
    "deep_factors": (
        "Each |δˡ| is the one above it times the two factors. In the end layer 1 learns {times:.0f} times slower "
        "than layer {last}, as |∂C/∂b| shows."
    ),
    "deep_chart": "The speed of learning |∂C/∂b| of each hidden layer over the epochs.",
    "deep_result": (
        "After {epochs} epochs {accuracy:.0f} % of the test digits are right. Slow does not mean unable: a larger η "
        "helps, and with η = {large:g} it is {better:.0f} %."
    ),
    "cure": "8. A cure: a σ of one's own",
    "cure_text": (
        "The four equations hold for any σ: nothing in them asks for a sigmoid. So let us design one that cannot "
        "saturate, whose slope is positive and never comes near 0: σ(z) = tanh z + z/2, with σ' between ½ and 1½. It "
        "takes one line; fastbp derives σ', and compiles both:"
    ),
    "cure_same": (
        "All else stays the same: the sizes, the first weights, η, and the order of the samples. "
        "fastbp.check_equations finds the four equations true for this σ, too ({checks} comparisons). The first "
        "epoch:"
    ),
    "cure_faster": (
        "Now layer 1 learns {times:.1f} times as fast as layer {last}; with sigmoids it was {before:.0f} times slower."
    ),
    "cure_slower": (
        "Now layer 1 learns only {times:.1f} times slower than layer {last}; with sigmoids it was {before:.0f} times "
        "slower."
    ),
    "cure_result": (
        "After the same {epochs} epochs {accuracy:.0f} % of the test digits are right; with sigmoids it was "
        "{without:.0f} %."
    ),
    "end": "To see all this for a network of your own: fastbp diagnose MODEL DATA, or fastbp.diagnose(net, x, y).",
}
