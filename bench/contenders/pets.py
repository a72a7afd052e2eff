"""The model that Gantry runs, from the same files, prepared as its manifest says. The contenders share it."""

import io
import json
from pathlib import Path

import numpy
import onnxruntime
from PIL import Image

FOLDER = Path(__file__).parents[2] / "models" / "pets"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text())
MEAN, STD = (numpy.array(MANIFEST["preprocess"][key], numpy.float32) for key in ("mean", "std"))
# Normalisation and layout are the model's own business then.
TAKES_PIXELS = MANIFEST["input"]["type"] == "uint8" and MANIFEST["input"]["layout"] == "NHWC"


def tensor_of(image: Image.Image) -> numpy.ndarray:
    shorter, crop = MANIFEST["preprocess"]["resize"]["shorterSide"], MANIFEST["preprocess"]["crop"]
    scale = shorter / min(image.size)
    width, height = (int(side * scale) for side in image.size)
    left, top = round((width - crop["width"]) / 2), round((height - crop["height"]) / 2)
    resized = image.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    cropped = resized.crop((left, top, left + crop["width"], top + crop["height"]))
    pixels = numpy.asarray(cropped)
    return pixels if TAKES_PIXELS else ((pixels.astype(numpy.float32) - MEAN) / STD).transpose(2, 0, 1)


def tensor_of_bytes(content: bytes) -> numpy.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        return tensor_of(image)


class Pets:
    def __init__(self) -> None:
        # One thread a process and a process a core. More threads would fight over the cores:
        # https://onnxruntime.ai/docs/performance/tune-performance/threading.html
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        model = str(FOLDER / MANIFEST["file"])
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def labels(self, tensors: list[numpy.ndarray]) -> list[str]:
        output = MANIFEST["outputs"]["scores"]
        (scores,) = self.session.run([output["name"]], {MANIFEST["input"]["name"]: numpy.stack(tensors)})
        return [output["labels"][index] for index in scores.argmax(axis=1)]
