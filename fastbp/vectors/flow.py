"""What emitted code needs besides vectors: loops, switches, and functions that stay apart."""

from llvmlite import ir

I64 = ir.IntType(64)


class Loop:
    """A loop of `times` rounds (0 allowed), with values carried from round to round.

    `with Loop(builder, times, *first) as loop:` emits the body: `loop.values` are the round's values, and
    `loop.later` must be set to the next round's. After it `loop.values` are the last ones.
    """

    def __init__(self, builder, times, *first):
        self.builder, self.times, self.first = builder, times, [I64(0), *first]

    def __enter__(self):
        builder = self.builder
        self.before = builder.block
        self.body, self.done = builder.append_basic_block("body"), builder.append_basic_block("done")
        builder.cbranch(builder.icmp_signed(">", self.times, I64(0)), self.body, self.done)
        builder.position_at_end(self.body)
        self.phis = [builder.phi(value.type) for value in self.first]
        self.values = self.phis[1:]
        return self

    def __exit__(self, kind, error, trace):
        if error is not None:
            return
        builder, end = self.builder, self.builder.block
        later = [builder.add(self.phis[0], I64(1)), *self.later]
        for phi, first, last in zip(self.phis, self.first, later, strict=True):
            phi.add_incoming(first, self.before)
            phi.add_incoming(last, end)
        builder.cbranch(builder.icmp_signed("<", later[0], self.times), self.body, self.done)
        builder.position_at_end(self.done)
        self.values = []
        for first, last in zip(self.first[1:], later[1:], strict=True):
            phi = builder.phi(first.type)
            phi.add_incoming(first, self.before)
            phi.add_incoming(last, end)
            self.values.append(phi)


def choose(builder, code, cases, emit):
    """Emit a switch over the integer `code`: what `emit(cases[code])` emits is done, for any other code nothing."""
    done = builder.append_basic_block("done")
    switch = builder.switch(code, done)
    for value, case in cases.items():
        block = builder.append_basic_block("case")
        switch.add_case(ir.Constant(code.type, value), block)
        builder.position_at_end(block)
        emit(case)
        builder.branch(done)
    builder.position_at_end(done)


def call_apart(builder, name, emit, operands):
    """Call the LLVM function `name`, which is not inlined; `emit(builder, *arguments)` emits it at its first use.

    "optsize" keeps LLVM from unrolling loops, which gained nothing and took half of the time that tiles compile.
    """
    function = builder.module.globals.get(name)
    if function is None:
        kind = ir.FunctionType(ir.VoidType(), [operand.type for operand in operands])
        function = ir.Function(builder.module, kind, name)
        function.linkage = "internal"
        function.attributes.update(("noinline", "optsize"))
        inside = ir.IRBuilder(function.append_basic_block())
        emit(inside, *function.args)
        inside.ret_void()
    builder.call(function, operands)
