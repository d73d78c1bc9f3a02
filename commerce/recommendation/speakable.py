"""Catalogue text made fit for a voice: no markup of any kind, no addresses, short sentences.

A description is a stranger's text. Brackets, tags and backslashes can be commands to a speech
synthesiser, so none of them ever gets that far.
"""

import re
import unicodedata

_LONGEST_SENTENCE = 180
_TAG = re.compile(r"<[^<>]*>|\[\[.*?\]\]|\{[{%#].*?[}%#]\}")
_ADDRESS = re.compile(
    r"(?:https?://|www\.)\S+|\b\S+@\S+\.\S+|\b[\w-]+\.(?:com|net|org|shop|io|ru|cn)\b\S*"
)
_MARKUP = re.compile(r"[<>{}\[\]\\^~*_#|`=@]")
_REPEATED = re.compile(r"([!?.,;:\-–—])\1+")
_SENTENCE_END = re.compile(
    r"(?<=[.!?…])\s+(?=[\"'“‘(¿¡A-ZÀ-ÞЀ-Я\u3040-\u9fff\uac00-\ud7a3])|(?<=[。！？])"
)


def speakable(text: str, longest: int = 2000) -> str:
    """Plain words of a text, at most so many characters, cut between words."""
    text = _ADDRESS.sub(" ", _TAG.sub(" ", text))
    text = _MARKUP.sub(" ", text)
    kept = "".join(
        " " if unicodedata.category(character)[0] in "CZ" else character
        for character in text
        # So and Sk are pictographs and the like, which a voice spells out one by one.
        if unicodedata.category(character) not in {"So", "Sk", "Cs", "Co"} or character in "°℃"
    )
    plain = re.sub(r"\s+([,.;:!?])", r"\1", " ".join(kept.split()))
    plain = _REPEATED.sub(r"\1", plain).strip(" ,;:-–—")
    if len(plain) <= longest:
        return plain
    cut = plain[:longest]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut).rstrip(" ,;:.-–—")


def sentences_of(description: str) -> list[str]:
    """Sentences of a description that can be said aloud, in order.

    One that carries an address is left out whole: half a sentence would mislead.
    """
    found: list[str] = []
    for part in _SENTENCE_END.split(description):
        if _ADDRESS.search(part):
            continue
        sentence = speakable(part)
        if len(sentence) > _LONGEST_SENTENCE:
            sentence = _first_clauses(sentence)
        if len(sentence) >= 2 and any(character.isalnum() for character in sentence):
            found.append(_closed(sentence))
    return found


def _first_clauses(sentence: str) -> str:
    """The beginning of an endless sentence, up to a comma or semicolon that it can stop at."""
    cut = sentence[:_LONGEST_SENTENCE]
    end = max(cut.rfind(mark) for mark in (";", "；", " – ", " — ", "，", ", "))
    if end < 20:
        end = cut.rfind(" ")
    return cut[:end].rstrip(" ,;:-–—") if end > 0 else cut


def _closed(sentence: str) -> str:
    if sentence[-1] in ".!?。！？":
        return sentence
    is_chinese = "\u3400" <= sentence[-1] <= "\u9fff"
    return sentence.rstrip(" …,;:") + ("。" if is_chinese else ".")
