"""Every block size and prefetch distance, each with its reason. Measured on Zen 3 and Zen 4 if nothing else is said."""

import platform

from ..compiler.target import LANES
from ..vectors.simd import constant_of, lanes

LINE = 64  # bytes: a cache line, and the widest vector

# Panels of weights
PANEL_VECTORS = 2  # across a panel: with 6 or 12 rows of C as many sums as there are registers
panel_of = constant_of(lambda dtype: PANEL_VECTORS * lanes(dtype))  # numbers across a panel of weights
line_of = constant_of(lambda dtype: LINE // (dtype.bitwidth // 8))  # numbers in a cache line

# Register tiles. Accumulators stay in registers: 12 x 2 where there are 32 registers (AVX-512, NEON), else 6 x 2.
MANY_REGISTERS = LANES == 16 or platform.machine() in ("aarch64", "arm64")
MAX_ROWS = 12 if MANY_REGISTERS else 6
# Few rows would wait for their own multiply-adds (4 cycles each, 2 begin in a cycle), unless several panels go side by
# side: as many as here, by the number of rows. 3 x 4 vectors and their operands do not fit into 16 registers.
GROUPS = (1, 4, 2, 2) if MANY_REGISTERS else (1, 4, 2)

# Samples and inputs taken together
ROWS_AT_ONCE = 256  # through all layers: few enough for the cache, and weights are read once for all
SUM_ROWS = 256  # through all panels of a layer
PIECE_ROWS = 72  # where a thread may take them from another, see pieces.py: whole tiles, and as fast as more
CHAIN_ROWS = 128  # added up in one chain: what they need of inputs and errors fits the first-level cache
CHUNK_ROWS = 192  # inputs whose gradient is made at a time: it stays in the first-level cache
OUTER_PANELS = 4  # whose sums over the nonzeros are under way together: each is looked up once for all of them
MANY_PANELS = 4  # for each thread: then it does not matter if one has a panel more than the other
ROWS_IN_CACHE = 32  # whose nonzeros the second-level cache holds beside the weights of some panels
ROWS_PER_BLOCK = 4  # so many samples make it worth to take each block of their nonzeros by itself, in the forward pass
BLOCK_INPUTS = 96  # inputs whose nonzeros are added up at a time, see products/sparse.py
MAX_CONSTANTS = 32  # numbers that an optimizer's rule may need, at the start of each thread's scratch
PRODUCTS_COST = 1.5  # of (n_in + n_out) numbers multiplied in double precision, where BP4's n_in n_out cost 1
SQUARE_CHAINS = 4  # sums of squares under way at once: one alone waits for each of its multiply-adds

# What is asked for before its turn
HINTS = 2  # lines beside each register tile, twice as many where k is long
LONG = 64  # steps of k that are time enough for a number to come from an outer cache
VECTORS_AHEAD = 16  # of weights and state, in a rule: on their way from the outer caches
ROWS_AHEAD = 16  # whose first line is asked for while rows are gathered: short rows lie a cache miss apart
PANELS_AHEAD = 2  # while panels are transposed: one square lies far from the next, and nothing else would fetch it
