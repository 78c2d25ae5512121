"""Explicit vector code: what LLVM will not write from a plain loop.

LLVM holds plain numba loops to 256-bit vectors on many CPUs and never keeps a tile of C in
registers across the k loop. So the innermost loop of every matrix product is emitted here as LLVM
vector IR. A vector must be born and die inside one `@intrinsic`, because numba has no vector type
of its own.
"""

import platform

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from .target import LANES

# Accumulators of a tile stay in registers: 12 x 2 of them where there are 32 registers (AVX-512, NEON), else 6 x 2.
MAX_ROWS = 12 if LANES == 16 or platform.machine() in ("aarch64", "arm64") else 6
MAX_VECTORS = 2

I32, I64 = ir.IntType(32), ir.IntType(64)
IR_TYPES = {types.float32: ir.FloatType(), types.float64: ir.DoubleType()}


def lanes(dtype) -> int:
    """Numbers of `dtype` (a numba float type or a NumPy dtype) in one vector."""
    bits = dtype.bitwidth if hasattr(dtype, "bitwidth") else dtype.itemsize * 8
    return LANES * 32 // bits


class Vectors:
    """Loads, stores and broadcasts of one vector type, in one function body."""

    def __init__(self, builder, element, count):
        self.builder, self.count = builder, count
        self.type = ir.VectorType(element, count)
        self.alignment = 4 if isinstance(element, ir.FloatType) else 8
        fma = f"llvm.fma.v{count}f{8 * self.alignment}"
        self.fma_function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(self.type, [self.type] * 3), fma
        )

    def load(self, pointer):
        value = self.builder.load(self.builder.bitcast(pointer, self.type.as_pointer()))
        value.align = self.alignment
        return value

    def store(self, value, pointer):
        place = self.builder.bitcast(pointer, self.type.as_pointer())
        self.builder.store(value, place).align = self.alignment

    def broadcast(self, scalar):
        undefined = ir.Constant(self.type, ir.Undefined)
        first = self.builder.insert_element(undefined, scalar, I32(0))
        everywhere = ir.Constant(ir.VectorType(I32, self.count), None)
        return self.builder.shuffle_vector(first, undefined, everywhere)

    def fma(self, x, y, z):
        return self.builder.call(self.fma_function, [x, y, z])


def emit_tile(builder, element, count, rows, vectors, a, ras, kas, b, ldb, init, ldi, c, ldc, k):
    """C = I + Σ_k A[:, k] B[k, :] for one register tile of `rows` x (`vectors` * `count`) numbers.

    One chain of fused multiply-adds per element, k in order: the same bits at every vector width.
    """
    simd = Vectors(builder, element, count)
    at = builder.gep
    columns = [I64(v * count) for v in range(vectors)]

    def row(stride, i):
        return builder.mul(stride, I64(i))

    start = [
        [simd.load(at(init, [builder.add(row(ldi, i), j)])) for j in columns] for i in range(rows)
    ]
    a_rows = [row(ras, i) for i in range(rows)]

    before = builder.block
    loop, done = builder.append_basic_block("k"), builder.append_basic_block("done")
    builder.branch(loop)
    builder.position_at_end(loop)
    index, a_k, b_k = builder.phi(I64), builder.phi(a.type), builder.phi(b.type)
    acc = [[builder.phi(simd.type) for _ in columns] for _ in range(rows)]
    b_vectors = [simd.load(at(b_k, [j])) for j in columns]
    total = []
    for i in range(rows):
        a_ik = simd.broadcast(builder.load(at(a_k, [a_rows[i]])))
        total.append([simd.fma(a_ik, b_kj, old) for b_kj, old in zip(b_vectors, acc[i], strict=True)])
    following = builder.add(index, I64(1))
    steps = [(index, I64(0), following), (a_k, a, at(a_k, [kas])), (b_k, b, at(b_k, [ldb]))]
    steps += [
        (acc[i][j], start[i][j], total[i][j]) for i in range(rows) for j in range(vectors)
    ]
    for phi, first, later in steps:
        phi.add_incoming(first, before)
        phi.add_incoming(later, loop)
    builder.cbranch(builder.icmp_signed("<", following, k), loop, done)

    builder.position_at_end(done)
    for i in range(rows):
        for j, value in zip(columns, total[i], strict=True):
            simd.store(value, at(c, [builder.add(row(ldc, i), j)]))


def tile_function(module, element, count, rows, vectors):
    """The tile as an LLVM function of its own: inlined side by side, tiles spill each other's registers."""
    name = f"fastbp_tile_{element}_{rows}x{vectors}x{count}"
    if name in module.globals:
        return module.globals[name]
    pointer = element.as_pointer()
    operands = [pointer, I64, I64, pointer, I64, pointer, I64, pointer, I64, I64]
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), operands), name)
    function.linkage = "linkonce_odr"
    function.attributes.add("noinline")
    builder = ir.IRBuilder(function.append_basic_block())
    emit_tile(builder, element, count, rows, vectors, *function.args)
    builder.ret_void()
    return function


@intrinsic
def tile(typing_context, rows, vectors, a, ras, kas, b, ldb, init, ldi, c, ldc, k):
    """C = I + A B on a register tile of `rows` (1..MAX_ROWS) x `vectors` (1..MAX_VECTORS); k >= 1.

    - a, b, init, c: pointers to the first number of each operand
    - ras, kas: strides of A along its rows and along k; ldb, ldi, ldc: row strides (ldi = 0 repeats one row)
    """
    dtype = c.dtype
    size, pointer = types.intp, types.CPointer(dtype)
    signature = types.void(
        size, size, pointer, size, size, pointer, size, pointer, size, pointer, size, size
    )

    def codegen(context, builder, signature, arguments):
        rows, vectors, *operands = arguments
        element, count = IR_TYPES[dtype], lanes(dtype)
        choice = builder.add(builder.mul(vectors, I64(MAX_ROWS + 1)), rows)
        done = builder.append_basic_block("tile_done")
        switch = builder.switch(choice, done)
        for v in range(1, MAX_VECTORS + 1):
            for r in range(1, MAX_ROWS + 1):
                block = builder.append_basic_block(f"tile_{r}x{v}")
                switch.add_case(I64(v * (MAX_ROWS + 1) + r), block)
                builder.position_at_end(block)
                builder.call(tile_function(builder.module, element, count, r, v), operands)
                builder.branch(done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def transpose_block(typing_context, source, ld_source, target, ld_target):
    """target[j, i] = source[i, j] for one square of `lanes` x `lanes` numbers, in registers.

    Stage s swaps blocks of s numbers between rows i and i + s: log2(lanes) stages of shuffles.
    """
    dtype = target.dtype
    pointer = types.CPointer(dtype)

    def codegen(context, builder, signature, arguments):
        source, ld_source, target, ld_target = arguments
        count = lanes(dtype)
        simd = Vectors(builder, IR_TYPES[dtype], count)
        rows = [
            simd.load(builder.gep(source, [builder.mul(ld_source, I64(i))])) for i in range(count)
        ]
        size = count // 2
        while size:
            block = [j // size % 2 for j in range(count)]
            low = [j if not b else count + j - size for j, b in enumerate(block)]
            high = [j + size if not b else count + j for j, b in enumerate(block)]
            masks = [ir.Constant(ir.VectorType(I32, count), mask) for mask in (low, high)]
            for i in range(count):
                if not i // size % 2:
                    pair = rows[i], rows[i + size]
                    rows[i], rows[i + size] = (builder.shuffle_vector(*pair, m) for m in masks)
            size //= 2
        for j in range(count):
            simd.store(rows[j], builder.gep(target, [builder.mul(ld_target, I64(j))]))
        return context.get_dummy_value()

    return types.void(pointer, types.intp, pointer, types.intp), codegen
