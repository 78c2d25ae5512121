"""What a mini-batch that is looked at tells of each layer: sums of squares and counts, see formulas/looks.py.

Nothing that trains is touched, so the bits of a run are the same whether it is looked at or not. Rows and neurons are
added up in one order, so what is seen depends on no team and no vector width. A run that never looks compiles nothing
of this: `epoch.train` calls it by address.
"""

from .gradient import (
    LOOK_AND_UPDATE,
    LOOK_AT_CHANGE,
    LOOK_AT_GRADIENT,
    look_and_update,
    look_at_change,
    look_at_gradient,
)
from .rows import LOOK_ROWS, look_rows
from .totals import ADD_LOOKS, add_looks

KERNELS = {
    "look_rows": (LOOK_ROWS, look_rows),
    "look_at_gradient": (LOOK_AT_GRADIENT, look_at_gradient),
    "look_at_change": (LOOK_AT_CHANGE, look_at_change),
    "look_and_update": (LOOK_AND_UPDATE, look_and_update),
    "add_looks": (ADD_LOOKS, add_looks),
}
