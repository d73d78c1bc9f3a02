"""``python -m avatar_engine``: build, draw and measure personas. Heavy imports wait."""

import io
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, cast

import typer
from typer.core import TyperGroup

from avatar_engine.errors import AvatarEngineError, VoiceError

if TYPE_CHECKING:
    from avatar_engine.engine import Background
    from avatar_engine.engine.recording import Recording
    from avatar_engine.persona import Persona
    from avatar_engine.render import RendererName
    from avatar_engine.types import FaceState

_LEAST_PX = 64
_PATIENCE_S = 8.0  # for a driving video to show its face
_CHINESE = ("cmn", "yue", "hak")  # espeak's names of what most people call zh

# The root of every usage error, whether Typer brings its own click or shares the system's.
UsageError: Any = typer.BadParameter.__base__


class OneLineErrors(TyperGroup):
    """Wrong usage is told in one line, as every other failure is."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command and end the process with its status."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")  # an old terminal cannot show every title
        try:
            status = super().main(*args, **{**extra, "standalone_mode": False})
        except UsageError as error:
            message = error.format_message()
            if "\n" in message:  # a command without arguments asks for its help
                typer.echo(message, err=True)
            else:
                self.complain(message)
            sys.exit(error.exit_code)
        sys.exit(status or 0)

    def complain(self, message: str) -> None:
        """Tell it on standard error."""
        typer.secho(f"error: {message}", err=True, fg=typer.colors.RED)


app = typer.Typer(
    cls=OneLineErrors,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Build a persona from one photo, draw it, make it speak, measure it.",
)

Size = Annotated[str, typer.Option(help="Picture size: 512, or WIDTHxHEIGHT such as 720x1280.")]
RendererOption = Annotated[str, typer.Option("--renderer", help="auto, reference, cpu or cuda.")]


class Switch(StrEnum):
    """On or off."""

    ON = "on"
    OFF = "off"


class Quality(StrEnum):
    """What is asked of every picture."""

    NORMAL = "normal"
    HIGH = "high"


CompensationOption = Annotated[
    Switch,
    typer.Option("--compensation", help="Let the codebooks add what one photo does not show."),
]
Seed = Annotated[int, typer.Option(help="Same seed, same motion.", min=0)]
VoiceName = Annotated[str, typer.Option("--voice", help="Such as espeak:en-us or piper:FILE.onnx.")]


def parse_size(text: str) -> tuple[int, int]:
    """``512`` or ``720x1280`` as (width, height).

    Raises:
        typer.BadParameter: Neither form, or outside 64 to 2048, or not a multiple of 8 by 2.
    """
    from avatar_engine.types.size import size_of

    try:
        return size_of(text, _LEAST_PX)
    except ValueError as error:
        _refuse("--size", text, str(error))


@app.command()
def persona(
    photo: Annotated[Path, typer.Argument(help="A photo of one face, or - for standard input.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The .persona file to write.")],
    sheet: Annotated[Path | None, typer.Option(help="Also draw the contact sheet (PNG).")] = None,
    consent: Annotated[
        str | None, typer.Option(help="Who agreed to be shown, and to what; kept in the file.")
    ] = None,
    pick_largest: Annotated[
        bool, typer.Option(help="With several faces in the photo, take the largest.")
    ] = False,
    compensation: CompensationOption = Switch.ON,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Build a persona from one photo."""
    _check_output("--output", output, (".persona",))
    if sheet is not None:
        _check_output("--sheet", sheet, (".png", ".jpg", ".jpeg", ".webp"))
    with _one_line_errors():
        from avatar_engine.persona import build_persona

        source = sys.stdin.buffer.read() if str(photo) == "-" else photo
        with _bar("Building the persona") as step:
            made = build_persona(
                source,
                consent=consent,
                pick_largest=pick_largest,
                has_compensation=compensation is Switch.ON,
                progress=step,
            )
        made.save(output)
        if sheet is not None:
            _draw_sheet(made, sheet)
    if as_json:
        print(json.dumps({"persona": str(output), "bytes": output.stat().st_size}))  # noqa: T201
    else:
        typer.echo(f"{output}  {output.stat().st_size / 1e6:.1f} MB")


def _draw_sheet(made: "Persona", sheet: Path) -> None:
    from PIL import Image

    from avatar_engine.persona import contact_sheet

    content = io.BytesIO()
    Image.fromarray(contact_sheet(made)).save(
        content, Image.registered_extensions()[sheet.suffix.lower()]
    )
    _write(sheet, content.getvalue())


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
        _refuse("--text", text, "there is nothing to say")
    if 48_000 % fps:
        _refuse("--fps", f"{fps:g}", "it does not divide 48000; write 25 or 30")
    _check_output("--output", output, (".mp4", ".mov", ".webm"))
    with _one_line_errors():
        from avatar_engine.engine import Background, open_engine, open_plain_renderer
        from avatar_engine.engine.offline import render_speech, render_turntable
        from avatar_engine.persona import open_persona

        scene = Background.named(background)
        made = open_persona(persona_file, has_compensation=compensation is Switch.ON)
        with _bar("Rendering") as step:

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


@app.command()
def evaluate(
    clips: Annotated[Path, typer.Argument(help="A folder of videos, one face each.")],
    as_json: Annotated[
        Path, typer.Option("--json", help="Write the report there; - for standard output.")
    ],
    sheet: Annotated[
        Path | None, typer.Option(help="Also draw original, ours and difference (PNG).")
    ] = None,
    people: Annotated[
        Path | None,
        typer.Option(help="CSV with the columns clip and person, where one person has several."),
    ] = None,
    every: Annotated[
        int, typer.Option(help="Compare every so many pictures; all are tracked.", min=1, max=100)
    ] = 4,
    most: Annotated[int, typer.Option(help="Pictures of each clip to look at.", min=8)] = 500,
    compensation: CompensationOption = Switch.ON,
) -> None:
    """Measure self-reenactment: each clip's first frame is driven by its others.

    Ours against the first frame held (static) and against a 2-D warp that is told the landmarks.
    """
    if str(as_json) != "-":
        _check_output("--json", as_json, ())
    if sheet is not None:
        _check_output("--sheet", sheet, (".png", ".jpg", ".jpeg", ".webp"))
    with _one_line_errors():
        from avatar_engine.evaluation.clips import Skipped, find_clips, read_clip, read_people
        from avatar_engine.evaluation.measure import ClipResult, measure_clip
        from avatar_engine.evaluation.report import summarise, table

        known = read_people(people)
        files = find_clips(clips)
        results: list[ClipResult] = []
        skipped: list[Skipped] = []
        with _bar("Evaluating") as step:
            for number, file in enumerate(files):
                done = number / len(files)
                step(file.stem, done)
                clip = read_clip(file, known, most=most)

                def advance(share: float, at: float = done, name: str = file.stem) -> None:
                    step(name, at + share / len(files))

                result: ClipResult | Skipped = (
                    clip
                    if isinstance(clip, Skipped)
                    else measure_clip(
                        clip,
                        every=every,
                        has_compensation=compensation is Switch.ON,
                        progress=advance,
                    )
                )
                if isinstance(result, Skipped):
                    skipped.append(result)
                else:
                    results.append(result)
        asked = {"compensation": compensation.value, "every": every, "most": most}
        report = asked | summarise(results, skipped)
        if sheet is not None:
            from PIL import Image

            from avatar_engine.evaluation.contact import draw_sheet

            content = io.BytesIO()
            Image.fromarray(draw_sheet(results)).save(
                content, Image.registered_extensions()[sheet.suffix.lower()]
            )
            _write(sheet, content.getvalue())
        text = json.dumps(report, indent=1) + "\n"
        if str(as_json) == "-":
            sys.stdout.write(text)
        else:
            _write(as_json, text.encode())
    for one in skipped:
        typer.echo(f"skipped {one.name}: {one.reason}", err=True)
    typer.echo(table(report), err=str(as_json) == "-")
    if not results:
        _refuse("CLIPS", str(clips), "none of its videos could be measured; see above")


@app.command()
def bench(
    persona_file: Annotated[
        Path, typer.Argument(help="A .persona file, or a photo, whose making is measured too.")
    ],
    as_json: Annotated[
        Path | None, typer.Option("--json", help="Write the figures there; - for standard output.")
    ] = None,
    size: Size = "512",
    seconds: Annotated[
        float, typer.Option(help="Length of the measured performance.", min=0.4, max=3600)
    ] = 6.0,
    renderer: RendererOption = "auto",
    voice: VoiceName = "espeak:en-us",
) -> None:
    """CPU milliseconds per frame, stage by stage."""
    width, height = parse_size(size)
    if as_json is not None and str(as_json) != "-":
        _check_output("--json", as_json, ())
    with _one_line_errors():
        from avatar_engine.engine.bench import measure, table
        from avatar_engine.persona import open_persona

        with _bar("Measuring") as step:
            is_made = persona_file.suffix == ".persona"
            figures = measure(
                open_persona(persona_file) if is_made else None,
                build=lambda: open_persona(persona_file),
                width=width,
                height=height,
                seconds=seconds,
                renderer=cast("RendererName", renderer),
                voice=voice,
                progress=lambda share: step("Measuring", share),
            )
    report = json.dumps(figures, indent=1)
    if as_json is None:
        table(figures)
    elif str(as_json) == "-":
        typer.echo(report)
    else:
        with _one_line_errors():
            _write(as_json, f"{report}\n".encode())
        typer.echo(str(as_json))


@app.command()
def voices(
    language: Annotated[str, typer.Argument(help="Only these, such as en or cmn.")] = "",
) -> None:
    """List the voices of this machine."""
    with _one_line_errors():
        from avatar_engine.speech import list_voices

        wanted = _CHINESE if language.lower() == "zh" else (language.lower(),)
        found = [v for v in list_voices() if v.language.lower().startswith(wanted)]
        if not found:
            raise VoiceError(f"no voice speaks {language!r}; leave it out to see them all")
        for voice in found:
            typer.echo(f"{voice.name:<24} {voice.description}")


@app.command("warm-up")
def warm_up() -> None:
    """Compile and cache the kernels; done once, at set-up."""
    with _one_line_errors():
        import numpy as np

        from avatar_engine.gaussian.zbuffer import nearest
        from avatar_engine.render.cpu.warm_up import warm_up as warm_render

        with _bar("Compiling kernels") as step:
            warm_render(lambda share: step("Compiling the renderer's kernels", share * 0.9))
            step("Compiling the persona's kernels", 0.9)
            nearest(np.zeros((3, 3)), np.zeros((1, 3), np.int32), width=8, height=8)


def _write(path: Path, content: bytes) -> None:
    """Write a file, or leave none behind."""
    try:
        path.write_bytes(content)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise AvatarEngineError(f"cannot write {path}: {error.strerror}") from error


def _refuse(option: str, value: str, reason: str) -> NoReturn:
    raise typer.BadParameter(f"{value!r}: {reason}", param_hint=option)


def _check_output(option: str, path: Path, endings: tuple[str, ...]) -> None:
    """Refuse a place that cannot be written before the slow work, not after it."""
    folder = path.absolute().parent
    if path.is_dir():
        _refuse(option, str(path), "it is a folder; name a file in it")
    if endings and path.suffix.lower() not in endings:
        _refuse(option, str(path), f"the name must end in {' or '.join(endings)}")
    if not folder.is_dir():
        _refuse(option, str(path), "its folder does not exist")
    if not os.access(folder, os.W_OK):
        _refuse(option, str(path), "its folder may not be written")


@contextmanager
def _one_line_errors() -> Iterator[None]:
    """An expected failure is one line and status 2, never a traceback; a signal ends cleanly."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    try:
        yield
    except AvatarEngineError as error:
        typer.secho(f"error: {error}", err=True, fg=typer.colors.RED)
        raise typer.Exit(2) from error
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@contextmanager
def _bar(title: str) -> Iterator[Callable[[str, float], None]]:
    """A progress bar on standard error; yields ``step(what, share)``."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    is_plain = not console.is_terminal  # a log would get the empty line the bar leaves behind
    with Progress(*columns, console=console, transient=True, disable=is_plain) as progress:
        task = progress.add_task(title, total=1.0)
        yield lambda what, share: progress.update(task, description=what, completed=share)
