"""The embedded voice: espeak-ng in a process of its own, over a hundred languages, no network."""

import difflib
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import espeakng_loader
import numpy as np

from avatar_engine.errors import VoiceError
from avatar_engine.speech.alignment import AlignedText
from avatar_engine.speech.assembly import ChunkAssembler
from avatar_engine.speech.espeak_process import EspeakProcess, Event, SpeakRequest, WorkerLost
from avatar_engine.speech.normalize import normalized
from avatar_engine.speech.sentences import split_sentences
from avatar_engine.speech.tone import Tone
from avatar_engine.types.speech import SpeechChunk

_WORDS_PER_MINUTE = 160  # espeak's own 175 hurries a listener who is looking at a price
_PITCH = 48
_PITCH_RANGE = 58  # livelier than the even 50
_GAIN_DB = 1.0  # lands active speech near -17 dBFS with room for the loudest vowels
_RESTARTS = 3  # of one utterance, before we believe that the text itself kills the worker
# Where several voices claim a bare language, or people write another tag.
_PREFERRED = {
    "en": "gmw/en-US",
    "en-uk": "gmw/en",
    "fr": "roa/fr",
    "pt": "roa/pt-BR",
    "zh": "sit/cmn",
    "zh-cn": "sit/cmn",
    "zh-tw": "sit/cmn",
    "zh-hk": "sit/yue",
    "no": "gmq/nb",
}


@dataclass(frozen=True, slots=True)
class EspeakInfo:
    """A voice of espeak-ng: BCP 47 ``language``, ``description``, and its file ``identifier``."""

    language: str
    description: str
    identifier: str


def espeak_voices() -> tuple[EspeakInfo, ...]:
    """The installed voices by language, each once, under the tag that is its own.

    Raises:
        VoiceError: espeak cannot run here.
    """
    process = EspeakProcess()
    try:
        return tuple(_first_of_each(process.voices()))
    finally:
        process.close()


class EspeakVoice:
    """A :class:`~avatar_engine.speech.voice.Voice`; its worker is restarted when it dies.

    Args:
        name: Language tag, with an optional ``+variant`` (``en-us+f3``).
        speed: 0.5 to 2.
        pitch: 0.5 to 1.9.

    Raises:
        VoiceError: Unknown language or variant, or espeak cannot run here.
        ValueError: Speed or pitch outside its range.
    """

    def __init__(self, name: str, *, speed: float = 1.0, pitch: float = 1.0) -> None:
        if not 0.5 <= speed <= 2.0:
            raise ValueError(f"speed {speed} is outside 0.5 to 2")
        if not 0.5 <= pitch <= 1.9:
            raise ValueError(f"pitch {pitch} is outside 0.5 to 1.9")
        self._name = name
        self._words_per_minute = round(_WORDS_PER_MINUTE * speed)
        self._pitch = min(99, round(_PITCH * pitch))
        self._utterance = 0
        self._process = EspeakProcess()
        # Also when the voice is dropped without close(): no process may be left behind.
        self._finalizer = weakref.finalize(self, self._process.close)
        try:
            language, self._espeak_name = _resolve(name, self._process.voices())
        except WorkerLost as problem:
            self.close()
            raise VoiceError(f"the espeak process ended while starting: {problem}") from problem
        except VoiceError:
            self.close()
            raise
        self.language: str = language
        self._assembler()  # designs the filters now rather than in the first live frame

    @property
    def name(self) -> str:
        """As :func:`~avatar_engine.speech.voice.open_voice` takes it."""
        return f"espeak:{self._name}"

    @property
    def worker_pid(self) -> int:
        """Process id of the worker; changes when it had to be restarted."""
        return self._process.pid

    def speak(self, text: str) -> Iterator[SpeechChunk]:
        """See :meth:`avatar_engine.speech.voice.Voice.speak`."""
        self._utterance += 1
        utterance = self._utterance
        assembler = self._assembler()
        sentences = split_sentences(normalized(text, self.language))
        try:
            for i, sentence in enumerate(sentences):
                is_last = i == len(sentences) - 1
                for _ in self._speak_sentence(sentence, assembler, has_pause=not is_last):
                    for chunk in assembler.complete():
                        yield chunk
                        if utterance != self._utterance:
                            return
            yield from assembler.finish()
        finally:
            if utterance == self._utterance:
                self._stop()

    def close(self) -> None:
        """End the worker process."""
        self._utterance += 1
        self._finalizer()

    def _speak_sentence(
        self, sentence: AlignedText, assembler: ChunkAssembler, *, has_pause: bool
    ) -> Iterator[None]:
        """Feed one sentence to the assembler; yields after each piece of sound."""
        request = SpeakRequest(
            self._espeak_name,
            sentence.text,
            self._words_per_minute,
            self._pitch,
            _PITCH_RANGE,
            has_pause,
        )
        rate = self._process.sample_rate_hz
        begin_s = assembler.received_s
        done = 0  # samples and events of this sentence that are already with the assembler
        done_events = 0
        for attempt in range(_RESTARTS + 1):
            position = events = 0
            try:
                for sound in self._process.speak(request):
                    samples = np.frombuffer(sound.pcm, "<i2").astype(np.float32) / 32768.0
                    for event in sound.events:
                        events += 1
                        if events > done_events:
                            _add(event, sentence, assembler, begin_s + event.sample / rate)
                    fresh = samples[max(0, done - position) :]
                    position += len(samples)
                    assembler.add_sound(fresh)
                    done, done_events = max(done, position), max(done_events, events)
                    yield
                assembler.end_phoneme(assembler.received_s)
                return
            except WorkerLost as problem:
                if attempt == _RESTARTS:
                    raise VoiceError(
                        f"espeak died {attempt + 1} times on {sentence.text[:60]!r}; "
                        "try another wording or voice"
                    ) from problem
                self._restart_worker()

    def _assembler(self) -> ChunkAssembler:
        rate = self._process.sample_rate_hz
        return ChunkAssembler(rate, tone=Tone(rate, gain_db=_GAIN_DB))

    def _restart_worker(self) -> None:
        self._finalizer()
        self._process = EspeakProcess()
        self._finalizer = weakref.finalize(self, self._process.close)

    def _stop(self) -> None:
        try:
            self._process.stop()
        except WorkerLost:
            self._finalizer()  # the next utterance finds the pipe closed and starts a new worker


def _add(event: Event, sentence: AlignedText, assembler: ChunkAssembler, start_s: float) -> None:
    if event.is_word:
        assembler.add_word(*sentence.span(event.position, event.position + event.length), start_s)
    elif event.symbol.startswith("("):
        assembler.add_phoneme("", start_s)  # "(en)": a switch of language, heard as a short pause
    else:
        assembler.add_phoneme(event.symbol, start_s)


def _first_of_each(rows: list[tuple[str, str, str]]) -> Iterator[EspeakInfo]:
    seen = set()
    for language, description, identifier in rows:
        if identifier not in seen:
            seen.add(identifier)
            yield EspeakInfo(language.lower(), description, identifier)


def _resolve(name: str, rows: list[tuple[str, str, str]]) -> tuple[str, str]:
    """Language tag and espeak's own name of the voice that ``name`` asks for."""
    wanted, plus, variant = name.partition("+")
    voices = list(_first_of_each(rows))
    by_tag = {language.lower(): identifier for language, _, identifier in reversed(rows)}
    by_tag |= {voice.language: voice.identifier for voice in reversed(voices)} | _PREFERRED
    tag = wanted.strip().lower().replace("_", "-")
    if tag not in by_tag:
        near = difflib.get_close_matches(tag, by_tag, n=4, cutoff=0.4)
        near += [t for t in sorted(by_tag) if tag and t.split("-")[0] == tag.split("-")[0]]
        hint = ", ".join(dict.fromkeys(near)) or "en-us, es, zh, pt-br"
        raise VoiceError(f"unknown espeak voice {wanted!r}; near ones: {hint}")
    identifier = by_tag[tag]
    language = next(voice.language for voice in voices if voice.identifier == identifier)
    if not plus:
        return language, identifier
    variants = {file.name for file in Path(espeakng_loader.get_data_path(), "voices/!v").iterdir()}
    if variant not in variants:
        near = difflib.get_close_matches(variant, variants, n=4, cutoff=0.3) or sorted(variants)[:8]
        raise VoiceError(f"unknown espeak variant {variant!r}; near ones: {', '.join(near)}")
    return language, f"{identifier}+{variant}"
