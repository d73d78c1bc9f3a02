"""The ear: the same however the sound is cut, quick, on time, and right about lips."""

from itertools import pairwise
from time import process_time

import numpy as np
import pytest

from avatar_engine.errors import WeightsError
from avatar_engine.motion.coarticulation import MouthTrack
from avatar_engine.motion.hearing import LONGEST_FRAMES, HeardShapes
from avatar_engine.speech import open_voice
from avatar_engine.speech.ear import DELAY_S, SHIPPED, Ear, hear
from avatar_engine.speech.spectrum import RATE_HZ, Spectrum
from avatar_engine.types import ARKIT_INDEX, Heard

torch = pytest.importorskip("torch")


def _say(text: str, voice: str = "espeak:en-us+f4") -> tuple[np.ndarray, list]:
    speaker = open_voice(voice)
    chunks = list(speaker.speak(text))
    speaker.close()
    return np.concatenate([c.pcm for c in chunks]), [p for c in chunks for p in c.phonemes]


@pytest.fixture(scope="module")
def speech():
    return _say("Maybe Bob will bring my favourite lamp, if you like.")


@pytest.mark.parametrize("step", [77, 480, 1920, 48_000])
def test_how_the_sound_is_cut_makes_no_difference(speech, step):
    pcm, _ = speech
    ear = Ear()
    pieces = [ear.push(pcm[i : i + step]) for i in range(0, len(pcm), step)] + [ear.flush()]
    starts = np.cumsum([0] + [len(piece.shares) for piece in pieces[:-1]]) / 100
    assert [piece.start_s for piece in pieces] == pytest.approx(starts)
    whole = hear(pcm).shares
    assert np.allclose(np.concatenate([p.shares for p in pieces]), whole, atol=2e-3)
    assert len(whole) == -(-len(pcm) // 480)
    assert np.allclose(whole.sum(axis=1), 1, atol=1e-4)


def test_it_hears_within_its_look_ahead(speech):
    assert DELAY_S <= 0.12
    pcm, _ = speech
    ear, heard = Ear(), 0
    for end in range(1920, len(pcm), 1920):
        heard += len(ear.push(pcm[end - 1920 : end]).shares)
        assert heard / 100 >= end / 48_000 - 0.12


def test_it_costs_less_than_two_percent_of_a_core(speech):
    pcm, _ = speech
    costs = []
    for _ in range(3):
        ear, began = Ear(), process_time()
        for at in range(0, len(pcm), 1920):
            ear.push(pcm[at : at + 1920])
        ear.flush()
        costs.append((process_time() - began) / (len(pcm) / 48_000))
    assert min(costs) < 0.05  # 0.005 where nothing else runs


def test_numpy_hears_what_torch_learned(speech, tmp_path):
    from avatar_engine.training.audio_visemes.network import EarNetwork, exported

    torch.manual_seed(3)
    network = EarNetwork()
    for norm in network.norms:
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
    network.eval()
    from avatar_engine.training.audio_visemes.__main__ import FACTS
    from avatar_engine.weights import save_weights

    pcm, _ = speech
    spectrum = Spectrum()
    sound = pcm[:: 48_000 // RATE_HZ]
    features = np.concatenate([spectrum.push(sound.astype(np.float32) / 32768), spectrum.flush()])
    with torch.no_grad():
        logits = network(torch.from_numpy(features.T.copy())[None])[0]
    expected = torch.softmax(logits, dim=0).T.numpy()
    path = tmp_path / "ear.safetensors"
    save_weights(path, exported(network), FACTS)
    found = hear(sound, RATE_HZ, weights=path).shares
    assert np.abs(found - expected).max() < 0.03  # half precision
    assert (found.argmax(1) == expected.argmax(1)).mean() > 0.97


def test_an_altered_file_is_refused(tmp_path):
    path = tmp_path / "ear.safetensors"
    content = bytearray(SHIPPED.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="altered"):
        Ear(weights=path)


def test_silence_is_silence_and_noise_opens_no_mouth():
    rng = np.random.default_rng(0)
    quiet = hear(rng.normal(0, 3, 48_000).astype(np.int16))
    assert (quiet.shares.argmax(axis=1) == 0).mean() > 0.95
    hiss = (3000 * np.diff(rng.standard_normal(48_001))).astype(np.int16)
    track = MouthTrack()
    track.hear(hear(np.concatenate([np.zeros(24_000, np.int16), hiss, np.zeros(24_000, np.int16)])))
    jaw = [track.weights(t)[ARKIT_INDEX["jawOpen"]] for t in np.arange(0.6, 1.4, 0.04)]
    assert max(jaw) < 0.2
    assert hear(np.zeros(0, np.int16)).shares.shape == (0, 23)


def test_lips_meet_where_an_unheard_voice_says_so(speech):
    pcm, phonemes = speech
    track = MouthTrack()
    track.hear(hear(pcm))
    moments = [0.5 * (p.start_s + p.end_s) for p in phonemes if p.symbol in ("m", "b", "p")]
    assert len(moments) >= 6

    def is_shut(at_s: float) -> bool:
        near = [track.weights(at_s + d) for d in (-0.03, -0.015, 0.0, 0.015, 0.03)]
        jaw, close = ARKIT_INDEX["jawOpen"], ARKIT_INDEX["mouthClose"]
        return any(w[close] > 0.85 * w[jaw] for w in near)

    assert np.mean([is_shut(t) for t in moments]) >= 0.8


def test_shapes_do_not_depend_on_how_they_were_told(speech):
    heard = hear(speech[0])
    whole = HeardShapes()
    expected = whole.push(heard)
    for step in (1, 4, 37):
        pieces = HeardShapes()
        told = []
        for at in range(0, len(heard.shares), step):
            told += pieces.push(Heard(at / 100, heard.shares[at : at + step]))
        assert [(b, e) for _, b, e in told] == [(b, e) for _, b, e in expected]
    for (_, _, end), (_, begin, _) in pairwise(expected):
        assert begin == pytest.approx(end)
    assert max(end - begin for _, begin, end in expected) <= (LONGEST_FRAMES + 3) / 100


def test_the_recipe_runs_and_goes_on_where_it_stopped(tmp_path):
    import typer
    from typer.testing import CliRunner

    from avatar_engine.training.audio_visemes import __main__ as recipe

    app = typer.Typer()
    app.command()(recipe.main)
    out = tmp_path / "ear.safetensors"
    arguments = ["--smoke", "--work", str(tmp_path), "-o", str(out)]
    first = CliRunner().invoke(app, [*arguments, "--minutes", "0.001"])
    assert first.exit_code == 0, first.output
    kept = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    steps, longer = kept["step"], (kept["spent_s"] + 1.0) / 60
    again = CliRunner().invoke(app, [*arguments, "--minutes", f"{longer}"])
    assert again.exit_code == 0, again.output
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["step"] > steps > 0
    assert hear(np.zeros(4_800, np.int16), weights=out).shares.shape == (10, 23)
