"""A network for other programs, and networks of theirs: ONNX, C, NumPy, PyTorch, scikit-learn, the book's network2.

Each `to_` takes a network of either engine, or an estimator of scikit-learn's or of ``fastbp.sklearn``.
"""

from .c import to_c_source as to_c_source
from .estimators import from_sklearn as from_sklearn
from .network2 import from_network2_json as from_network2_json
from .network2 import to_network2_json as to_network2_json
from .numpy_source import to_numpy_source as to_numpy_source
from .onnx import to_onnx as to_onnx
from .torch import from_torch_state_dict as from_torch_state_dict
from .torch import to_torch_state_dict as to_torch_state_dict
