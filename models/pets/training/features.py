"""Runs models over pictures: the backbone for what the head learns from, the result to judge it."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime as ort

from pictures import fingerprint, open_picture, to_input, to_pixels, varied

VARIED = 2


def session(model):
    """One thread in each run, so that no sum depends on how many threads there are."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    data = model if isinstance(model, bytes) else str(model)
    return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def each(work, items, threads):
    """Like map, on several threads, with a line of progress; the order stays."""
    found = []
    with ThreadPoolExecutor(threads) as pool:
        for result in pool.map(work, items):
            found.append(result)
            if len(found) % 250 == 0:
                print(f"  {len(found)}/{len(items)}", flush=True)
    return found


def extract(model, pictures, labels, threads):
    """Features [view, picture, 1280] and logits [view, picture, 1000] of the picture, its
    mirror image and its varied views; and the pictures' fingerprints."""
    running = session(model)

    def one(picture):
        path, label = picture
        image = open_picture(path)
        views = [to_input(image), to_input(image, mirror=True)]
        views += varied(image, f"{labels[label]}/{path.name}", VARIED)
        return running.run(["features", "logits"], {"input": np.stack(views)}), fingerprint(image)

    found = each(one, pictures, threads)
    features = np.stack([outputs[0] for outputs, _ in found], 1)
    logits = np.stack([outputs[1] for outputs, _ in found], 1)
    return features, logits, np.array([prints for _, prints in found])


def predict(model, paths, threads):
    """The finished model's scores and logits for pictures."""
    running = session(model)

    def one(path):
        pixels = to_pixels(open_picture(path))
        return running.run(["scores", "logits"], {"input": pixels[None]})

    found = each(one, paths, threads)
    return tuple(np.concatenate(arrays) for arrays in zip(*found))
