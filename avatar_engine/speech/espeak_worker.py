"""The child process that holds espeak-ng: text in on stdin, sound and events out on stdout.

It runs alone because the library keeps global state, may crash on odd text, and is under the GPL;
our side of the pipe never loads it. Only a few standard modules are imported, so that it starts in
about 15 ms. Every frame on either pipe is ``u32 length, u8 kind, payload`` (little endian).

To the worker:
    ``S`` speak: u32 id, u16 words per minute, u16 pitch, u16 pitch range, u8 pause at the end,
    u8 length of the voice's name, name, text; ``L`` list voices; ``C`` stop speaking.
    *Any* frame that arrives while it speaks stops the sentence.
From the worker:
    ``R`` ready: u32 sample rate, version; ``A`` audio: u32 id, u16 events, events, int16 samples;
    ``E`` end: u32 id, u8 1 when stopped early; ``V`` voices, one per line;
    ``X`` a failure in words.
    An event is u8 kind (``w`` word, ``p`` phoneme), u32 sample, u32 text position, u16 length in
    characters, u8 bytes, then the phoneme in IPA.
"""

import ctypes
import os
import select
import signal
import struct
import sys

_SYNCHRONOUS = 2  # AUDIO_OUTPUT_SYNCHRONOUS: samples by callback before espeak_Synth returns
_PHONEME_EVENTS_IN_IPA = 1 | 2
_BUFFER_MS = 20  # samples per callback, so that stopping and the first sound take no longer
_UTF8, _END_PAUSE = 1, 0x1000
_EVENT_END, _EVENT_WORD, _EVENT_PHONEME = 0, 1, 7
_RATE, _PITCH, _RANGE = 1, 3, 4
_PARENT_CHECK_S = 5.0


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("kind", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
    )


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


class Worker:
    """One espeak-ng, spoken to over two file descriptors."""

    def __init__(self, library_path: str, data_path: str, stdin: int, stdout: int) -> None:
        self._stdin, self._stdout = stdin, stdout
        self._parent = os.getppid()
        self._utterance = 0
        self._stopped = False
        self._voice = b""
        self._library = ctypes.CDLL(library_path)
        self._library.espeak_Synth.argtypes = (
            ctypes.c_char_p,
            ctypes.c_size_t,
            ctypes.c_uint,
            ctypes.c_int,
            ctypes.c_uint,
            ctypes.c_uint,
            ctypes.c_void_p,
            ctypes.c_void_p,
        )
        self._library.espeak_Info.restype = ctypes.c_char_p
        self._library.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        rate = self._library.espeak_Initialize(
            _SYNCHRONOUS, _BUFFER_MS, data_path.encode(), _PHONEME_EVENTS_IN_IPA
        )
        if rate <= 0:
            raise OSError(f"espeak-ng found no voice data in {data_path}")
        self._callback = _CALLBACK(self._on_sound)  # kept: the library holds only its address
        self._library.espeak_SetSynthCallback(self._callback)
        version = self._library.espeak_Info(None) or b""
        self._send(b"R", struct.pack("<I", rate) + version)

    def serve(self) -> None:
        """Answer requests until the parent closes the pipe or is gone."""
        while True:
            while not select.select([self._stdin], [], [], _PARENT_CHECK_S)[0]:
                # A fork of the parent may hold the pipe open after the parent's death.
                if os.getppid() != self._parent:
                    return
            frame = self._receive()
            if frame is None:
                return
            kind, payload = frame[:1], frame[1:]
            if kind == b"S":
                self._speak(payload)
            elif kind == b"L":
                self._send(b"V", "\n".join(self._voices()).encode())

    def _speak(self, payload: bytes) -> None:
        head = struct.Struct("<IHHHBB")
        self._utterance, rate, pitch, pitch_range, has_pause, n = head.unpack_from(payload)
        voice, text = payload[head.size : head.size + n], payload[head.size + n :]
        self._stopped = False
        if voice != self._voice:
            if self._library.espeak_SetVoiceByName(voice) != 0:
                self._send(b"X", f"espeak-ng has no voice {voice.decode()!r}".encode())
                return
            self._voice = voice
        for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, pitch_range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        flags = _UTF8 | (_END_PAUSE if has_pause else 0)
        status = self._library.espeak_Synth(text, len(text) + 1, 0, 1, 0, flags, None, None)
        if status != 0 and not self._stopped:
            self._send(b"X", f"espeak-ng could not speak (status {status})".encode())
            return
        self._send(b"E", struct.pack("<IB", self._utterance, self._stopped))

    def _on_sound(self, samples: int | None, count: int, events: "ctypes._Pointer[_Event]") -> int:
        try:
            return self._pass_on(samples, count, events)
        except OSError:
            os._exit(0)  # the parent is gone; an exception cannot cross the library

    def _pass_on(self, samples: int | None, count: int, events: "ctypes._Pointer[_Event]") -> int:
        if select.select([self._stdin], [], [], 0)[0]:
            self._stopped = True
            return 1
        packed = []
        i = 0
        while (event := events[i]).kind != _EVENT_END:
            i += 1
            if event.kind == _EVENT_WORD:
                kind, symbol = b"w", b""
            elif event.kind == _EVENT_PHONEME:
                kind, symbol = b"p", bytes(event.id.string)
            else:
                continue
            place = (kind, event.sample, max(event.text_position, 0), event.length, len(symbol))
            packed.append(struct.pack("<cIIHB", *place) + symbol)
        if samples is None and not packed:
            return 0
        pcm = ctypes.string_at(samples, 2 * count) if samples and count > 0 else b""
        head = struct.pack("<IH", self._utterance, len(packed))
        self._send(b"A", head + b"".join(packed) + pcm)
        return 0

    def _voices(self) -> list[str]:
        """``language<tab>name<tab>identifier``, a line for each language of each voice."""
        lines = []
        voices = self._library.espeak_ListVoices(None)
        i = 0
        while voices[i]:
            voice = voices[i].contents
            i += 1
            address = voice.languages
            while ctypes.string_at(address, 1) != b"\0":  # a priority byte, then the name
                language = ctypes.string_at(address + 1)
                lines.append("\t".join(map(_decoded, (language, voice.name, voice.identifier))))
                address += len(language) + 2
        return lines

    def _send(self, kind: bytes, payload: bytes) -> None:
        view = memoryview(struct.pack("<I", len(payload) + 1) + kind + payload)
        while view:
            view = view[os.write(self._stdout, view) :]

    def _receive(self) -> bytes | None:
        head = self._read_exactly(4)
        return None if head is None else self._read_exactly(struct.unpack("<I", head)[0])

    def _read_exactly(self, count: int) -> bytes | None:
        data = b""
        while len(data) < count:
            piece = os.read(self._stdin, count - len(data))
            if not piece:
                return None
            data += piece
        return data


def _decoded(text: bytes) -> str:
    return text.decode("utf-8", "replace").strip()


def main(arguments: list[str]) -> int:
    """Serve on stdin and stdout; ``arguments`` are the library's and its data's paths."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    stdout = os.dup(1)
    os.dup2(2, 1)  # whatever the library prints must not land among our frames
    try:
        worker = Worker(arguments[0], arguments[1], 0, stdout)
    except (OSError, IndexError) as problem:
        message = b"X" + str(problem).encode()
        os.write(stdout, struct.pack("<I", len(message)) + message)
        return 1
    try:
        worker.serve()
    except BrokenPipeError:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
