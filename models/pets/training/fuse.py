"""Adds the trained head to the backbone's graph: input -> scores and logits."""

import numpy as np

from backbone import build_backbone
from head import CATS, DOGS, REST, TRUST

# A line drawing, a silhouette or a page of text is no photograph, though ImageNet's classes call
# many of them a dog. Where more than PURE_SHARE of the values are nearly black or nearly white,
# 'other' gains PURE_WEIGHT for each further part; no held-out dog or cat has more than 0.66.
PURE_LEVEL = 0.9
PURE_SHARE = 0.93
PURE_WEIGHT = 200


def fused_model(weights, a, c):
    graph = build_backbone(weights)
    parts = []
    for name, group in (("dogs", DOGS), ("cats", CATS), ("rest", REST)):
        graph.constant(f"{name}.classes", group.astype(np.int64))
        graph.add("Gather", ["logits", f"{name}.classes"], f"{name}.logits", axis=1)
        parts.append(
            graph.add("ReduceLogSumExp", [f"{name}.logits"], f"{name}.sum", axes=[1], keepdims=1)
        )
    graph.add("Concat", parts, "summary", axis=1)
    graph.constant("trust", np.float32(TRUST))
    graph.add("Mul", ["summary", "trust"], "trusted")
    graph.constant("head.weight", a)
    graph.constant("head.bias", c)
    graph.add("Gemm", ["features", "head.weight", "head.bias"], "head", transB=1)
    graph.add("Add", ["trusted", "head"], "evidence")
    _add_drawing_term(graph)
    graph.add("Softmax", ["final.evidence"], "scores", axis=1)
    return graph.model([("scores", 3), ("logits", 1000)])


def _add_drawing_term(graph):
    graph.constant("pure.level", np.float32(PURE_LEVEL))
    graph.constant("pure.share", np.float32(PURE_SHARE))
    graph.constant("pure.weights", np.array([[0, 0, PURE_WEIGHT]], np.float32))
    graph.add("Abs", ["input"], "pure.distance")
    graph.add("Greater", ["pure.distance", "pure.level"], "pure.values")
    graph.add("Cast", ["pure.values"], "pure.ones", to=1)
    graph.add("Flatten", ["pure.ones"], "pure.flat", axis=1)
    graph.add("ReduceMean", ["pure.flat"], "pure.found", axes=[1], keepdims=1)
    graph.add("Sub", ["pure.found", "pure.share"], "pure.above")
    graph.add("Relu", ["pure.above"], "pure.excess")
    graph.add("Mul", ["pure.excess", "pure.weights"], "pure.evidence")
    graph.add("Add", ["evidence", "pure.evidence"], "final.evidence")
