"""Static int8 quantisation: 24 MB of float weights become less than 7 MB.

Processors without VNNI multiply unsigned activations by signed weights in adjacent pairs and
keep each pair's sum in 16 bits: 255 * (127 + 127) does not fit and is cut off silently. So
each output channel of a dense product gets a scale at which no pair can reach that limit; the
depthwise convolutions sum in 32 bits and keep all 8.
"""

import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

QUANTISED = ["Conv", "Clip", "Add", "Pad", "Gemm"]
FLOAT = ["head", "evidence", "final.evidence"]  # tiny, and the scores hang on them
LARGEST_WEIGHT = 127
LARGEST_PAIR = 128  # 255 * 128 = 32640 fits into 16 bits


class Calibration(CalibrationDataReader):
    def __init__(self, inputs):
        self.rest = iter(inputs)

    def get_next(self):
        image = next(self.rest, None)
        return None if image is None else {"input": image[None]}


def channel_scales(weight):
    """The smallest scale of each output channel at which no adjacent pair saturates."""
    if weight.ndim == 4 and weight.shape[2] > 1:
        # How a larger kernel is laid out is the runtime's choice: assume the worst pair.
        rows = np.sort(np.abs(weight.reshape(len(weight), -1)), axis=1)
        pair = rows[:, -1] + rows[:, -2]
    else:
        rows = weight.reshape(len(weight), -1)
        pair = np.abs(rows.reshape(len(rows), -1, 2).sum(2)).max(1)
    largest = np.abs(rows).max(1)
    # Rounding moves each weight of a pair by up to half a step.
    return np.maximum(largest / LARGEST_WEIGHT, pair / (LARGEST_PAIR - 1)).astype(np.float32)


def dense_overrides(model):
    """Scales for every dense product's weights, in the quantiser's own terms."""
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    overrides = {}
    for node in model.graph.node:
        attributes = {a.name: a.i for a in node.attribute}
        if node.name in FLOAT or node.op_type not in ("Conv", "Gemm"):
            continue
        if node.op_type == "Conv" and attributes.get("group", 1) != 1:
            continue
        scales = channel_scales(numpy_helper.to_array(weights[node.input[1]]))
        overrides[node.input[1]] = [
            {
                "quant_type": QuantType.QInt8,
                "axis": 0,
                "scale": scale,
                "zero_point": np.int8(0),
            }
            for scale in scales
        ]
    return overrides


def quantise(model, inputs, output, saturating=False):
    """saturating=True keeps all 8 bits everywhere: for comparison only."""
    with tempfile.TemporaryDirectory() as folder:
        plain, prepared = Path(folder, "plain.onnx"), Path(folder, "prepared.onnx")
        onnx.save(model, plain)
        quant_pre_process(str(plain), str(prepared), skip_symbolic_shape=True)
        quantize_static(
            str(prepared),
            str(output),
            Calibration(inputs),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=QUANTISED,
            nodes_to_exclude=FLOAT,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
            extra_options={} if saturating else {"TensorQuantOverrides": dense_overrides(model)},
        )
