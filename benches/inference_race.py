"""The Python side of `cargo xtask bench browser` and `bench native`.

`inference_race.py export MODEL FOLDER` writes the network of a model file for other engines, as
printed and without dead columns: `GRAPH.onnx`, and the plain numbers as `weights.bin` with
`layers.json`. `reference FOLDER` embeds `inputs.bin` in double precision into `reference.json`.
`onnxruntime FOLDER GRAPH THREADS` embeds them once for each line on standard input and answers with
the milliseconds an image; the batch is the number on that line.
"""

import json
import pathlib
import sys
import time

import numpy as np
from safetensors.numpy import load_file

SIDE, CHANNELS = 128, 3

# Kernel, stride and padding of the eleven convolutions as printed, height x width.
TABLE_1 = [
    ((5, 5), 1, (2, 2)), ((2, 1), 2, (0, 0)), ((5, 5), 1, (2, 2)), ((2, 1), 2, (0, 0)),
    ((5, 5), 1, (2, 2)), ((2, 1), 2, (0, 0)), ((5, 3), 1, (2, 1)), ((2, 1), 2, (0, 0)),
    ((5, 5), 1, (2, 2)), ((2, 2), 2, (0, 0)), ((5, 5), 1, (2, 2)),
]  # fmt: skip
DENSE = 4
GRAPHS = {"printed": True, "without-dead-columns": False}


def geometry(dead_columns):
    """Strides and paddings; without dead columns the layer before a 2x1 kernel skips them."""
    layers = [[[stride, stride], list(padding)] for _, stride, padding in TABLE_1]
    if not dead_columns:
        for i, (kernel, _, _) in enumerate(TABLE_1):
            if kernel == (2, 1):
                layers[i - 1][0][1] = 2
                layers[i][0][1] = 1
    return layers


def read_weights(model):
    """The tensors of the network as f32, by name."""
    names = [f"conv{i + 1}" for i in range(len(TABLE_1))] + [f"dense{i + 1}" for i in range(DENSE)]
    tensors = load_file(model)
    return {
        f"{name}.{part}": tensors[f"embedder.{name}.{part}"].astype(np.float32)
        for name in names
        for part in ("weight", "bias")
    }


def onnx_model(weights, dead_columns):
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, last = [], "images"
    for i, (stride, padding) in enumerate(geometry(dead_columns), start=1):
        down, across = padding
        parameters = [f"conv{i}.weight", f"conv{i}.bias"]
        pads = [down, across, down, across]
        conv = helper.make_node(
            "Conv", [last, *parameters], [f"conv{i}"], strides=stride, pads=pads
        )
        nodes += [conv, helper.make_node("Relu", [f"conv{i}"], [f"relu{i}"])]
        last = f"relu{i}"
    nodes.append(helper.make_node("GlobalAveragePool", [last], ["pooled"]))
    nodes.append(helper.make_node("Flatten", ["pooled"], ["mean"], axis=1))
    last = "mean"
    for i in range(1, DENSE + 1):
        parameters = [f"dense{i}.weight", f"dense{i}.bias"]
        nodes.append(helper.make_node("Gemm", [last, *parameters], [f"dense{i}"], transB=1))
        last = f"dense{i}"
        if i < DENSE:
            nodes.append(helper.make_node("Relu", [last], [f"{last}.relu"]))
            last = f"{last}.relu"
    nodes.append(helper.make_node("LpNormalization", [last], ["embeddings"], axis=1, p=2))
    float32 = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "embedder",
        [helper.make_tensor_value_info("images", float32, ["batch", CHANNELS, SIDE, SIDE])],
        [helper.make_tensor_value_info("embeddings", float32, ["batch", 128])],
        [numpy_helper.from_array(tensor, name) for name, tensor in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def export(model, folder):
    weights = read_weights(model)
    for graph, dead_columns in GRAPHS.items():
        (folder / f"{graph}.onnx").write_bytes(onnx_model(weights, dead_columns))
    layers = {
        "tensors": [[name, list(tensor.shape)] for name, tensor in weights.items()],
        "geometry": {graph: geometry(dead_columns) for graph, dead_columns in GRAPHS.items()},
    }
    (folder / "layers.json").write_text(json.dumps(layers))
    (folder / "weights.bin").write_bytes(b"".join(t.tobytes() for t in weights.values()))
    np.savez(folder / "weights.npz", **weights)


def convolve(x, weight, bias, stride, padding):
    """`[in, height, width]` to `[out, height, width]`, in the precision of `x`."""
    _, _, height, width = weight.shape
    x = np.pad(x, ((0, 0), (padding[0],) * 2, (padding[1],) * 2))
    windows = np.lib.stride_tricks.sliding_window_view(x, (height, width), axis=(1, 2))
    windows = windows[:, :: stride[0], :: stride[1]]
    y = np.tensordot(weight.astype(x.dtype), windows, axes=([1, 2, 3], [0, 3, 4]))
    return np.maximum(y + bias[:, None, None], 0)


def embed(weights, image):
    x = image.astype(np.float64)
    for i, (stride, padding) in enumerate(geometry(dead_columns=True), start=1):
        x = convolve(x, weights[f"conv{i}.weight"], weights[f"conv{i}.bias"], stride, padding)
    x = x.mean(axis=(1, 2))
    for i in range(1, DENSE + 1):
        x = weights[f"dense{i}.weight"].astype(np.float64) @ x + weights[f"dense{i}.bias"]
        x = np.maximum(x, 0) if i < DENSE else x
    return x / np.linalg.norm(x)


def read_inputs(folder):
    inputs = np.fromfile(folder / "inputs.bin", dtype=np.float32)
    return inputs.reshape(-1, CHANNELS, SIDE, SIDE)


def reference(folder):
    weights = np.load(folder / "weights.npz")
    weights = {name: weights[name] for name in weights.files}
    embeddings = [embed(weights, image).tolist() for image in read_inputs(folder)[:2]]
    (folder / "reference.json").write_text(json.dumps(embeddings))


def run_onnxruntime(folder, graph, threads):
    import onnxruntime

    started = time.perf_counter()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        folder / f"{graph}.onnx", options, providers=["CPUExecutionProvider"]
    )
    images = read_inputs(folder)

    def run(batch):
        before = time.perf_counter()
        embeddings = session.run(None, {"images": images[:batch]})[0]
        return embeddings, 1000 * (time.perf_counter() - before) / batch

    embeddings = [run(1)[0][0].tolist()]
    first = 1000 * (time.perf_counter() - started)
    embeddings.append(session.run(None, {"images": images[1:2]})[0][0].tolist())
    print(json.dumps({"first_ms": first, "embeddings": embeddings}), flush=True)
    for line in sys.stdin:
        print(json.dumps({"ms": run(int(line))[1]}), flush=True)


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "export":
        export(*map(pathlib.Path, arguments))
    elif command == "reference":
        reference(pathlib.Path(arguments[0]))
    elif command == "onnxruntime":
        run_onnxruntime(pathlib.Path(arguments[0]), arguments[1], int(arguments[2]))
    else:
        sys.exit(__doc__)
