"""One call from photo to persona, and the sheet that shows it."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from avatar_engine.errors import PhotoError
from avatar_engine.persona import build_persona, contact_sheet, load_persona, open_persona

EXAMPLE = Path(__file__).parents[2] / "examples" / "face.png"


def test_a_photo_becomes_a_persona_that_can_be_kept_and_shown(tmp_path):
    told = []
    made = build_persona(
        EXAMPLE.read_bytes(),
        consent="  shows nobody who exists ",
        progress=lambda step, share: told.append((step, share)),
        clock=lambda: datetime(2025, 1, 2, tzinfo=UTC),
    )
    assert made.consent == "shows nobody who exists"
    assert made.provenance.created_at == "2025-01-02T00:00:00+00:00"
    assert len(made.provenance.photo_sha256) == 64
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    path = tmp_path / "face.persona"
    made.save(path)
    assert path.stat().st_size < 12e6
    again = open_persona(path)
    assert np.array_equal(again.maps.colors, made.maps.colors)
    sheet = contact_sheet(load_persona(path), tile_px=64)
    assert sheet.shape == (5 * 64, 5 * 64, 3)
    assert sheet.dtype == np.uint8
    # A blink must change the picture, and only a little of it.
    neutral, blink = sheet[:64, 128:192].astype(int), sheet[64:128, 128:192].astype(int)
    changed = (np.abs(neutral - blink).max(-1) > 12).mean()
    assert 0 < changed < 0.2


def test_a_missing_photo_is_one_clear_error():
    with pytest.raises(PhotoError) as caught:
        build_persona("nowhere.jpg")
    assert caught.value.reason == "not_found"
    assert "nowhere.jpg" in str(caught.value)
