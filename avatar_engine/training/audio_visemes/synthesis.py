"""The embedded voice as a teacher: any text in any of its voices, with a label for every 10 ms."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from avatar_engine.errors import VoiceError
from avatar_engine.motion.ipa import VOWELS, Family, Sound, UnknownSound, read_phoneme
from avatar_engine.speech.espeak_process import EspeakProcess, SpeakRequest, WorkerLost
from avatar_engine.speech.resample import resample
from avatar_engine.speech.spectrum import HOP, RATE_HZ
from avatar_engine.training.audio_visemes.texts import Tongue, nonsense
from avatar_engine.types import HEARD_SOUNDS, Phoneme

HELD_OUT_VARIANTS = ("f4", "m7", "klatt3", "anika", "paul", "belinda")
_TRAINED_VARIANTS = tuple(
    name
    for line in (
        "f1 f2 f3 f5 m1 m2 m3 m4 m5 m6 m8 klatt klatt2 klatt4 klatt5 klatt6 Alex Alicia Andrea",
        "Andy Annie Denis Diogo Gene Gene2 Henrique Hugo Jacky Lee Marco Mario Michael Mike Nguyen",
        "Reed adam announcer antonio aunty benjamin boris caleb david ed edward gustave iven iven3",
        "john kaukovalta linda marcelo max michel miguel pablo pedro quincy rob robert sandro",
        "shelby steph steph2 travis victor zac grandma grandpa",
    )
    for name in line.split(" ")
)
_FAMILY_SOUND: dict[Family, str] = {
    "bilabial": "m", "bilabial_fricative": "m", "linguolabial_click": "m",
    "labiodental": "f", "labiodental_approximant": "f", "dental": "θ", "alveolar": "t",
    "alveolar_nasal": "t",
    "lateral": "l", "trill": "ɾ", "sibilant": "s", "postalveolar": "ʃ", "alveolopalatal": "ʃ",
    "rhotic": "ɹ", "palatal": "k", "velar": "k", "throat": "k", "labial_glide": "w",
    "palatal_glide": "j", "silence": "",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """Speech and what is in it.

    Attributes:
        pcm: int16 [S] at 16 kHz.
        labels: uint8 [ceil(S / 160)], an index into ``HEARD_SOUNDS`` for each 10 ms.
        name: Language and voice, for reports.
    """

    pcm: NDArray[np.int16]
    labels: NDArray[np.uint8]
    name: str


class Teacher:
    """Owns one worker of the embedded voice; close it."""

    def __init__(self) -> None:
        self._process = EspeakProcess()
        self._voices = {lang.lower(): name for lang, _, name in reversed(self._process.voices())}

    def example(self, tongue: Tongue, rng: Generator, *, variants: tuple[str, ...] = ()) -> Example:
        """One line of nonsense by a random voice, speed and pitch."""
        variant = str(rng.choice(variants or _TRAINED_VARIANTS))
        text = nonsense(tongue, rng, words=int(rng.integers(5, 11)))
        return self.say(
            text,
            tongue.language,
            variant,
            words_per_minute=int(rng.integers(110, 235)),
            pitch=int(rng.integers(20, 80)),
            pitch_range=int(rng.integers(20, 90)),
        )

    def say(
        self,
        text: str,
        language: str,
        variant: str = "",
        *,
        words_per_minute: int = 165,
        pitch: int = 50,
        pitch_range: int = 55,
    ) -> Example:
        """A text by one voice.

        Raises:
            VoiceError: The voice cannot say it.
        """
        pcm, phonemes = self.phonemes(
            text, language, variant,
            words_per_minute=words_per_minute, pitch=pitch, pitch_range=pitch_range,
        )  # fmt: skip
        return Example(pcm, labels_of(phonemes, -(-len(pcm) // HOP)), f"{language}+{variant}")

    def phonemes(
        self,
        text: str,
        language: str,
        variant: str = "",
        *,
        words_per_minute: int = 165,
        pitch: int = 50,
        pitch_range: int = 55,
    ) -> tuple[NDArray[np.int16], list[Phoneme]]:
        """16 kHz sound [S] and its phonemes in time."""
        voice = self._voices[language] + (f"+{variant}" if variant else "")
        request = SpeakRequest(voice, text, words_per_minute, pitch, pitch_range, False)
        rate = self._process.sample_rate_hz
        pieces: list[NDArray[np.int16]] = []
        events: list[tuple[str, float]] = []
        try:
            for sound in self._process.speak(request):
                pieces.append(np.frombuffer(sound.pcm, "<i2"))
                events += [(e.symbol, e.sample / rate) for e in sound.events if not e.is_word]
        except WorkerLost as problem:
            self._process.close()
            self._process = EspeakProcess()
            raise VoiceError(f"the voice died on {text[:40]!r}") from problem
        pcm = np.concatenate(pieces) if pieces else np.zeros(0, np.int16)
        ends = [start for _, start in events[1:]] + [len(pcm) / rate]
        phonemes = [
            Phoneme("" if symbol.startswith("(") else symbol, start, end)
            for (symbol, start), end in zip(events, ends, strict=True)
            if end > start
        ]
        return resample(pcm, rate, RATE_HZ), phonemes

    def close(self) -> None:
        """End the worker."""
        self._process.close()


def labels_of(phonemes: list[Phoneme], frames: int) -> NDArray[np.uint8]:
    """The sound of each 10 ms [frames]; what no phoneme claims is silence."""
    labels = np.zeros(frames, np.uint8)
    for phoneme in phonemes:
        sounds = sounds_of(phoneme.symbol)
        if sounds is None:  # a bare mark: the sound before it goes on
            begin = round(phoneme.start_s * RATE_HZ / HOP)
            labels[begin : round(phoneme.end_s * RATE_HZ / HOP)] = labels[max(begin - 1, 0)]
            continue
        middle = phoneme.start_s + 0.45 * (phoneme.end_s - phoneme.start_s)
        edges = np.linspace(phoneme.start_s, phoneme.end_s, len(sounds) + 1)
        if len(sounds) == 2:
            edges[1] = middle
        for sound, begin_s, end_s in zip(sounds, edges[:-1], edges[1:], strict=True):
            labels[round(begin_s * RATE_HZ / HOP) : round(end_s * RATE_HZ / HOP)] = sound
    return labels


@lru_cache(maxsize=4096)
def sounds_of(symbol: str) -> tuple[int, ...] | None:
    """Indices into ``HEARD_SOUNDS`` for a voice's phoneme; None for a bare mark."""
    try:
        sounds = read_phoneme(symbol)
    except UnknownSound:
        return (HEARD_SOUNDS.index("ə"),)
    if sounds:
        return tuple(HEARD_SOUNDS.index(_nearest(sound)) for sound in sounds)
    return (0,) if not symbol or symbol.isspace() else None


def _nearest(sound: Sound) -> str:
    if sound.family != "vowel":
        return _FAMILY_SOUND[sound.family]
    shape = np.array(VOWELS[sound.symbol])
    vowels = [name for name in HEARD_SOUNDS if name in VOWELS]
    weights = np.array([1.0, 0.3, 1.0])  # the tongue's place is hardly seen
    distance = [float((weights * (shape - VOWELS[name]) ** 2).sum()) for name in vowels]
    return vowels[int(np.argmin(distance))]
