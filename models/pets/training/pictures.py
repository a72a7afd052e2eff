"""Finds the pictures, splits them and turns one into the model's input."""

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

LABELS = ["dog", "cat", "other"]
SHORTER_SIDE = 297
CROP = 260
HELD_OUT_PERCENT = 20
NEAR_DUPLICATE_BITS = 6
LIGHT = [
    (ImageEnhance.Brightness, 0.3),
    (ImageEnhance.Contrast, 0.3),
    (ImageEnhance.Color, 0.4),
]
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp", ".avif"}


def list_pictures(folder):
    """Returns [(path, label index)] of dog/, cat/ and other/, in a fixed order."""
    found = []
    for index, label in enumerate(LABELS):
        paths = sorted(p for p in Path(folder, label).iterdir() if p.suffix.lower() in SUFFIXES)
        found += [(path, index) for path in paths]
    return found


def open_picture(path):
    """Upright, RGB, transparent parts on white: what the product's decoder does."""
    image = ImageOps.exif_transpose(Image.open(path))
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image, np.float64) / 257).round().astype("u1"))
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def to_pixels(image, mirror=False):
    """uint8 [260, 260, 3], as the finished model takes it."""
    width, height = image.size
    scale = SHORTER_SIDE / min(width, height)
    size = [max(SHORTER_SIDE, round(side * scale)) for side in (width, height)]
    image = image.resize(size, Image.Resampling.BICUBIC)
    left, top = [(side - CROP) // 2 for side in size]
    image = image.crop((left, top, left + CROP, top + CROP))
    if mirror:
        image = ImageOps.mirror(image)
    return np.asarray(image)


def to_input(image, mirror=False):
    """float32 [3, 260, 260], as the backbone takes it."""
    pixels = (to_pixels(image, mirror).astype(np.float32) - 127) / 128
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def fingerprint(image):
    """64 bits that near-duplicates share: is each cell brighter than its right neighbour?"""
    grey = np.asarray(image.convert("L").resize((9, 8), Image.Resampling.BOX), np.int16)
    return (grey[:, 1:] > grey[:, :-1]).ravel()


def name_order(name):
    """Orders by a hash of the name: fixed, and unrelated to what the picture shows."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def split(names, fingerprints):
    """Returns a boolean array, true = held out. Near-duplicates share one side.

    The side follows from the file name alone, so adding pictures moves no other picture
    (except into a group of near-duplicates, which takes the side of its first name).
    """
    bits = np.asarray(fingerprints, np.int16)
    owner = np.arange(len(names))
    for i in range(len(names)):
        near = np.flatnonzero((bits[: i + 1] != bits[i]).sum(1) <= NEAR_DUPLICATE_BITS)
        owner[np.isin(owner, owner[near])] = owner[near].min()
    return np.array([name_order(names[group]) % 100 < HELD_OUT_PERCENT for group in owner])


def varied(image, name, count):
    """count partial views: a quarter to all of the picture, other light, perhaps mirrored.
    The file's name is the seed."""
    random = np.random.default_rng(name_order(name) % 2**32)
    return [_vary(image, random) for _ in range(count)]


def _vary(image, random):
    share, stretch = np.sqrt(random.uniform(0.25, 1)), np.exp(random.uniform(-0.2, 0.2))
    width = int(min(image.width, image.width * share * stretch))
    height = int(min(image.height, image.height * share / stretch))
    left = int(random.integers(0, image.width - width + 1))
    top = int(random.integers(0, image.height - height + 1))
    view = image.crop((left, top, left + width, top + height))
    for enhance, reach in LIGHT:
        view = enhance(view).enhance(random.uniform(1 - reach, 1 + reach))
    return to_input(view, mirror=random.random() < 0.5)
