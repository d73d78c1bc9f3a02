"""A Piper voice in miniature: the real file's inputs and outputs, and a hum for a voice.

Each id sounds for 1,200 samples; what is heard depends on the id, and id 0 (the pad) is silent.
"""

import json
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

RATE = 22_050
SAMPLES_PER_ID = 1_200


def write_piper_voice(
    folder: Path, *, has_durations: bool = False, speakers: int = 1, language: str = "en-us"
) -> Path:
    """``tiny.onnx`` and its JSON; the path of the first."""
    symbols = ["_", "^", "$", " ", *".,!?;:", *"abdefhijklmnopstuvwzæðŋɐɑɔəɚɛɜɡɪɹʃʊʌʒθˈˌː"]
    ids = {symbol: [i] for i, symbol in enumerate(symbols)}
    path = folder / "tiny.onnx"
    onnx.save(_model(len(symbols), has_durations=has_durations, speakers=speakers), str(path))
    config = {
        "audio": {"sample_rate": RATE},
        "espeak": {"voice": language},
        "inference": {"noise_scale": 0.6, "length_scale": 1.0, "noise_w": 0.8},
        "num_symbols": len(symbols),
        "num_speakers": speakers,
        "phoneme_type": "espeak",
        "phoneme_id_map": ids,
        "speaker_id_map": {f"s{i}": i for i in range(speakers)} if speakers > 1 else {},
    }
    path.with_name("tiny.onnx.json").write_text(json.dumps(config), encoding="utf-8")
    return path


def _waves(symbols: int) -> NDArray[np.float32]:
    times = np.arange(SAMPLES_PER_ID) / RATE
    waves = [0.3 * np.sin(2 * np.pi * (150 + 12 * i) * times) for i in range(symbols)]
    waves[0] = np.zeros(SAMPLES_PER_ID)
    return np.array(waves, np.float32)


def _model(symbols: int, *, has_durations: bool, speakers: int) -> onnx.ModelProto:
    table = numpy_helper.from_array(_waves(symbols), "table")
    shape = numpy_helper.from_array(np.array([1, 1, 1, -1], np.int64), "shape")
    each = numpy_helper.from_array(np.array(float(SAMPLES_PER_ID), np.float32), "each")
    inputs = [
        helper.make_tensor_value_info("input", TensorProto.INT64, [1, None]),
        helper.make_tensor_value_info("input_lengths", TensorProto.INT64, [1]),
        helper.make_tensor_value_info("scales", TensorProto.FLOAT, [3]),
    ]
    if speakers > 1:
        inputs.append(helper.make_tensor_value_info("sid", TensorProto.INT64, [1]))
    nodes = [
        helper.make_node("Gather", ["table", "input"], ["rows"], axis=0),
        helper.make_node("Reshape", ["rows", "shape"], ["output"]),
    ]
    outputs = [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, 1, 1, None])]
    if has_durations:
        nodes += [
            helper.make_node("Cast", ["input"], ["numbers"], to=TensorProto.FLOAT),
            helper.make_node("Sub", ["numbers", "numbers"], ["zeros"]),
            helper.make_node("Add", ["zeros", "each"], ["durations"]),
        ]
        outputs.append(helper.make_tensor_value_info("durations", TensorProto.FLOAT, [1, None]))
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, [table, shape, each])
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 15)])
