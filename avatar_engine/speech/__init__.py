"""The voice and ear: synthesis, phonemes, words, recordings, audio features."""

from avatar_engine.speech.resample import Resampler, resample
from avatar_engine.speech.voice import Voice, VoiceInfo, list_voices, open_voice

__all__ = ["Resampler", "Voice", "VoiceInfo", "list_voices", "open_voice", "resample"]
