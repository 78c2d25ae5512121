"""Functions that NumPy lacks. Formulas may take them from here, or scipy.special's: both are traced alike."""

# mypy: disable-error-code="no-any-return"

import math
from typing import Any

import numpy as np

_erf = np.frompyfunc(math.erf, 1, 1)


def erf(x: Any) -> Any:
    """Erf x = 2/√π ∫₀ˣ e^(-t²) dt, entry by entry; slow over arrays, exact."""
    found: Any = _erf(x)
    return found.astype(x.dtype) if isinstance(x, np.ndarray) else found
