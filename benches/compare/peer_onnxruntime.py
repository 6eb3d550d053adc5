"""onnxruntime, which runs a network that another library has trained."""

import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from benches.compare import peer


def model(case, problem):
    """Build the network as ONNX describes it."""
    nodes, constants, name = [], [], "X"
    for k, (W, b) in enumerate(zip(problem.weights, problem.biases, strict=True)):
        if k > 0:
            nodes.append(helper.make_node("Relu", [name], [f"H{k}"]))
            name = f"H{k}"
        constants += [numpy_helper.from_array(W, f"W{k}"), numpy_helper.from_array(b, f"b{k}")]
        nodes.append(helper.make_node("Gemm", [name, f"W{k}", f"b{k}"], [f"Z{k}"]))
        name = f"Z{k}"
    nodes.append(helper.make_node("Softmax", [name], ["P"], axis=1))
    ends = (case.layer_sizes[0], case.layer_sizes[-1])
    X, P = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", d])
        for name, d in zip("XP", ends, strict=True)
    )
    graph = helper.make_graph(nodes, "mlp", [X], [P], constants)
    # Versions that both libraries have long known.
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])


class Predictor(peer.Predictor):
    """One network that predicts."""

    name = "onnxruntime"

    def __init__(self, case, problem, threads):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            model(case, problem).SerializeToString(), options, providers=["CPUExecutionProvider"]
        )

    def predict_proba(self, X):
        """Compute the probabilities of the classes."""
        return self.session.run(None, {"X": X})[0]
