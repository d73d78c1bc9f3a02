"""``bench``: CPU milliseconds of a frame, and of making a persona."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from avatar_engine.cli.console import (
    RendererOption,
    Size,
    VoiceName,
    app,
    bar,
    check_output,
    one_line_errors,
    parse_size,
    write_file,
)

if TYPE_CHECKING:
    from avatar_engine.render import RendererName


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
        check_output("--json", as_json, ())
    with one_line_errors():
        from avatar_engine.engine.bench import measure, table
        from avatar_engine.persona import open_persona

        with bar("Measuring") as step:
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
        with one_line_errors():
            write_file(as_json, f"{report}\n".encode())
        typer.echo(str(as_json))
