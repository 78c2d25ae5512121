"""The border for arrays: what a user hands in is checked here, once, for both engines.

What comes out is C-contiguous, aligned, finite, of the network's dtype, and a read-only view or
copy: the user's arrays are never changed. Everything behind may rely on it and checks nothing.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from numbers import Real
from typing import Any, Never

import numpy as np

from ..errors import warn
from ..formulas import Array, number
from ..formulas.activations import Activation
from ..formulas.costs import Cost
from . import clean
from .labels import is_masked, listed
from .sparse import SparseRows, doubt_density, is_sparse

DType = np.dtype[Any]

ON_CPU = (1, 3)  # of the devices of DLPack: kDLCPU, kDLCUDAHost

MAX_CLASSES = 20  # more different whole numbers are surely quantities
# Bytes of a converted copy: more is converted row by row instead, as it is used. Below, inputs of mostly zeros have a
# short form, which is faster. What a map leaves on disk is not wanted in memory.
LARGE, LARGE_MAP = 2**28, 2**25
WORTHWHILE = 2**20  # bytes: to read less takes no time
PART = 2**18  # numbers that are checked at a time
SAFE_EXPONENT = 30  # the largest sample weight may be 2⁻³⁰ .. 2³⁰: sums and shares stay far from float32's limits


def features(name: str, x: object, n_in: int, dtype: DType, keeps: Callable[[DType], bool] | None = None) -> Array:
    """Return x as (m, n_in), m >= 1.

    - keeps: tells of which dtypes a large x is kept as it is, for engines that convert it row by row
    """
    array: Any = SparseRows.read(name, x, dtype) if keeps and is_sparse(x) else _real(name, x)
    if array.shape[:1] == (0,):
        raise ValueError(f"{name} is empty: {array.shape}; at least one sample is needed")
    if array.ndim != 2:
        hint = ""
        if array.ndim == 1:
            hint = f"; for one sample write {name}[None, :]"
            if n_in == 1:
                hint = f"; for samples of one feature write {name}[:, None]"
        elif array.ndim > 2 and np.prod(array.shape[1:]) == n_in:  # the book's column vectors, images
            hint = f"; write {name}.reshape(len({name}), -1)"
        raise ValueError(f"{name} must be (m, {n_in}), one row a sample; got {array.shape}{hint}")
    if array.shape[1] != n_in:
        column = array.shape == (n_in, 1)
        hint = f"; a column is one feature of many samples: write {name}.T" if column else ""
        raise ValueError(f"{name} has {array.shape[1]} features, the network takes {n_in}; got {array.shape}{hint}")
    if isinstance(array, SparseRows):
        doubt_density(name, array)
        return array  # type: ignore[return-value]  # stands for the array that it would be
    as_it_is = keeps and _is_large(array, dtype) and keeps(array.dtype)
    usable = as_it_is or (array.dtype == dtype and array.flags.c_contiguous and array.flags.aligned)
    key = clean.key(array, dtype) if usable and array.nbytes > WORTHWHILE else None
    if key in clean.known:
        return _read_only(array)
    found = _finite_as_it_is(name, array, dtype) if as_it_is else _finite(name, array, dtype)
    if key is not None:
        clean.remember(key, array)
    return found


def sample_or_samples(
    x: object, n_in: int, dtype: DType, keeps: Callable[[DType], bool] | None = None
) -> tuple[Array, bool]:
    """Return x as (m, n_in), see `features`, and whether it came as one sample (n_in,)."""
    if keeps and is_sparse(x):
        return features("x", x, n_in, dtype, keeps), False
    array = _real("x", x)
    single = array.ndim == 1 and len(array) == n_in
    return features("x", array[None, :] if single else array, n_in, dtype, keeps), single


def targets(name: str, y: object, m: int, n_out: int, cost: Cost, dtype: DType) -> Array:
    """Return y as labels (m,) of int64, or as (m, n_out) of the network's dtype.

    Rows that are all one-hot mean the same as labels, and become labels.
    """
    array = _real(name, y)
    if array.ndim == 1 and n_out == 1:
        array = array[:, None]
    if array.ndim not in (1, 2) or (array.ndim == 2 and array.shape[1] != n_out):
        labels = f"(m,) labels 0..{n_out - 1} or " if n_out > 1 else "(m,) or "
        hint = f"; write {name}.ravel()" if n_out > 1 and array.shape[1:] == (1,) else ""
        if array.ndim > 2 and np.prod(array.shape[1:]) == n_out:  # the book's column vectors
            hint = f"; write {name}.reshape(len({name}), -1)"
        raise ValueError(f"{name} must be {labels}(m, {n_out}); got {array.shape}{hint}")
    check_length(name, array, m)
    if array.ndim == 1:
        return _labels(name, array, n_out)
    array = _finite(name, array, dtype)
    if n_out > 1 and _one_hot(array):
        return _read_only(array.argmax(axis=1).astype(np.int64))
    _check_range(name, array, cost)
    return array


def target_columns(y: Any) -> object:
    """Return the only column of a data frame, or all of them as rows."""
    return y[y.columns[0]] if len(y.columns) == 1 else y.to_numpy()


def doubt_order(x: Any, y: Any) -> None:
    """Warn where a data frame and a series have other indexes: rows belong together by place."""
    one: Any = getattr(x, "index", None)
    other: Any = getattr(y, "index", None)
    if hasattr(one, "equals") and hasattr(other, "equals") and not one.equals(other):
        warn("x and y have different indexes; their rows are taken in order: the first of x with the first of y")


def check_length(name: str, y: Array, m: int) -> None:
    """Refuse a y of other samples than x's."""
    if len(y) != m:
        raise ValueError(f"{name} has {len(y)} samples, x has {m}")


def check_reachable(name: str, y: Array, row: Activation) -> None:
    """Refuse to train towards targets that the output can never come near."""
    wrong = (y < row.low) | (y > row.high)
    if y.ndim == 1 or not wrong.any():
        return
    place = tuple(int(i) for i in np.argwhere(wrong)[0])
    reach = f"{row.low:g} and more" if row.high == math.inf else f"{row.low:g}..{row.high:g}"
    found = np.unique(y)
    count = int(found[-1]) + 1
    classes = y.shape[1] == 1 and np.array_equal(found, np.arange(count)) and count <= MAX_CLASSES
    hint = f'; for {count} classes make it Network([..., {count}], cost="cross_entropy")' if classes else ""
    if y.shape[1] == 1 and len(found) == 2:
        hint = '; for 2 classes choose cost="binary_cross_entropy"'
    raise ValueError(
        f"{name}[{', '.join(map(str, place))}] is {y[place]:g}, and {row.name} outputs only reach {reach}: "
        f'choose output="identity", or scale {name}{hint}'
    )


def says_several(y: object) -> bool:
    """Whether y (m, n) says of some sample several labels at once, or none."""
    array = _real("y", y)
    if array.ndim != 2 or array.shape[1] < 2:
        return False
    return bool(np.all((array == 0) | (array == 1)) and np.any(array.sum(axis=1) != 1))


def has_accuracy(y: Array, tells_labels: bool) -> bool:
    """Whether right and wrong mean something: labels, or one output that tells labels and targets 0 and 1."""
    if y.ndim == 1:
        return True
    return y.shape[1] == 1 and tells_labels and bool(np.all((y == 0) | (y == 1)))


def sample_weights(sample_weight: object, m: int, dtype: DType) -> Array | None:
    """Return the weights of the samples as (m,), none negative, not all zero.

    Only their ratios matter. So very large and very small ones are brought near 1, by a power of two, which rounds
    nothing: in float32, sums of weights of 1e36 overflow, and 1e-40 is 0.
    """
    if sample_weight is None:
        return None
    array = _real("sample_weight", sample_weight)
    if array.shape != (m,):
        raise ValueError(f"sample_weight must be ({m},), one per sample; got {array.shape}")
    array = _finite("sample_weight", array, np.dtype(float))
    if array.min() < 0:
        row = int(np.argmax(array < 0))
        raise ValueError(f"sample_weight[{row}] is {array[row]:g}; weights must be >= 0")
    if not array.any():
        raise ValueError("sample_weight is 0 for every sample; nothing would be learnt")
    exponent = int(np.frexp(array.max())[1])
    if abs(exponent) > SAFE_EXPONENT:
        array = np.ldexp(array, -exponent)
    return _finite("sample_weight", array, dtype)


def class_weights(
    class_weight: object, y: Array, classes: Array, sample_weight: Array | None, dtype: DType
) -> Array | None:
    """Return `sample_weight` multiplied by the weight of each sample's class.

    "balanced" gives class k the weight m / (K · m_k): each of the K classes present counts alike.
    """
    if class_weight is None:
        return sample_weight
    if y.ndim == 2 and not (y.shape[1] == 1 and np.all((y == 0) | (y == 1))):
        raise ValueError("class_weight needs labels in y; give sample_weight instead")
    labels = y.ravel().astype(np.int64)
    per_class = _per_class(class_weight, labels, classes)
    weights = per_class[labels] * (1.0 if sample_weight is None else sample_weight)
    return sample_weights(weights, len(y), dtype)


def parameters(name: str, arrays: object, shapes: Sequence[tuple[int, ...]], dtype: DType) -> list[Array]:
    """Return a list of copies of the network's dtype, one per computed layer."""
    if not isinstance(arrays, (list, tuple)):
        raise TypeError(f"{name} must be a list of arrays, got {type(arrays).__name__}")
    if len(arrays) != len(shapes):
        raise ValueError(f"{name} has {len(arrays)} arrays, the network has {len(shapes)} layers")
    checked = []
    for place, (value, shape) in enumerate(zip(arrays, shapes, strict=True)):
        array = _real(f"{name}[{place}]", value)
        if array.shape != shape:
            raise ValueError(f"{name}[{place}] must be {shape}, got {array.shape}")
        checked.append(np.array(_finite(f"{name}[{place}]", array, dtype)))
    return checked


def output_array(out: object, shape: tuple[int, ...], dtype: DType) -> Array:
    """Return `out` itself, if results can be written into it as they are."""
    if not isinstance(out, np.ndarray) or is_masked(out):
        raise TypeError(f"out must be a plain NumPy array, got {type(out).__name__}")
    if out.shape != shape or out.dtype != dtype:
        raise ValueError(f"out must be {shape} of {dtype}, got {out.shape} of {out.dtype}")
    flags = out.flags
    if not (flags.c_contiguous and flags.aligned and flags.writeable):
        raise ValueError("out must be C-contiguous, aligned and writable")
    return out


def _real(name: str, value: object) -> Array:
    """Return `value` as an array of bool, integers or floats."""
    if is_masked(value):
        raise TypeError(f"{name} is a masked array, or holds some; fill or drop what is masked first")
    if hasattr(value, "toarray"):
        refuse_sparse(name)
    if not isinstance(value, np.ndarray) and hasattr(value, "__dlpack__"):
        return _from_dlpack(name, value)
    array = _as_array(name, value)
    if array.ndim == 0 and array.dtype.kind == "O":
        what = f"{name} is a {type(value).__name__}"
        way = f"write list({name})" if isinstance(value, Iterator) else "give an array or a list, in the samples' order"
        raise TypeError(f"{what}; {way}")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers, got {_kind_of(array)}")
    return array


def _as_array(name: str, value: object) -> Array:
    try:
        return np.asarray(value)
    except MemoryError:
        raise
    except Exception as error:  # whatever somebody's __array__ raises
        if isinstance(value, (list, tuple)) and isinstance(error, ValueError):
            raise ValueError(f"{name} is ragged: its rows differ in length") from None
        way = f"give a NumPy array of {name}"
        raise TypeError(f"{name} is a {type(value).__name__} that cannot be read: {error}; {way}") from error


def read_once(name: str, value: object) -> object:
    """Return what another library's array holds, which may be made anew each time it is asked for; others as it is."""
    if isinstance(value, np.ndarray) or hasattr(value, "to_numpy"):
        return value
    if hasattr(value, "__dlpack__"):
        return _from_dlpack(name, value)
    return _as_array(name, value) if hasattr(value, "__array__") else value


def refuse_sparse(name: str) -> Never:
    """Say what takes a sparse matrix, and what to write else."""
    raise TypeError(f"{name} is a sparse matrix, which fit, evaluate and predict take; here write {name}.toarray()")


def _from_dlpack(name: str, value: Any) -> Array:
    """Return a tensor of another library, in place if it is on the CPU."""
    try:
        away = int(value.__dlpack_device__()[0]) not in ON_CPU
        array = np.empty(0) if away else np.from_dlpack(value)
    except Exception as error:
        way = f"write {name}.detach()" if getattr(value, "requires_grad", False) else f"give a NumPy array of {name}"
        raise TypeError(f"{name} is a {type(value).__name__} that cannot be read: {error}; {way}") from None
    if away:
        raise TypeError(f"{name} is a {type(value).__name__} that is not on the CPU; write {name}.cpu()")
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} must hold real numbers, got {_kind_of(array)}")
    return array


def _kind_of(array: Array) -> str:
    """Say of what kind an array is that does not hold numbers, and where."""
    if array.dtype.kind != "O" or array.size == 0:
        return {"U": "text", "S": "text", "M": "dates", "c": "complex numbers"}.get(
            array.dtype.kind, f"dtype {array.dtype}"
        )
    odd = np.array([not isinstance(value, Real) for value in array.ravel().tolist()]).reshape(array.shape)
    if not odd.any():
        return "Python's own objects: write np.asarray(..., float)"
    place = tuple(int(i) for i in np.argwhere(odd)[0])
    return f"{array[place]!r:.80} at [{', '.join(map(str, place))}]"


def _finite(name: str, array: Array, dtype: DType) -> Array:
    """Return a checked array of `dtype`, or name the first row with NaN or inf."""
    with np.errstate(over="ignore", invalid="ignore"):
        converted = np.require(array, dtype, ["C", "ALIGNED"])
        # A finite sum proves finite entries, at a tenth of the price of looking at each.
        if not np.isfinite(converted.sum()) and not np.isfinite(converted).all():
            place = tuple(int(i) for i in np.argwhere(~np.isfinite(converted))[0])
            where = f"{name}[{', '.join(map(str, place))}]"
            rule = f"not a finite {dtype}; clean or drop row {place[0]}"
            raise ValueError(f"{where} is {array[place]}, {rule}")
    return _read_only(converted)


def _is_large(array: Array, dtype: DType) -> bool:
    """Whether a copy in another dtype would be large beside what there is."""
    if array.dtype == dtype or not (array.flags.c_contiguous and array.flags.aligned):
        return False
    base: Any = array
    while base is not None and not isinstance(base, np.memmap):
        base = getattr(base, "base", None)
    return array.size * dtype.itemsize > (LARGE if base is None else LARGE_MAP)


def _finite_as_it_is(name: str, array: Array, dtype: DType) -> Array:
    """Return a checked array of its own dtype, which would be finite in `dtype`: a part at a time, in little memory."""
    if array.dtype.kind == "f":
        step = max(1, PART // array.shape[1])
        for start in range(0, len(array), step):
            try:
                _finite(name, array[start : start + step], dtype)
            except ValueError:
                _finite(name, array, dtype)  # which names the row
    return _read_only(array)


def _read_only(array: Array) -> Array:
    view = array.view()
    view.flags.writeable = False
    return view


def _labels(name: str, array: Array, n_out: int) -> Array:
    wrong = ~((array >= 0) & (array < n_out) & (array == np.trunc(array)))
    if wrong.any():
        row = int(np.argmax(wrong))
        way = f"missing: drop row {row}" if array[row] != array[row] else f"labels are integers 0..{n_out - 1}"
        raise ValueError(f"{name}[{row}] is {array[row]}; {way}")
    return _read_only(np.require(array, np.int64, ["C", "ALIGNED"]))


def _one_hot(y: Array) -> bool:
    ones = y == 1
    return bool(np.all(ones | (y == 0)) and np.all(ones.sum(axis=1) == 1))


def _check_range(name: str, y: Array, cost: Cost) -> None:
    if math.isinf(cost.low) and math.isinf(cost.high):
        return
    wrong = ((y < cost.low) | (y > cost.high)).any(axis=1)
    rule = f"{cost.name} takes targets in {cost.low:g}..{cost.high:g}"
    if cost.sums_to_one:
        wrong |= np.abs(y.sum(axis=1) - 1) > 1e-3
        rule = (
            f"{cost.name} takes rows of probabilities that sum to 1; "
            "for several labels at once choose cost binary_cross_entropy"
        )
    if wrong.any():
        row = int(np.argmax(wrong))
        raise ValueError(f"{name}[{row}] is {np.array2string(y[row], threshold=8)}; {rule}")


def _per_class(class_weight: object, labels: Array, classes: Array) -> Array:
    if isinstance(class_weight, str) and class_weight == "balanced":
        counts = np.bincount(labels, minlength=len(classes))
        return len(labels) / (np.count_nonzero(counts) * np.maximum(counts, 1))
    if not isinstance(class_weight, Mapping):
        raise TypeError(f"class_weight must be a dict from label to weight, or 'balanced'; got {class_weight!r}")
    weights, known = np.ones(len(classes)), classes.tolist()
    for label, weight in class_weight.items():
        if label not in known:
            raise ValueError(f"class_weight has label {label!r}; labels are {listed(classes)}")
        weights[known.index(label)] = number(f"the weight of class {label}", weight)
    return weights
