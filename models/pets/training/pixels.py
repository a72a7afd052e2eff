"""Makes a model take pixels as they come out of a decoder: uint8, height by width by channel.

(x - 127) / 128 is what an 8-bit value with a scale of 1/128 and a zero point of 127 stands for.
So DequantizeLinear is all the normalisation there is, and in the int8 model even that goes when
the graph is optimised: its first convolution takes the pixels, and whoever runs it copies bytes.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from backbone import SIZE

SCALE, ZERO_POINT = np.float32(1 / 128), np.uint8(127)


def _without_quantisation(graph):
    """The nodes but those that quantise the input and back, and what they make of it: itself."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    nodes, copies = [], {"input"}
    for node in graph.node:
        if node.op_type == "QuantizeLinear" and node.input[0] == "input":
            scale, zero_point = (numpy_helper.to_array(constants[x]) for x in node.input[1:])
            if (scale, zero_point) != (SCALE, ZERO_POINT):
                raise ValueError(f"the input's scale is {scale}, not {SCALE}: pixels would change")
            copies.add(node.output[0])
        elif node.op_type == "DequantizeLinear" and node.input[0] in copies:
            copies.add(node.output[0])
        else:
            nodes.append(node)
    return nodes, copies


def take_pixels(model):
    """The same model for uint8 [N, 260, 260, 3] instead of float32 [N, 3, 260, 260]."""
    model = onnx.ModelProto.FromString(model.SerializeToString())
    graph = model.graph
    nodes, copies = _without_quantisation(graph)
    for node in nodes:
        # To the term for drawings the pixels' order is nothing, so it spares the transposition.
        values = "input.values" if node.op_type == "Conv" else "input.unordered"
        node.input[:] = [values if name in copies else name for name in node.input]
    used = {name for node in nodes for name in node.input}
    constants = [tensor for tensor in graph.initializer if tensor.name in used]
    constants.append(numpy_helper.from_array(SCALE, "input.scale"))
    constants.append(numpy_helper.from_array(ZERO_POINT, "input.zero"))
    first = [
        ("Transpose", ["input"], "input.planes", {"perm": [0, 3, 1, 2]}),
        ("DequantizeLinear", ["input.planes", "input.scale", "input.zero"], "input.values", {}),
        ("DequantizeLinear", ["input", "input.scale", "input.zero"], "input.unordered", {}),
    ]
    # Shapes of values between, too: some have another order now, and whoever runs it infers them.
    del graph.node[:], graph.input[:], graph.initializer[:], graph.value_info[:]
    graph.initializer.extend(constants)
    for op, inputs, output, attributes in first:
        graph.node.append(helper.make_node(op, inputs, [output], name=output, **attributes))
    graph.node.extend(nodes)
    graph.input.append(
        helper.make_tensor_value_info("input", TensorProto.UINT8, ["batch", SIZE, SIZE, 3])
    )
    onnx.checker.check_model(model)
    return model
