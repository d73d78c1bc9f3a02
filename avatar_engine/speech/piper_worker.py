"""The child process that holds a Piper voice: phoneme ids in on stdin, sound out on stdout.

It runs alone so that its network never holds up a frame, whatever it costs. Every frame on either
pipe is ``u32 length, payload`` (little endian). To the worker: ``u32 request, f32 noise,
f32 length, f32 width, i32 speaker, int64 ids``. From it: first ``u8 1 if the voice tells
durations``, then for each request ``A, u32 request, u32 samples, float32 samples, float32 duration
of each id``; or ``X`` and a failure in words.
"""

import os
import struct
import sys

_HEAD = struct.Struct("<Ifffi")


def main(arguments: list[str]) -> int:
    """Serve on stdin and stdout; the arguments are the ONNX file and its number of threads."""
    stdout = os.dup(1)
    os.dup2(2, 1)  # whatever the library prints must not land among our frames
    try:
        import numpy as np
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(arguments[1])
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        session = onnxruntime.InferenceSession(
            arguments[0], options, providers=["CPUExecutionProvider"]
        )
    except Exception as problem:  # noqa: BLE001 - told to the parent in words
        _send(stdout, b"X" + str(problem).encode())
        return 1
    inputs = {entry.name for entry in session.get_inputs()}
    _send(stdout, bytes([len(session.get_outputs()) > 1]))
    while (payload := _receive(0)) is not None:
        request, noise, length, width, speaker = _HEAD.unpack_from(payload)
        ids = np.frombuffer(payload, "<i8", offset=_HEAD.size)
        feed = {
            "input": ids[None],
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array([noise, length, width], np.float32),
        }
        if "sid" in inputs:
            feed["sid"] = np.array([speaker], np.int64)
        try:
            outputs = session.run(None, feed)
        except Exception as problem:  # noqa: BLE001
            _send(stdout, b"X" + str(problem).encode())
            continue
        sound = np.ascontiguousarray(outputs[0], np.float32).ravel()
        durations = np.zeros(0, np.float32)
        if len(outputs) > 1:
            durations = np.ascontiguousarray(outputs[1], np.float32).ravel()
        head = b"A" + struct.pack("<II", request, len(sound))
        _send(stdout, head + sound.tobytes() + durations.tobytes())
    return 0


def _send(where: int, payload: bytes) -> None:
    view = memoryview(struct.pack("<I", len(payload)) + payload)
    while view:
        view = view[os.write(where, view) :]


def _receive(where: int) -> bytes | None:
    head = _exactly(where, 4)
    return None if head is None else _exactly(where, struct.unpack("<I", head)[0])


def _exactly(where: int, count: int) -> bytes | None:
    data = b""
    while len(data) < count:
        piece = os.read(where, count - len(data))
        if not piece:
            return None
        data += piece
    return data


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
