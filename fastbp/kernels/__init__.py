"""The algorithm: a whole training epoch inside compiled code. Nothing is allocated on the way, nothing is raised.

From the book to the kernel, by way of the reference, which says the same in NumPy (networks/reference.py):

=====================================  ==================  =======================================================
equation                               reference           kernel
=====================================  ==================  =======================================================
z = w a + b, a = σ(z)           (25)   `forward`           `forward.weighted_input`, `forward.squash`; σ: `activate`
δ^L = ∇ₐC ⊙ σ'(z^L)             (BP1)  `output_delta`      `backward.output_delta`; the formula: `costs`
δ^l = (wᵀ δ^(l+1)) ⊙ σ'(z^l)    (BP2)  `hidden_delta`      `backward.hidden_delta`; ⊙ σ': `activate`
∂C/∂b = δ                       (BP3)  `bias_gradient`     `update.add_products` for an input that is always 1
∂C/∂w_jk = a_k δ_j              (BP4)  `weight_gradient`   `update.add_products`, of few samples `online`, of zeros
                                                           `products.sparse`
w ← rule(w, ∂C/∂w)                     `optimizers.update`  `rules`, called by `update.update_weights`
=====================================  ==================  =======================================================

`epoch.train` is the loop over mini-batches: LOOP 4 over rows, LOOP 3 over layers, and within the products LOOP 2 over
panels, LOOP 1 over register tiles, LOOP 0 over k. Three schedules share it: batched (`update`), long mini-batches of
small networks (`chains`), one sample at a time (`online`). `halves` is what follows where the fused pass is not all
there is to a step: the whole gradient is limited, or added up; weights are constrained (`constrain`) and averaged.
`predict` goes forward alone, `embedded` inside a user's own compiled code; `inputs` goes back as far as x, `gram` makes
JᵀJ. `convert` gathers samples of another dtype, `shuffle` draws the order that Python's `random.shuffle` would. `looks`
is what `fastbp.Diagnostics` sees, inside the step, of one mini-batch in so many.

Formulas are not here. They are rows of formulas/, written in NumPy's syntax; `activate`, `costs` and `rules` trace them
and have them compiled, each apart, and what is here calls them by address (see vectors/README.md). The record of a run,
`records`, has all addresses; `fields` reads it; `blocking` has every block size.

Why it is fast: one call covers many mini-batches; every product is a register tile of explicit vector code; bias, σ and
σ' follow while the block is in the cache, and the update while its gradient is; the rows of the next mini-batch are
asked for tile by tile; inputs that are 0 are skipped, if three quarters are.
"""
