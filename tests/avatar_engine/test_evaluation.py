"""Evaluation: the metrics agree with independent ones, the baselines do what they say."""

import json
from pathlib import Path

import av
import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from typer.testing import CliRunner

from avatar_engine.cli import app
from avatar_engine.errors import VideoError
from avatar_engine.evaluation.clips import Clip, Skipped, find_clips, read_clip, read_people
from avatar_engine.evaluation.identity import face_texture, same_face
from avatar_engine.evaluation.image_metrics import Comparison
from avatar_engine.evaluation.lip_sync import _correlation
from avatar_engine.evaluation.measure import METHODS, ClipResult
from avatar_engine.evaluation.regions import REGIONS, regions_of
from avatar_engine.evaluation.report import summarise, table
from avatar_engine.evaluation.warp import PiecewiseWarp
from avatar_engine.portrait import read_photo, read_portrait

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "face.png"


@pytest.fixture(scope="module")
def portrait():
    return read_portrait(EXAMPLE)


def two_pictures(seed: int = 0, side: int = 256) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    smooth = np.kron(rng.integers(0, 255, (side // 16, side // 16, 3)), np.ones((16, 16, 1)))
    noisy = np.clip(smooth + rng.normal(0, 12, smooth.shape), 0, 255)
    return smooth.astype(np.uint8), noisy.astype(np.uint8)


def test_psnr_and_ssim_are_those_of_an_independent_library():
    a, b = two_pictures()
    ours = Comparison(a, b).over()
    assert ours.psnr == pytest.approx(peak_signal_noise_ratio(a, b), abs=1e-6)
    luma = [x.astype(float) @ [0.299, 0.587, 0.114] for x in (a, b)]
    theirs = structural_similarity(
        *luma, data_range=255, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    # The library leaves out a rim of five pixels.
    rim = np.zeros(a.shape[:2])
    rim[5:-5, 5:-5] = 1
    assert Comparison(a, b).over(rim).ssim == pytest.approx(theirs, abs=2e-3)


def test_equal_pictures_are_equal_everywhere_and_a_fault_counts_only_where_it_is():
    a, _ = two_pictures()
    same = Comparison(a, a.copy()).over()
    assert (same.psnr, same.ssim, same.ms_ssim) == (100.0, pytest.approx(1), pytest.approx(1))
    spoiled = a.copy()
    spoiled[:64, :64] = 255 - spoiled[:64, :64]
    elsewhere = np.zeros(a.shape[:2])
    elsewhere[128:, 128:] = 1
    assert Comparison(a, spoiled).over(elsewhere).psnr == 100.0
    assert Comparison(a, spoiled).over().psnr < 20


def test_regions_lie_where_a_face_has_them(portrait):
    masks = regions_of(portrait.landmarks, portrait.image.shape[0])
    assert tuple(masks) == REGIONS
    middle = {name: np.argwhere(mask).mean(0) for name, mask in masks.items()}
    assert middle["eyes"][0] < middle["face"][0] < middle["mouth"][0]
    for name in ("mouth", "eyes"):
        assert 0.01 < masks[name].sum() / masks["face"].sum() < 0.5


def test_the_warp_leaves_its_own_landmarks_alone_and_moves_others_with_them(portrait):
    size = portrait.image.shape[0]
    warp = PiecewiseWarp(portrait.image, portrait.landmarks)
    still = warp.to(portrait.landmarks)
    assert np.abs(still.astype(int) - portrait.image)[8:-8, 8:-8].mean() < 0.6
    shifted = portrait.landmarks.copy()
    shifted[:, 0] += 12
    moved = warp.to(shifted)
    face = regions_of(shifted, size)["face"] > 0
    expected = np.roll(portrait.image, 12, axis=1)
    assert np.abs(moved.astype(int) - expected)[face].mean() < 2.0


def test_a_texture_knows_its_face_after_a_warp_and_not_another(portrait):
    texture = face_texture(portrait.image, portrait.landmarks)
    moved = portrait.landmarks.copy()
    moved[:, :2] = (moved[:, :2] - 256) * 0.9 + 262
    again = face_texture(PiecewiseWarp(portrait.image, portrait.landmarks).to(moved), moved)
    assert same_face(texture, again) > 0.9
    upside_down = face_texture(portrait.image[::-1].copy(), portrait.landmarks)
    assert same_face(texture, upside_down) < 0.4


def test_lag_is_positive_when_ours_are_late():
    rng = np.random.default_rng(1)
    real = np.convolve(rng.normal(size=200), np.ones(5) / 5, "same")
    ours = np.roll(real, 3)
    scores = {lag: _correlation(ours, real, lag) for lag in range(-5, 6)}
    assert max(scores, key=lambda lag: scores[lag]) == 3


def test_people_with_several_clips_count_once():
    def result(clip: str, person: str, ours: float) -> ClipResult:
        figures = {name: {"landmarks": 0.05, "ssim_face": 0.8} for name in METHODS}
        figures["ours"] = {"landmarks": ours, "ssim_face": 0.9}
        return ClipResult(clip, person, 10, dict.fromkeys(METHODS, 0), figures, 3.0, 9.0, 5.0)

    results = [result("a1", "a", 0.02), result("a2", "a", 0.02), result("b", "b", 0.06)]
    report = summarise(results, [Skipped("c", "no face")])
    assert report["people"] == 2
    assert report["mean_over_people"]["ours"]["landmarks"] == pytest.approx(0.04)
    assert report["paired"]["static"]["landmarks"]["better_for"] == 1
    assert report["paired"]["warp2d"]["ssim_face"]["better_for"] == 2
    assert "landmarks" in table(report)
    json.dumps(report)


def video_of(pictures: list[np.ndarray], path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = pictures[0].shape[1::-1]
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "12"}
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_a_clip_without_a_face_is_skipped_with_its_reason(tmp_path):
    grey = video_of([np.full((128, 128, 3), 120, np.uint8)] * 12, tmp_path / "grey.mp4")
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"nothing")
    found = {path.stem: read_clip(path, {}) for path in find_clips(tmp_path)}
    assert set(found) == {"grey", "broken"}
    assert isinstance(found["grey"], Skipped)
    assert "no good first frame" in found["grey"].reason
    assert isinstance(found["broken"], Skipped)
    assert "cannot be read as a video" in found["broken"].reason
    assert grey.exists()


def test_a_clip_is_read_from_its_first_good_frame(tmp_path):
    face = read_photo(EXAMPLE)
    grey = np.full_like(face, 120)
    path = video_of([grey] * 3 + [face] * 12, tmp_path / "clip.mp4")
    clip = read_clip(path, {"clip": "somebody"})
    assert isinstance(clip, Clip)
    assert clip.person == "somebody"
    assert clip.begin_s == pytest.approx(3 / 25)
    assert len(clip.pictures) == 12
    assert clip.pictures[0].shape == (clip.size, clip.size, 3)


def test_bad_folders_and_lists_of_people_are_refused(tmp_path):
    with pytest.raises(VideoError, match="is not a folder"):
        find_clips(tmp_path / "nowhere")
    with pytest.raises(VideoError, match="holds no video"):
        find_clips(tmp_path)
    people = tmp_path / "people.csv"
    people.write_text("name,who\na,b\n")
    with pytest.raises(VideoError, match="columns clip and person"):
        read_people(people)


def test_the_command_measures_a_clip_and_writes_its_report(tmp_path):
    face = read_photo(EXAMPLE)
    drawn = [np.roll(face, 2 * k, axis=1) for k in range(10)]
    video_of(drawn, tmp_path / "moving.mp4")
    video_of([np.full((64, 64, 3), 90, np.uint8)] * 9, tmp_path / "empty.mp4")
    out, sheet = tmp_path / "out.json", tmp_path / "sheet.png"
    done = CliRunner().invoke(
        app, ["evaluate", str(tmp_path), "--json", str(out), "--sheet", str(sheet), "--every", "3"]
    )
    assert done.exit_code == 0, done.output
    report = json.loads(out.read_text())
    assert [clip["clip"] for clip in report["clips"]] == ["moving"]
    assert [one["clip"] for one in report["skipped"]] == ["empty"]
    ours, static = (report["mean_over_people"][name] for name in ("ours", "static"))
    # The face moves across the picture: ours follows it, the held frame cannot.
    assert ours["landmarks"] < 0.4 * static["landmarks"]
    assert ours["ssim_face"] > static["ssim_face"]
    assert sheet.stat().st_size > 1000
