"""``persona``: a persona from one photo."""

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from avatar_engine.cli.console import (
    CompensationOption,
    Switch,
    app,
    bar,
    check_output,
    one_line_errors,
    write_file,
)

if TYPE_CHECKING:
    from avatar_engine.persona import Persona


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
    check_output("--output", output, (".persona",))
    if sheet is not None:
        check_output("--sheet", sheet, (".png", ".jpg", ".jpeg", ".webp"))
    with one_line_errors():
        from avatar_engine.persona import build_persona

        source = sys.stdin.buffer.read() if str(photo) == "-" else photo
        with bar("Building the persona") as step:
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
    write_file(sheet, content.getvalue())
