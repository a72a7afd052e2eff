"""Measures a model on pictures: accuracy, one line of a confusion matrix for each label."""

import argparse
import json

import numpy as np

from features import predict
from pictures import LABELS, list_pictures


def confusion(truth, answers):
    table = np.zeros((3, 3), int)
    np.add.at(table, (truth, answers), 1)
    return table


def accuracy(truth, answers):
    table = confusion(truth, answers)
    return {
        "images": len(truth),
        "overall": round(float(np.trace(table) / table.sum()), 4),
        "perLabel": {
            label: round(float(row[i] / max(row.sum(), 1)), 4)
            for i, (label, row) in enumerate(zip(LABELS, table))
        },
        "confusion": table.tolist(),
    }


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--model", required=True)
    options.add_argument("--pictures", required=True, help="folder with dog/, cat/ and other/")
    options.add_argument("--threads", type=int, default=2)
    chosen = options.parse_args()
    pictures = list_pictures(chosen.pictures)
    truth = np.array([label for _, label in pictures])
    answers = predict(chosen.model, [path for path, _ in pictures], chosen.threads)[0].argmax(1)
    for (path, label), answer in zip(pictures, answers):
        if answer != label:
            print(f"  {LABELS[label]}/{path.name}: {LABELS[answer]}")
    print(json.dumps(accuracy(truth, answers)))


if __name__ == "__main__":
    main()
