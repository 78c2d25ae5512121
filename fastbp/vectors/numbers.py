"""Numbers in formulas: vectors with operators, so that emitted code reads as its equation."""

from .flow import I64, Loop, call_apart
from .simd import Vectors


class Number:
    """A vector in a formula: operators, also with Python's numbers, and the functions below emit its instructions.

    What is written decides which products become part of a fused multiply-add. Left to LLVM, which may look at what is
    around, one formula had other bits in another place.
    """

    def __init__(self, simd, value):
        self.simd, self.value = simd, value

    def like(self, other):
        """The vector of a Number, or of Python's number."""
        return other.value if isinstance(other, Number) else self.simd.constant(other)

    def __add__(self, other):
        for product, rest in ((self, other), (other, self)):
            if isinstance(product, Product):
                return Number(self.simd, self.simd.fma(*product.factors, self.like(rest)))
        return Number(self.simd, self.simd.builder.fadd(self.value, self.like(other)))

    __radd__ = __add__

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    def __mul__(self, other):
        return Product(self.simd, self.value, self.like(other))

    __rmul__ = __mul__

    def __truediv__(self, other):
        return Number(self.simd, self.simd.builder.fdiv(self.value, self.like(other)))

    def __rtruediv__(self, other):
        return Number(self.simd, self.simd.builder.fdiv(self.like(other), self.value))

    def __neg__(self):
        return Number(self.simd, self.simd.builder.fneg(self.value))

    def _compared(self, sign, other):
        compare = self.simd.builder.fcmp_unordered if sign == "!=" else self.simd.builder.fcmp_ordered
        return Mask(self.simd, compare(sign, self.value, self.like(other)))

    # Comparisons are false for NaN, != is true.
    def __lt__(self, other):
        return self._compared("<", other)

    def __le__(self, other):
        return self._compared("<=", other)

    def __gt__(self, other):
        return self._compared(">", other)

    def __ge__(self, other):
        return self._compared(">=", other)

    def __eq__(self, other):
        return self._compared("==", other)

    def __ne__(self, other):
        return self._compared("!=", other)

    __hash__ = None


class Mask:
    """Which entries of a vector are true."""

    def __init__(self, simd, value):
        self.simd, self.value = simd, value

    def __and__(self, other):
        return Mask(self.simd, self.simd.builder.and_(self.value, other.value))

    def __or__(self, other):
        return Mask(self.simd, self.simd.builder.or_(self.value, other.value))

    def __invert__(self):
        return Mask(self.simd, self.simd.builder.not_(self.value))


class Product(Number):
    """x y: rounded once together with what is added to it (of two products with the right one), else by itself."""

    def __init__(self, simd, x, y):
        self.simd, self.factors = simd, (x, y)

    @property
    def value(self):
        return self.simd.builder.fmul(*self.factors)

    def __neg__(self):
        x, y = self.factors
        return Product(self.simd, self.simd.builder.fneg(x), y)


def where(mask, x, y):
    """x where the mask is true, else y; both may be Python's numbers, and the mask LLVM's own, if one is a Number."""
    simd = next(some.simd for some in (mask, x, y) if isinstance(some, (Mask, Number)))
    x, y = (some.value if isinstance(some, Number) else simd.constant(some) for some in (x, y))
    return Number(simd, simd.builder.select(mask.value if isinstance(mask, Mask) else mask, x, y))


def sqrt(x):
    """Square root of a Number, entry by entry."""
    return Number(x.simd, x.simd.call("sqrt", "", x.value))


def absolute(x):
    """|x| of a Number."""
    return Number(x.simd, x.simd.call("fabs", "", x.value))


def numbers(simd, *values):
    """Vectors and scalars as Numbers of one type."""
    return [Number(simd, value if value.type == simd.type else simd.broadcast(value)) for value in values]


def emit_loop(builder, dtype, formula, sources, target, count, scalars=()):
    """Target ← formula(*sources, *scalars), entry by entry, for `count` numbers in whole vectors.

    - formula: from Numbers to a Number

    Where a source is the target, it must come by a pointer of its own: where LLVM sees that one place is read and
    written, it makes a masked store of relu, which takes an AMD processor 12 cycles a vector.
    """
    simd = Vectors(builder, dtype)
    constants = numbers(simd, *scalars)
    with Loop(builder, builder.udiv(count, I64(simd.count)), target, *sources) as loop:
        values = numbers(simd, *map(simd.load, loop.values[1:]))
        simd.store(formula(*values, *constants).value, loop.values[0])
        loop.later = [builder.gep(place, [I64(simd.count)]) for place in loop.values]


def emit_map(builder, dtype, formula, sources, target, count, *scalars):
    """`emit_loop` in a function of its own for each formula, of as many pointers as it has operands."""

    def emit(inside, count, target, *operands):
        places, constants = operands[: len(sources)], operands[len(sources) :]
        emit_loop(inside, dtype, formula, places, target, count, constants)

    call_apart(builder, f"fastbp_{formula.__name__}_{dtype}", emit, [count, target, *sources, *scalars])
