"""PyTorch's side of `cargo xtask bench train`: `training_race.py FOLDER printed|without-dead-columns`.

Trains the network of Table 1 from the weights and on the batches that FOLDER holds, with the
semi-hard triplet loss and AdaGrad of preset `paper`. Takes one step for each line on standard input
and answers with its loss and seconds as a line of JSON; at the end with its peak memory.
"""

import json
import os
import pathlib
import resource
import sys
import time

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

# Kernel, stride and padding of the eleven convolutions as printed, height x width.
TABLE_1 = [
    ((5, 5), 1, (2, 2)), ((2, 1), 2, (0, 0)), ((5, 5), 1, (2, 2)), ((2, 1), 2, (0, 0)),
    ((5, 5), 1, (2, 2)), ((2, 1), 2, (0, 0)), ((5, 3), 1, (2, 1)), ((2, 1), 2, (0, 0)),
    ((5, 5), 1, (2, 2)), ((2, 2), 2, (0, 0)), ((5, 5), 1, (2, 2)),
]  # fmt: skip
DENSE = 4


def geometry(dead_columns):
    """Strides and paddings; without dead columns the layer before a 2x1 kernel skips them."""
    layers = [[[stride, stride], padding] for _, stride, padding in TABLE_1]
    if not dead_columns:
        for i, (kernel, _, _) in enumerate(TABLE_1):
            if kernel == (2, 1):
                layers[i - 1][0][1] = 2
                layers[i][0][1] = 1
    return layers


def embed(weights, layers, x):
    for i, (stride, padding) in enumerate(layers, start=1):
        x = F.conv2d(x, weights[f"conv{i}.weight"], weights[f"conv{i}.bias"], stride, padding)
        x = F.relu(x, inplace=True)
    x = x.mean(dim=(2, 3))
    for i in range(1, DENSE + 1):
        x = F.linear(x, weights[f"dense{i}.weight"], weights[f"dense{i}.bias"])
        x = F.relu(x) if i < DENSE else x
    return F.normalize(x)


def triplet_loss(embeddings, mitotic, margin):
    """Mean over the semi-hard triplets (Eq. 1 and 2); the batch's first cells are mitotic."""
    distances = (embeddings[:mitotic, None] - embeddings[None]).square().sum(-1)
    positive, negative = distances[:, :mitotic, None], distances[:, None, mitotic:]
    others = ~torch.eye(mitotic, dtype=torch.bool)[:, :, None]
    active = others & (negative - positive < margin) & (positive < negative)
    losses = positive - negative + margin
    return losses[active].mean() if active.any() else None


def main(folder, form):
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    plan = json.loads((folder / "plan.json").read_text())
    weights = load_file(folder / "weights.safetensors")
    weights = {name: tensor.requires_grad_() for name, tensor in weights.items()}
    batches = load_file(folder / "batches.safetensors")["images"]
    layers = geometry(dead_columns=form == "printed")
    optimiser = torch.optim.Adagrad(weights.values(), lr=plan["rate"], eps=plan["epsilon"])
    for images, _ in zip(batches, sys.stdin):
        start = time.perf_counter()
        images = images[:, None].repeat(1, 3, 1, 1)
        loss = triplet_loss(embed(weights, layers, images), plan["mitotic"], plan["margin"])
        if loss is not None:
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        value = loss.item() if loss is not None else 0.0
        print(json.dumps({"loss": value, "seconds": time.perf_counter() - start}), flush=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"peak_mib": peak}), flush=True)


main(pathlib.Path(sys.argv[1]), sys.argv[2])
