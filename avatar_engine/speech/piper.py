"""A Piper voice file: a neural voice of your own on this machine, phonemes by the embedded voice.

``piper:FILE.onnx`` with its ``FILE.onnx.json`` beside it. Only the file's network runs here, in a
process of its own (extra ``piper``: onnxruntime, MIT); none of Piper's own code, which is under the
GPL, is used.
"""

import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avatar_engine.errors import VoiceError
from avatar_engine.speech.dubbing import Dubbing, Reading, in_original, read_silently
from avatar_engine.speech.espeak import EspeakVoice
from avatar_engine.speech.normalize import normalized
from avatar_engine.speech.piper_process import PiperProcess
from avatar_engine.speech.resample import OUTPUT_RATE_HZ
from avatar_engine.speech.sentences import split_sentences
from avatar_engine.types.speech import Phoneme, SpeechChunk, Word

_BEGIN, _END, _PAD = "^", "$", "_"
_PAUSES = ".,!?;:…"
_BETWEEN_S = 0.22  # of silence after a sentence


@dataclass(frozen=True, slots=True)
class PiperConfig:
    """What a voice's JSON says.

    Attributes:
        sample_rate_hz: Of its sound.
        language: espeak's tag of the phonemes it was trained with.
        ids: Numbers of each phoneme character.
        noise, length, width: The network's three scales.
        speakers: Numbers by name; empty for a voice of one.
    """

    sample_rate_hz: int
    language: str
    ids: Mapping[str, Sequence[int]]
    noise: float
    length: float
    width: float
    speakers: Mapping[str, int]

    @classmethod
    def read(cls, path: Path) -> "PiperConfig":
        """The JSON beside a voice file.

        Raises:
            VoiceError: It is missing, damaged, or of a kind we cannot speak.
        """
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            inference = content.get("inference") or {}
            if content.get("phoneme_type", "espeak") != "espeak":
                raise VoiceError(f"{path.name}: not a voice with espeak phonemes; choose another")
            return cls(
                sample_rate_hz=int(content["audio"]["sample_rate"]),
                language=str(content["espeak"]["voice"]).lower().replace("_", "-"),
                ids={str(k): [int(i) for i in v] for k, v in content["phoneme_id_map"].items()},
                noise=float(inference.get("noise_scale", 0.667)),
                length=float(inference.get("length_scale", 1.0)),
                width=float(inference.get("noise_w", 0.8)),
                speakers={str(k): int(v) for k, v in (content.get("speaker_id_map") or {}).items()},
            )
        except OSError as problem:
            raise VoiceError(f"{path.name} is missing; it lies beside the .onnx") from problem
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise VoiceError(f"{path.name}: not the JSON of a Piper voice ({problem})") from problem


class PiperVoice:
    """A :class:`~avatar_engine.speech.voice.Voice` from a Piper file.

    Args:
        name: The ``.onnx`` file, with an optional ``#speaker``.
        speed: 0.5 to 2.
        waits: False gives empty chunks while the network computes, as a live show needs it.
        threads: The network may use.

    Raises:
        VoiceError: The file, its JSON or the extra ``piper`` is missing, or it cannot run.
        ValueError: Speed outside its range.
    """

    def __init__(
        self, name: str, *, speed: float = 1.0, waits: bool = True, threads: int = 1
    ) -> None:
        if not 0.5 <= speed <= 2.0:
            raise ValueError(f"speed {speed} is outside 0.5 to 2")
        file, _, speaker = name.partition("#")
        path = Path(file).expanduser()
        if not path.is_file():
            raise VoiceError(f"{file}: no such voice file; give the path of a Piper .onnx")
        self.name = f"piper:{name}"
        self._config = PiperConfig.read(path.with_name(path.name + ".json"))
        self._speaker = self._speaker_id(speaker)
        self._length = self._config.length / speed
        self._waits = waits
        self._utterance = 0
        self._reader = EspeakVoice(self._config.language)
        self.language = self._reader.language
        try:
            self._process = PiperProcess(path, threads=threads)
        except BaseException:
            self._reader.close()
            raise

    def speak(self, text: str) -> Iterator[SpeechChunk]:
        """See :meth:`avatar_engine.speech.voice.Voice.speak`."""
        self._utterance += 1
        utterance = self._utterance
        spoken = normalized(text, self.language)
        offset_s = 0.0
        sentences = split_sentences(spoken)
        for i, sentence in enumerate(sentences):
            reading = read_silently(self._reader, sentence.text)
            ids, owners = self._ids(sentence.text, reading)
            request = self._process.ask(
                ids, (self._config.noise, self._length, self._config.width), self._speaker
            )
            while (made := self._process.answer(request, waits=self._waits)) is None:
                yield SpeechChunk(np.zeros(0, np.int16), OUTPUT_RATE_HZ, offset_s)
                if utterance != self._utterance:
                    return
            is_last = i == len(sentences) - 1
            sound = made.sound
            if not is_last:
                rest = round(_BETWEEN_S * self._config.sample_rate_hz)
                sound = np.concatenate([sound, np.zeros(rest, np.float32)])
            phonemes = self._timed(made.durations, owners, reading, len(made.sound))
            words = in_original(reading.words, sentence)
            for chunk in self._chunks(sound, replace(reading, words=words), phonemes):
                if utterance != self._utterance:
                    return
                yield _moved(chunk, offset_s, is_last=is_last and chunk.is_last)
            offset_s += -(-len(sound) * OUTPUT_RATE_HZ // self._config.sample_rate_hz) / (
                OUTPUT_RATE_HZ
            )

    @property
    def worker_pid(self) -> int:
        """Process id of the network's worker."""
        return self._process.pid

    def close(self) -> None:
        """End both processes."""
        self._utterance += 1
        self._reader.close()
        self._process.close()

    def _speaker_id(self, name: str) -> int:
        if not name:
            return 0
        speakers = self._config.speakers
        if name not in speakers:
            some = ", ".join(list(speakers)[:5]) or "it has one speaker only"
            raise VoiceError(f"unknown speaker {name!r}; there are {some}")
        return speakers[name]

    def _ids(self, text: str, reading: Reading) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The network's numbers, and for each the phoneme of the reading it belongs to, or -1."""
        known = self._config.ids
        pad = known.get(_PAD, [0])
        numbers = [*known.get(_BEGIN, []), *pad]
        owners = [-1] * len(numbers)
        ends = [word.end for word in reading.words]
        word_starts = [word.start_s for word in reading.words]
        at_word = 0

        def put(character: str, owner: int) -> None:
            for number in (*known.get(character, ()), *(pad if character in known else ())):
                numbers.append(number)
                owners.append(owner)

        for i, phoneme in enumerate(reading.phonemes):
            while at_word < len(word_starts) and phoneme.start_s >= word_starts[at_word] - 1e-6:
                if at_word > 0:
                    tail = text[ends[at_word - 1] : reading.words[at_word].start]
                    for character in tail.strip():
                        put(character if character in _PAUSES else "", -1)
                    put(" ", -1)
                at_word += 1
            for character in unicodedata.normalize("NFD", phoneme.symbol):
                put(character, i)
        end = text.rstrip()[-1:]
        put(end if end in _PAUSES else ".", -1)
        for number in known.get(_END, ()):
            numbers.append(number)
            owners.append(-1)
        return np.array(numbers, np.int64), np.array(owners, np.int64)

    def _timed(
        self,
        durations: NDArray[np.float32],
        owners: NDArray[np.int64],
        reading: Reading,
        samples: int,
    ) -> list[Phoneme] | None:
        """Phonemes where the voice tells how long each number sounds; None where it does not."""
        if len(durations) != len(owners) or durations.sum() <= 0:
            return None
        # Some voices count network frames instead of samples.
        seconds = durations / durations.sum() * samples / self._config.sample_rate_hz
        edges = np.concatenate([[0.0], np.cumsum(seconds)])
        timed: list[Phoneme] = []
        for i, owner in enumerate(owners):
            symbol = reading.phonemes[owner].symbol if owner >= 0 else ""
            is_same = bool(timed) and owner >= 0 and owner == owners[i - 1]
            start = timed.pop().start_s if is_same else float(edges[i])
            timed.append(Phoneme(symbol, start, float(edges[i + 1])))
        return [phoneme for phoneme in timed if phoneme.end_s > phoneme.start_s]

    def _chunks(
        self, sound: NDArray[np.float32], reading: Reading, phonemes: list[Phoneme] | None
    ) -> Iterator[SpeechChunk]:
        dubbing = Dubbing(self._config.sample_rate_hz, reading, pace=_pace(sound, reading, self))
        chunks = [*dubbing.add_sound(sound), *dubbing.finish()]
        waiting = list(phonemes or ())
        for chunk in chunks:
            if phonemes is None:
                yield chunk
                continue
            end_s = np.inf if chunk.is_last else chunk.start_s + len(chunk.pcm) / OUTPUT_RATE_HZ
            count = next((i for i, p in enumerate(waiting) if p.start_s >= end_s), len(waiting))
            now, waiting = tuple(waiting[:count]), waiting[count:]
            yield replace(chunk, phonemes=now, heard=None)

    @property
    def sample_rate_hz(self) -> int:
        """Of the network."""
        return self._config.sample_rate_hz


def _pace(sound: NDArray[np.float32], reading: Reading, voice: PiperVoice) -> float:
    if reading.length_s <= 0.0:
        return 1.0
    return len(sound) / voice.sample_rate_hz / reading.length_s


def _moved(chunk: SpeechChunk, by_s: float, *, is_last: bool) -> SpeechChunk:
    """A sentence's chunk at its place in the utterance."""
    return replace(
        chunk,
        start_s=chunk.start_s + by_s,
        phonemes=tuple(Phoneme(p.symbol, p.start_s + by_s, p.end_s + by_s) for p in chunk.phonemes),
        words=tuple(Word(w.start, w.end, w.start_s + by_s) for w in chunk.words),
        heard=replace(chunk.heard, start_s=chunk.heard.start_s + by_s) if chunk.heard else None,
        is_last=is_last,
    )
