"""EfficientNet-Lite2 as an ONNX graph: input -> features [N,1280] and logits [N,1000].

Every size comes from the weights; only the stages' repeats and strides are written here.
Batch normalisation is folded into the convolutions, so the quantiser sees what will run.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE = 260
OPSET = 17
NORM_EPSILON = 1e-3
STAGES = [(1, 1), (3, 2), (3, 2), (4, 2), (4, 1), (5, 2), (1, 1)]  # (blocks, stride of the first)


class Graph:
    def __init__(self):
        self.nodes, self.initializers = [], []

    def constant(self, name, array):
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, op, inputs, output, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, **attributes))
        return output

    def model(self, outputs):
        image = helper.make_tensor_value_info(
            "input", TensorProto.FLOAT, ["batch", 3, SIZE, SIZE]
        )
        results = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])
            for name, width in outputs
        ]
        graph = helper.make_graph(self.nodes, "pets", [image], results, self.initializers)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8
        )
        onnx.checker.check_model(model)
        return model


def same_padding(size, kernel, stride):
    """TensorFlow's SAME: the odd pixel goes to the right and to the bottom."""
    total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
    return [total // 2, total // 2, total - total // 2, total - total // 2]


def build_backbone(weights):
    graph = Graph()
    graph.constant("zero", np.float32(0))
    graph.constant("six", np.float32(6))

    def conv(x, name, conv_key, norm_key, size, stride=1, relu6=True):
        kernel = weights[f"{conv_key}.weight"]
        scale = weights[f"{norm_key}.weight"] / np.sqrt(
            weights[f"{norm_key}.running_var"] + NORM_EPSILON
        )
        bias = weights[f"{norm_key}.bias"] - weights[f"{norm_key}.running_mean"] * scale
        depthwise = kernel.shape[1] == 1 and kernel.shape[2] > 1
        inputs = [
            x,
            graph.constant(f"{name}.weight", (kernel * scale[:, None, None, None]).astype("f4")),
            graph.constant(f"{name}.bias", bias.astype("f4")),
        ]
        y = graph.add(
            "Conv",
            inputs,
            f"{name}.conv",
            kernel_shape=kernel.shape[2:],
            strides=[stride, stride],
            pads=same_padding(size, kernel.shape[2], stride),
            group=kernel.shape[0] if depthwise else 1,
        )
        return graph.add("Clip", [y, "zero", "six"], f"{name}.relu6") if relu6 else y

    size = SIZE
    x = conv("input", "stem", "_conv_stem", "_bn0", size, stride=2)
    size = -(-size // 2)
    index = 0
    for blocks, first_stride in STAGES:
        for repeat in range(blocks):
            stride = first_stride if repeat == 0 else 1
            key, name, skip = f"_blocks.{index}", f"block{index}", x
            if f"{key}._expand_conv.weight" in weights:
                x = conv(x, f"{name}.expand", f"{key}._expand_conv", f"{key}._bn0", size)
            x = conv(
                x, f"{name}.depthwise", f"{key}._depthwise_conv", f"{key}._bn1", size, stride
            )
            size = -(-size // stride)
            x = conv(
                x, f"{name}.project", f"{key}._project_conv", f"{key}._bn2", size, relu6=False
            )
            if stride == 1 and repeat > 0:
                x = graph.add("Add", [x, skip], f"{name}.add")
            index += 1
    x = conv(x, "top", "_conv_head", "_bn1", size)
    x = graph.add("GlobalAveragePool", [x], "pooled")
    x = graph.add("Flatten", [x], "features", axis=1)
    graph.constant("classifier.weight", weights["_fc.weight"])
    graph.constant("classifier.bias", weights["_fc.bias"])
    graph.add("Gemm", [x, "classifier.weight", "classifier.bias"], "logits", transB=1)
    return graph


def backbone_model(weights):
    return build_backbone(weights).model([("features", 1280), ("logits", 1000)])
