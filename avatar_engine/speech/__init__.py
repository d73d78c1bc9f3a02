"""The voice and ear: synthesis, phonemes, words, recordings, audio features."""

from avatar_engine.speech.dubbing import Dubbing, in_original, read_silently
from avatar_engine.speech.normalize import plain
from avatar_engine.speech.resample import Resampler, resample
from avatar_engine.speech.voice import Voice, VoiceInfo, list_voices, open_voice

__all__ = [
    "Dubbing",
    "Resampler",
    "Voice",
    "VoiceInfo",
    "in_original",
    "list_voices",
    "open_voice",
    "plain",
    "read_silently",
    "resample",
]
