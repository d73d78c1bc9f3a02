"""The voice and ear: synthesis, phonemes, words, audio features."""

from avatar_engine.speech.voice import TextMark, Voice, VoiceInfo, list_voices, open_voice

__all__ = ["TextMark", "Voice", "VoiceInfo", "list_voices", "open_voice"]
