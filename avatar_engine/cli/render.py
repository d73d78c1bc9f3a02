"""``render``: a video of a persona that speaks, follows another face, or turns around."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from avatar_engine.cli.console import (
    CompensationOption,
    Quality,
    RendererOption,
    Seed,
    Size,
    Switch,
    VoiceName,
    app,
    bar,
    check_output,
    one_line_errors,
    parse_size,
    refuse,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from avatar_engine.engine import Background
    from avatar_engine.engine.recording import Recording
    from avatar_engine.persona import Persona
    from avatar_engine.types import FaceState

_PATIENCE_S = 8.0  # for a driving video to show its face


@app.command()
def render(
    persona_file: Annotated[Path, typer.Argument(help="A .persona file, or a photo.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The video to write (.mp4, .mov or .webm).")
    ],
    text: Annotated[str | None, typer.Option(help="What to say.")] = None,
    audio: Annotated[Path | None, typer.Option(help="A recording to lip-sync.")] = None,
    driving: Annotated[
        Path | None, typer.Option(help="A video of a face whose motion the persona takes on.")
    ] = None,
    turntable: Annotated[bool, typer.Option(help="Turn the head once around.")] = False,
    voice: VoiceName = "espeak:en-us",
    speed: Annotated[
        float, typer.Option(help="Speed of speech; 1 is normal.", min=0.5, max=2.0)
    ] = 1.0,
    size: Size = "512",
    fps: Annotated[
        float, typer.Option(help="Frames per second; divides 48000.", min=1, max=60)
    ] = 25.0,
    renderer: RendererOption = "auto",
    seed: Seed = 0,
    background: Annotated[
        str,
        typer.Option(help="photo, blur, transparent, a colour as #00b140, or a picture."),
    ] = "photo",
    compensation: CompensationOption = Switch.ON,
    quality: Annotated[
        Quality, typer.Option(help="high needs torch and weights you trained, and takes long.")
    ] = Quality.NORMAL,
) -> None:
    """Render a video of a persona speaking, driven by another face, or turning around."""
    width, height = parse_size(size)
    if sum((text is not None, audio is not None, driving is not None, turntable)) != 1:
        raise typer.BadParameter("give exactly one of --text, --audio, --driving and --turntable")
    if text is not None and not text.strip():
        refuse("--text", text, "there is nothing to say")
    if 48_000 % fps:
        refuse("--fps", f"{fps:g}", "it does not divide 48000; write 25 or 30")
    check_output("--output", output, (".mp4", ".mov", ".webm"))
    with one_line_errors():
        from avatar_engine.engine import Background, open_engine, open_plain_renderer
        from avatar_engine.engine.offline import render_speech, render_turntable
        from avatar_engine.persona import open_persona

        scene = Background.named(background)
        made = open_persona(persona_file, has_compensation=compensation is Switch.ON)
        with bar("Rendering") as step:

            def advance(share: float) -> None:
                step("Rendering", share)

            if turntable:
                camera = open_plain_renderer(
                    made,
                    renderer,
                    width=width,
                    height=height,
                    background=scene,
                    quality=quality.value,
                )
                frames = render_turntable(camera, output, seconds=6, fps=fps, progress=advance)
            elif driving is not None:
                frames = _drive(
                    made,
                    driving,
                    output,
                    renderer=renderer,
                    size=(width, height),
                    fps=fps,
                    scene=scene,
                    quality=quality,
                    progress=advance,
                )
            else:
                recording = _recording(audio) if audio is not None else None
                engine = open_engine(
                    made,
                    voice=recording or voice,
                    speed=speed,
                    renderer=renderer,
                    width=width,
                    height=height,
                    fps=fps,
                    seed=seed,
                    background=scene,
                    quality=quality.value,
                )
                try:
                    expected_s = recording.duration_s if recording else len(text or "") / 14
                    frames = render_speech(
                        engine, text or " ", output, expected_s=expected_s, progress=advance
                    )
                finally:
                    engine.close()
    typer.echo(f"{output}  {frames / fps:.1f} s")


def _drive(
    made: "Persona",
    driving: Path,
    output: Path,
    *,
    renderer: str,
    size: tuple[int, int],
    fps: float,
    scene: "Background",
    quality: Quality,
    progress: Callable[[float], None],
) -> int:
    """Render a persona that does what the face of a video does; returns frames."""
    from avatar_engine.engine import open_drawing
    from avatar_engine.engine.offline import render_states
    from avatar_engine.errors import VideoError
    from avatar_engine.render import RenderConfig
    from avatar_engine.speech.audio import read_audio
    from avatar_engine.tracking import Driver, DrivingVideo

    plates, config = scene.staged(made, RenderConfig(*size, "i420"))
    drawing = open_drawing(renderer, made, plates, config, quality=quality.value)
    driver = Driver(made.maps)
    followed = 0

    def states() -> "Iterator[FaceState]":
        nonlocal followed
        for time_s, picture in video.pictures(fps):
            yield driver.drive(picture, time_s)
            followed += driver.is_following
            if followed == 0 and time_s > _PATIENCE_S:
                break
        if followed == 0:
            raise VideoError(f"{driving} shows no face; give a video of one face, well lit")

    try:
        with DrivingVideo(driving) as video:
            total = round(video.duration_s * fps)
            pcm = read_audio(driving) if video.has_sound else None
            frames = render_states(
                drawing, states(), pcm, output, fps=fps, total=total, progress=progress
            )
    finally:
        drawing.close()
    if followed < frames:
        typer.echo(f"No face in {frames - followed} of {frames} frames: rest there", err=True)
    return frames


def _recording(audio: Path) -> "Recording":
    from avatar_engine.engine.recording import Recording

    return Recording(audio)
