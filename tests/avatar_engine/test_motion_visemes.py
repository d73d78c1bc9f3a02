"""Every sound that any of espeak's voices can make has a mouth shape."""

import re
import struct
from pathlib import Path

import espeakng_loader
import numpy as np
import pytest

from avatar_engine.motion import visemes_of
from avatar_engine.motion.ipa import FAMILY, UnknownSound, read_phoneme
from avatar_engine.motion.visemes import BARE_MARK, NEUTRAL, tolerant_visemes_of
from avatar_engine.speech.espeak_process import EspeakProcess, SpeakRequest
from avatar_engine.types.arkit import ARKIT_INDEX

DATA = Path(espeakng_loader.get_data_path())


def _phoneme_tables():
    """Mnemonics of every phoneme table: name, index of the table it builds on, its own phonemes."""
    binary = (DATA / "phontab").read_bytes()
    at, tables = 4, []
    for _ in range(binary[0]):
        count, base = binary[at], binary[at + 1]
        name = binary[at + 4 : at + 36].split(b"\0")[0].decode()
        at += 36
        rows = [binary[at + 16 * i : at + 16 * i + 4].split(b"\0")[0] for i in range(count)]
        at += 16 * count
        tables.append((name, base, [row.decode("utf-8", "replace") for row in rows]))
    assert at == len(binary)
    return tables


def _all_of(tables, index):
    """Owner table and mnemonic of a table's phonemes; a table's own replace inherited ones."""
    name, base, own = tables[index]
    inherited = _all_of(tables, base - 1) if base and base - 1 != index else {}
    return inherited | {mnemonic: (name, mnemonic) for mnemonic in own}


def _table_of(voice_file, names):
    """The phoneme table a voice uses: named in its file, else that of its language."""
    text = voice_file.read_text("utf-8", "replace")
    named = re.search(r"^phonemes\s+(\S+)", text, re.MULTILINE)
    language = re.search(r"^language\s+(\S+)", text, re.MULTILINE)[1]
    candidates = [named[1]] if named else [language, language.split("-")[0]]
    return next((name for name in candidates if name in names), None)


def test_every_phoneme_of_every_voice_has_a_viseme():
    tables = _phoneme_tables()
    names = {name: i for i, (name, _, _) in enumerate(tables)}
    process = EspeakProcess()
    symbols, covered, voices = set(), set(), set()
    try:
        for identifier in sorted({identifier for _, _, identifier in process.voices()}):
            table = _table_of(DATA / "lang" / identifier, names)
            if table is None:
                continue  # an alias of another language's table
            voices.add(identifier)
            phonemes = set(_all_of(tables, names[table]).values()) - covered
            covered |= phonemes
            wanted = sorted(mnemonic for _, mnemonic in phonemes)
            for at in range(0, len(wanted), 16):
                text = f"[[{' '.join(wanted[at : at + 16])}]]"
                for sound in process.speak(SpeakRequest(identifier, text, 450, 50, 50, False)):
                    symbols |= {event.symbol for event in sound.events if not event.is_word}
    finally:
        process.close()
    assert len(voices) > 120
    assert len(symbols) > 300
    unknown = []
    for symbol in sorted(symbols):
        try:
            assert visemes_of(symbol)
        except UnknownSound as problem:
            unknown.append(str(problem))
    assert unknown == []


def test_every_ipa_name_written_in_the_phoneme_programs_has_a_viseme():
    """Also those a rule uses only between certain neighbours."""
    words = np.frombuffer((DATA / "phonindex").read_bytes(), "<u2")
    found = set()
    for at in np.flatnonzero(words >> 8 == 0x0D):  # the instruction that sets an IPA name
        size = int(words[at]) & 0xFF
        if not 0 < size <= 12:
            continue
        name = b"".join(struct.pack(">H", w) for w in words[at + 1 : at + 1 + (size + 1) // 2])
        try:
            found.add(name[:size].decode())
        except UnicodeDecodeError:
            continue  # a number that looks like the instruction
    assert len(found) > 200
    for name in found:
        assert visemes_of(name)


def test_an_unknown_base_symbol_is_an_error_not_a_guess():
    with pytest.raises(UnknownSound, match="U\\+0416"):
        visemes_of("Ж")


@pytest.mark.parametrize(
    ("symbol", "bases"),
    [
        ("ˈoʊ", "oʊ"),
        ("tʃ", "tʃ"),
        ("ts.h", "tsh"),
        ("ɑ̃ː", "ɑ"),
        ("kʷʰ", "k"),
        ("n̩", "n"),
        ("\u0361", ""),
        ("ç", "ç"),
        ("(en)", ""),
        ("\x02ɔːɹ", "ɔɹ"),
    ],
)
def test_marks_follow_rules(symbol, bases):
    assert "".join(sound.symbol for sound in read_phoneme(symbol)) == bases


def test_silence_rests_and_a_bare_mark_changes_nothing():
    assert visemes_of("") == (NEUTRAL,)
    assert visemes_of("(en)") == (NEUTRAL,)
    assert visemes_of("ː") == (BARE_MARK,)


def _shape(symbol, *names):
    weights = visemes_of(symbol)[0].weights
    return sum(weights[ARKIT_INDEX[name]] for name in names)


def test_shapes_are_what_lip_readers_see():
    for closed in "pbm":
        assert visemes_of(closed)[0].closure == 1.0
    for bitten in "fv":
        assert visemes_of(bitten)[0].bite == 1.0
    for round_one in "uow":
        assert _shape(round_one, "mouthPucker", "mouthFunnel") > 0.5
    for spread in "ies":
        assert _shape(spread, "mouthStretchLeft", "mouthSmileLeft") > 0.15
        assert _shape(spread, "mouthPucker", "mouthFunnel") == 0
    for tongue in "lnθð":
        assert 0.1 < _shape(tongue, "tongueOut") < 0.4
    openness = [_shape(vowel, "jawOpen") for vowel in ("i", "e", "ɛ", "a")]
    assert openness == sorted(openness)
    assert _shape("kʷ", "mouthPucker") > 0.4 > _shape("k", "mouthPucker")


def test_amplitudes_are_those_of_speech():
    for symbol in FAMILY:
        for stress in ("", "ˈ"):
            weights = visemes_of(stress + symbol)[0].weights
            assert weights.min() >= 0.0
            assert weights.max() <= 0.8
            assert weights[ARKIT_INDEX["jawOpen"]] <= 0.45


def test_a_live_show_survives_a_sound_nobody_knows():
    assert tolerant_visemes_of("Ж") == visemes_of("ə")
