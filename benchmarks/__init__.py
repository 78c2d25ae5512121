"""fastbp against its peers: the same network, data, mini-batches and dtype, interleaved in one run."""

from .cases import CASES as CASES
from .cases import Case as Case
from .run import compare as compare
