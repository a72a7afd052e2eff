"""Builds the model: weights -> backbone -> features -> head -> fused graph -> int8 -> pixels in -> accuracy."""

import argparse
import json
from pathlib import Path

import numpy as np
import onnx

import head
from backbone import backbone_model
from evaluate import accuracy
from features import extract, predict
from fuse import fused_model
from pictures import LABELS, list_pictures, name_order, open_picture, split, to_input
from pixels import take_pixels
from quantise import quantise
from weights import published_weights

CALIBRATION_EACH = 65


def train_head(features, logits, truth, chosen):
    views = len(features)
    return head.train(
        features[:, chosen].reshape(-1, features.shape[2]),
        logits[:, chosen].reshape(-1, logits.shape[2]),
        np.tile(truth[chosen], views),
    )


def calibration(pictures, names, truth, chosen):
    """The same number of training pictures of each label, picked by their names' hashes."""
    picked = []
    for label in range(len(LABELS)):
        candidates = np.flatnonzero(chosen & (truth == label))
        picked += sorted(candidates, key=lambda i: name_order(names[i]))[:CALIBRATION_EACH]
    return [to_input(open_picture(pictures[i][0])) for i in picked]


def build(folder, out, threads):
    """Writes float.onnx, model.onnx, held-out.txt and accuracy.json into the folder `out`."""
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    pictures = list_pictures(folder)
    truth = np.array([label for _, label in pictures])
    names = [f"{LABELS[label]}/{path.name}" for path, label in pictures]
    weights = published_weights()

    print(f"features of {len(pictures)} pictures", flush=True)
    backbone = backbone_model(weights).SerializeToString()
    features, logits, prints = extract(backbone, pictures, LABELS, threads)
    held_out = split(names, prints)
    print(f"head, trained on {(~held_out).sum()} pictures, {held_out.sum()} held out", flush=True)
    a, c = train_head(features, logits, truth, ~held_out)
    model = fused_model(weights, a, c)
    onnx.save(take_pixels(model), out / "float.onnx")

    print("quantisation", flush=True)
    quantise(model, calibration(pictures, names, truth, ~held_out), out / "model.onnx")
    onnx.save(take_pixels(onnx.load(out / "model.onnx")), out / "model.onnx")

    tested = np.flatnonzero(held_out)
    (out / "held-out.txt").write_text("".join(f"{names[i]}\n" for i in tested))
    measured = {}
    for name in ("float.onnx", "model.onnx"):
        print(f"accuracy of {name} on the held-out pictures", flush=True)
        scores, _ = predict(out / name, [pictures[i][0] for i in tested], threads)
        measured[name] = accuracy(truth[tested], scores.argmax(1))
    (out / "accuracy.json").write_text(json.dumps(measured, indent=2) + "\n")
    print(json.dumps(measured))


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pictures", required=True, help="folder with dog/, cat/ and other/")
    options.add_argument("--out", default="build")
    options.add_argument("--threads", type=int, default=2)
    chosen = options.parse_args()
    build(chosen.pictures, chosen.out, chosen.threads)


if __name__ == "__main__":
    main()
