"""What kernels call by its address: a signature in one place, which both sides go by, and calls by name.

A call by address is compiled once for all callers, and a caller need not know which of several functions it calls. What
is lost is that anyone checks the operands; so it is done here, when the caller is compiled.
"""

import inspect
import operator
from collections.abc import Callable
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import errors
from numba.extending import intrinsic

from . import jit


class Kind(NamedTuple):
    """The type of an operand, in a function that works on numbers of one dtype."""

    of: Callable[[Any], Any]


SIZE = Kind(lambda dtype: types.intp)  # an integer, or an address
NUMBERS = Kind(lambda dtype: types.CPointer(dtype))
INTEGERS = Kind(lambda dtype: types.CPointer(types.int64))
DOUBLES = Kind(lambda dtype: types.CPointer(types.float64))
DOUBLE = Kind(lambda dtype: types.float64)
FLAG = Kind(lambda dtype: types.boolean)
DTYPES = (types.float32, types.float64)


class Callee:
    """A function that is called by its address; operands and their kinds are those of `prototype`.

    The prototype is a kernel's own Python function, or for functions that are emitted what `Emitted` makes of one.
    """

    def __init__(self, prototype: Callable[..., Any]) -> None:
        signature = inspect.signature(prototype)
        self.name = prototype.__name__
        self.operands = {name: parameter.annotation for name, parameter in signature.parameters.items()}
        self.returns = signature.return_annotation  # a kind, or nothing
        self.call = self._make_call()  # for kernels, which name all operands: tests/kernels/test_callee.py looks

    def types(self, dtype: Any) -> tuple[Any, ...]:
        """Types of the operands for float32 or float64."""
        return tuple(kind.of(dtype) for kind in self.operands.values())

    def result(self, dtype: Any) -> Any:
        """Type of what is returned."""
        return self.returns.of(dtype) if isinstance(self.returns, Kind) else types.void

    def address(self, dispatcher: Any, dtype: Any) -> int:
        """Compile a kernel for this signature, and return where it lies."""
        return jit.address(dispatcher, self.result(dtype)(*self.types(dtype)))

    def check(self, given: tuple[Any, ...]) -> None:
        """Refuse operands of other types, by name."""
        if any(given == self.types(dtype) for dtype in DTYPES):
            return
        # The dtype that most operands are of is the one that is meant.
        meant = max(map(self.types, DTYPES), key=lambda types: sum(map(operator.eq, types, given)))
        wanted = zip(self.operands, given, meant, strict=True)
        wrong = [f"{name} is {got}, not {kind}" for name, got, kind in wanted if got != kind]
        raise errors.TypingError(f"{self.name}: {'; '.join(wrong)}")

    def _make_call(self) -> Any:
        def call(*operands, **named):
            bound = call.__signature__.bind(*operands, **named)
            given = tuple(map(types.unliteral, bound.args[2:]))
            self.check(given)
            return self.result(DTYPES[0])(types.intp, *given), emit_call

        call.__signature__ = _signature("typing_context", "address", *self.operands)
        call.__name__ = f"call_{self.name}"
        return intrinsic(call)


class Emitted(Callee):
    """A function whose body is emitted, another one for each formula.

    `make(body)` returns the Python function that does nothing but call `body` with its operands.
    """

    def __init__(self, make: Callable[[Any], Callable[..., Any]]) -> None:
        super().__init__(make(None))
        self.make, self.signature = make, _signature("typing_context", *self.operands)


def _signature(*names: str) -> inspect.Signature:
    return inspect.Signature([inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names])


def emit_call(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    """Call the address that comes first with all that follows."""
    address, *operands = arguments
    result = context.get_value_type(signature.return_type) if signature.return_type != types.void else ir.VoidType()
    kind = ir.FunctionType(result, [operand.type for operand in operands])
    returned = builder.call(builder.inttoptr(address, kind.as_pointer()), operands)
    return context.get_dummy_value() if signature.return_type == types.void else returned
