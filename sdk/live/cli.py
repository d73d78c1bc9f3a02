"""The commands a person types. Nothing heavy is imported before a command runs."""

from pathlib import Path
from typing import Annotated

import typer

from avatar_engine.cli import OneLineErrors


class _Commands(OneLineErrors):
    def complain(self, message: str) -> None:
        from sdk.live.options import complain

        complain(message)


app = typer.Typer(
    cls=_Commands,
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="A live avatar, made from one photo, presents a catalogue over WebRTC.",
)
console = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Livepitch: one face photo and a catalogue become a live seller.",
)

Persona = Annotated[
    Path | None,
    typer.Option("--persona", help="A photo of one face, or a .persona file.", metavar="FILE"),
]
CatalogueFile = Annotated[
    Path | None, typer.Option("--catalogue", help="What to sell: a CSV file.", metavar="FILE")
]
Voice = Annotated[
    str,
    typer.Option(help="espeak:LANGUAGE, piper:FILE.onnx or openai:URL#MODEL/VOICE."),
]
Host = Annotated[str, typer.Option(help="Address to listen on; beyond loopback needs --token.")]
Port = Annotated[
    int, typer.Option(help="Port of the page; 0 takes any free one.", min=0, max=65535)
]
Size = Annotated[str, typer.Option(help="Picture: 512, or WIDTHxHEIGHT such as 720x1280.")]
Fps = Annotated[float, typer.Option(help="Frames per second; divides 48000.", min=1, max=60)]
Renderer = Annotated[str, typer.Option(help="auto, reference, cpu or cuda.")]
Output = Annotated[
    list[str] | None,
    typer.Option(
        "--output", help="webrtc (the default) or FILE.mp4; repeat for several.", metavar="WHERE"
    ),
]
Database = Annotated[
    str | None,
    typer.Option(help="Where the shop is kept: SQLAlchemy URL or SQLite file; 'memory' forgets."),
]
Seconds = Annotated[float | None, typer.Option(help="End after so many seconds.", min=0.04)]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Do not open the page.")]
Token = Annotated[
    str | None,
    typer.Option(help="Your secret for controlling the show (also LIVEPITCH_TOKEN)."),
]
Consent = Annotated[
    str | None, typer.Option(help="Who agreed to be shown, and to what; kept in the persona.")
]
Name = Annotated[str | None, typer.Option(help="The presenter's name on the page.")]
NoScript = Annotated[
    bool, typer.Option("--no-script", help="Only answer and say what you send; present nothing.")
]
Seed = Annotated[int, typer.Option(help="Same seed, same words and motion.", min=0)]
AsJson = Annotated[bool, typer.Option("--json", help="Print results as JSON.")]


def live(
    context: typer.Context,
    persona: Persona = None,
    catalogue: CatalogueFile = None,
    voice: Voice = "espeak:en-us",
    host: Host = "127.0.0.1",
    port: Port = 8010,
    size: Size = "512",
    fps: Fps = 25.0,
    renderer: Renderer = "auto",
    output: Output = None,
    database: Database = None,
    seconds: Seconds = None,
    no_browser: NoBrowser = False,
    token: Token = None,
    consent: Consent = None,
    name: Name = None,
    no_script: NoScript = False,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Start a live avatar from one photo and print its page's address."""
    if context.invoked_subcommand is not None:
        return
    if persona is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)
    from sdk.errors import SettingsError
    from sdk.live.options import REFUSED, Options, check, complain

    options = Options(
        persona=persona,
        catalogue=catalogue,
        voice=voice,
        host=host,
        port=port,
        size=size,
        fps=fps,
        renderer=renderer,
        outputs=tuple(output or ("webrtc",)),
        database=database,
        seconds=seconds,
        opens_browser=not no_browser,
        token=token,
        consent=consent,
        name=name,
        script=not no_script,
        seed=seed,
        as_json=as_json,
    )
    try:
        access = check(options)
    except SettingsError as error:
        complain(str(error))
        raise typer.Exit(REFUSED) from None
    from sdk.live.show import run  # after the checks: it takes seconds to import

    raise typer.Exit(run(options, access))


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check this machine: Python, kernels, voices, codecs, ports, browser."""
    from sdk.live.doctor import report

    raise typer.Exit(report(as_json=as_json))


app.callback()(live)
app.command()(doctor)
console.command(name="live")(live)
console.command()(doctor)

_PASS_ON = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": list[str](),
}


@console.command(context_settings=_PASS_ON, add_help_option=False)
def persona(context: typer.Context) -> None:
    """Build a persona from one photo."""
    from avatar_engine.cli import app as engine

    engine(["persona", *context.args], prog_name="livepitch")


@console.command(context_settings=_PASS_ON, add_help_option=False)
def render(context: typer.Context) -> None:
    """Render a video of a persona speaking, or turning around."""
    from avatar_engine.cli import app as engine

    engine(["render", *context.args], prog_name="livepitch")


@console.command(context_settings=_PASS_ON, add_help_option=False)
def catalogue(context: typer.Context) -> None:
    """Import a catalogue, or search it: livepitch catalogue import FILE."""
    from commerce.cli import app as shop

    shop(context.args, prog_name="livepitch catalogue")
