"""Compares a built model with the committed one on the held-out pictures.

Exit code 1 if fewer than 99.5 % of the labels agree or the scores differ by more than 0.01 on
average. (The files are not compared byte by byte: sums differ between processors.)
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from features import predict

COMMITTED = Path(__file__).resolve().parent.parent / "model.onnx"
LEAST_AGREEMENT = 0.995
LARGEST_MEAN_DIFFERENCE = 0.01


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--pictures", required=True, help="folder with dog/, cat/ and other/")
    options.add_argument("--built", default="build", help="the folder build.py wrote")
    options.add_argument("--committed", default=COMMITTED)
    options.add_argument("--threads", type=int, default=2)
    chosen = options.parse_args()
    names = Path(chosen.built, "held-out.txt").read_text().split("\n")[:-1]
    paths = [Path(chosen.pictures, name) for name in names]
    ours, _ = predict(Path(chosen.built, "model.onnx"), paths, chosen.threads)
    theirs, _ = predict(chosen.committed, paths, chosen.threads)
    agreement = float((ours.argmax(1) == theirs.argmax(1)).mean())
    difference = float(np.abs(ours - theirs).mean())
    print(f"{len(paths)} pictures: {agreement:.2%} same label, scores differ by {difference:.5f}")
    sys.exit(0 if agreement >= LEAST_AGREEMENT and difference <= LARGEST_MEAN_DIFFERENCE else 1)


if __name__ == "__main__":
    main()
