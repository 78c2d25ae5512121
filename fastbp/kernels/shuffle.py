"""Python's own shuffle, from the words of its generator."""

from ..compiler.jit import kernel


@kernel(no_cfunc_wrapper=True)
def draw_order(words, order):
    """Shuffle order (n,) in place as `random.shuffle` does: for i = n - 1 .. 1 swap i with a draw from 0 .. i.

    A draw takes the upper bits of a word, as many as i + 1 has, and other words as long as they are above i.

    - words (count,): of 32 bits, in int64

    Returns how many words were used; -1 if they were too few.
    """
    used, bits, size = 0, 0, len(order)
    while bits < 32 and (1 << bits) <= size:
        bits += 1
    for i in range(size - 1, 0, -1):
        while bits > 1 and (1 << (bits - 1)) > i + 1:
            bits -= 1
        j = i + 1
        while j > i:
            if used == len(words):
                return -1
            j = words[used] >> (32 - bits)
            used += 1
        order[i], order[j] = order[j], order[i]
    return used
