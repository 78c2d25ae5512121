"""Calls by address: operands of other types or names are refused when the caller is compiled, and all have names."""

import ast
import re
from pathlib import Path

import pytest
from numba import types
from numba.core.errors import TypingError

import fastbp
from fastbp.compiler.callee import DTYPES
from fastbp.compiler.jit import kernel
from fastbp.kernels.products.dense import PRODUCT, call_product

POINTER = r"float(32|64)\*"  # the message need not know which of the two dtypes was meant
PACKAGE = Path(fastbp.__file__).parent
TREES = [ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))]


def right(address, m, vectors, a, ras, kas, b, ldb, ldp, init, ldi, c, ldc, k, hint, hint_step, hint_end):
    call_product(
        address=address, m=m, vectors=vectors, a=a, ras=ras, kas=kas, b=b, ldb=ldb, ldp=ldp, init=init, ldi=ldi,
        c=c, ldc=ldc, k=k, hint=hint, hint_step=hint_step, hint_end=hint_end,
    )  # fmt: skip


def swapped(address, m, vectors, a, ras, kas, b, ldb, ldp, init, ldi, c, ldc, k, hint, hint_step, hint_end):
    call_product(
        address=address, m=m, vectors=vectors, a=ras, ras=a, kas=kas, b=b, ldb=ldb, ldp=ldp, init=init, ldi=ldi,
        c=c, ldc=ldc, k=k, hint=hint, hint_step=hint_step, hint_end=hint_end,
    )  # fmt: skip


def missing(address, m, vectors, a, ras, kas, b, ldb, ldp, init, ldi, c, ldc, k, hint, hint_step, hint_end):
    call_product(
        address=address, m=m, vectors=vectors, a=a, ras=ras, kas=kas, b=b, ldb=ldb, ldp=ldp, init=init, ldi=ldi,
        c=c, ldc=ldc, k=k, hint=hint, hint_step=hint_step,
    )  # fmt: skip


def unknown(address, m, vectors, a, ras, kas, b, ldb, ldp, init, ldi, c, ldc, k, hint, hint_step, hint_end):
    call_product(
        address=address, m=m, vectors=vectors, a=a, ras=ras, kas=kas, b=b, ldb=ldb, ldp=ldp, init=init, ldi=ldi,
        c=c, ldc=ldc, k=k, hint=hint, hint_step=hint_step, hint_end=hint_end, hint_stop=hint_end,
    )  # fmt: skip


def compiled(function, dtype, **other):
    """Compile a caller whose operands have the types of the product's, but for some."""
    kinds = dict(zip(PRODUCT.operands, PRODUCT.types(dtype), strict=True)) | other
    kernel(function, cache=False, no_cpython_wrapper=True).compile(types.void(types.intp, *kinds.values()))


@pytest.fixture(params=DTYPES, ids=str)
def dtype(request):
    return request.param


def test_a_right_call_is_compiled(dtype):
    compiled(right, dtype)


def test_swapped_operands_are_refused_by_name(dtype):
    with pytest.raises(TypingError, match=rf"panel_product: a is int64, not {POINTER}; ras is {dtype}\*, not int64\n"):
        compiled(swapped, dtype)


@pytest.mark.parametrize("name", PRODUCT.operands)
def test_an_operand_of_another_type_is_refused_by_name(name, dtype):
    wanted = dict(zip(PRODUCT.operands, PRODUCT.types(dtype), strict=True))[name]
    other = types.CPointer(dtype) if wanted == types.intp else types.intp
    kind = wanted if wanted == types.intp else POINTER
    with pytest.raises(TypingError, match=rf"panel_product: {name} is {re.escape(str(other))}, not {kind}\n"):
        compiled(right, dtype, **{name: other})


def test_operands_of_both_dtypes_are_refused():
    with pytest.raises(TypingError, match=r"panel_product: c is float64\*, not float32\*"):
        compiled(right, types.float32, c=types.CPointer(types.float64))


@pytest.mark.parametrize(
    ("function", "says"),
    [(missing, "missing a required argument: 'hint_end'"), (unknown, "unexpected keyword argument 'hint_stop'")],
)
def test_names_must_be_the_operands(function, says, dtype):
    with pytest.raises(TypeError, match=says):
        compiled(function, dtype)


def assigned(tree):
    """Each target of an assignment with its value, where both sides are written out."""
    for node in ast.walk(tree):
        for target in node.targets if isinstance(node, ast.Assign) else ():
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                yield from zip(target.elts, node.value.elts, strict=True)
            else:
                yield target, node.value


def callers(trees):
    """Names that are assigned from `X.call`."""
    return {
        target.id
        for tree in trees
        for target, value in assigned(tree)
        if isinstance(target, ast.Name) and isinstance(value, ast.Attribute) and value.attr == "call"
    }


def called(tree, names):
    """Calls of these functions, as `call_x(...)` or `module.call_x(...)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (getattr(node.func, "attr", None) or getattr(node.func, "id", None)) in names:
            yield node


def unnamed(tree, names):
    """Those of them that leave an operand without a name, or hide names behind **."""
    return [ast.unparse(c) for c in called(tree, names) if c.args or any(word.arg is None for word in c.keywords)]


def test_kernels_name_all_operands_of_calls_by_address():
    names = callers(TREES)
    assert all(name.startswith("call_") for name in names)
    assert names == {node.func.id for tree in TREES for node in called(tree, names)}, "some are never called"
    assert [call for tree in TREES for call in unnamed(tree, names)] == []


@pytest.mark.parametrize(
    ("call", "wrong"),
    [
        ("call_one(address=p, m=m)", False),
        ("call_apart(p, m)", False),
        ("call_one(p, m=m)", True),
        ("call_two(*operands)", True),
        ("call_two(**operands)", True),
        ("module.call_two(p)", True),
    ],
)
def test_this_test_sees_an_operand_without_a_name(call, wrong):
    tree = ast.parse(f"call_one = ONE.call\nA, call_two = B, TWO.call\ndef f(p, m):\n    {call}\n")
    assert callers([tree]) == {"call_one", "call_two"}
    assert bool(unnamed(tree, callers([tree]))) == wrong
