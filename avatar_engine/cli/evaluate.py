"""``evaluate``: how near self-reenactment comes to the clips themselves."""

import io
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from avatar_engine.cli.console import (
    CompensationOption,
    Switch,
    app,
    bar,
    check_output,
    one_line_errors,
    refuse,
    write_file,
)


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
        check_output("--json", as_json, ())
    if sheet is not None:
        check_output("--sheet", sheet, (".png", ".jpg", ".jpeg", ".webp"))
    with one_line_errors():
        from avatar_engine.evaluation.clips import Skipped, find_clips, read_clip, read_people
        from avatar_engine.evaluation.measure import ClipResult, measure_clip
        from avatar_engine.evaluation.report import summarise, table

        known = read_people(people)
        files = find_clips(clips)
        results: list[ClipResult] = []
        skipped: list[Skipped] = []
        with bar("Evaluating") as step:
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
            write_file(sheet, content.getvalue())
        text = json.dumps(report, indent=1) + "\n"
        if str(as_json) == "-":
            sys.stdout.write(text)
        else:
            write_file(as_json, text.encode())
    for one in skipped:
        typer.echo(f"skipped {one.name}: {one.reason}", err=True)
    typer.echo(table(report), err=str(as_json) == "-")
    if not results:
        refuse("CLIPS", str(clips), "none of its videos could be measured; see above")
