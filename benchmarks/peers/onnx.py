"""ONNX Runtime, which only predicts."""

from typing import Any

import numpy as np

from .contender import Contender, Job, one_by_one

OPERATORS = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu", "softmax": "Softmax"}
OPSET, IR_VERSION = 17, 8  # of 2022: known to every runtime that is still in use


def runtime(job: Job) -> Contender | None:
    """Input and output stay bound to memory of ours, which is faster than `run`."""
    if job.case.optimizer is not None:
        return None
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = job.threads
    session = onnxruntime.InferenceSession(model(job.net), options, providers=["CPUExecutionProvider"])
    x, out = (np.zeros((1, n), job.net.dtype) for n in (job.case.sizes[0], job.case.sizes[-1]))
    binding = session.io_binding()
    bound = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in (x, out)]
    binding.bind_ortvalue_input("x", bound[0])
    binding.bind_ortvalue_output("out", bound[1])

    def predict(row: Any) -> Any:
        x[0] = row
        session.run_with_iobinding(binding)
        return out

    return one_by_one(predict, job.x)


def model(net: Any) -> bytes:
    """Write the network as ONNX: z = Gemm(a, w, b), then its activation."""
    from onnx import TensorProto, helper, numpy_helper

    nodes, constants = [], []
    a = "x"
    for place, (w, b, name) in enumerate(zip(net.weights, net.biases, net.spec.activations, strict=True)):
        constants += [numpy_helper.from_array(w, f"w{place}"), numpy_helper.from_array(b, f"b{place}")]
        nodes.append(helper.make_node("Gemm", [a, f"w{place}", f"b{place}"], [f"z{place}"], transB=1))
        nodes.append(helper.make_node(OPERATORS[name], [f"z{place}"], [f"a{place}"]))
        a = f"a{place}"
    nodes[-1].output[0] = "out"
    kind = TensorProto.FLOAT if net.spec.dtype == "float32" else TensorProto.DOUBLE
    shapes = {name: [1, n] for name, n in (("x", net.sizes[0]), ("out", net.sizes[-1]))}
    x, out = (helper.make_tensor_value_info(name, kind, shape) for name, shape in shapes.items())
    graph = helper.make_graph(nodes, "fastbp", [x], [out], constants)
    opset = helper.make_opsetid("", OPSET)
    return helper.make_model(graph, ir_version=IR_VERSION, opset_imports=[opset]).SerializeToString()
