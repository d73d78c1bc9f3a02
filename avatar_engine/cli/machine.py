"""``voices`` and ``warm-up``: what this machine has, and what it keeps compiled."""

from typing import Annotated

import typer

from avatar_engine.cli.console import app, bar, one_line_errors
from avatar_engine.errors import VoiceError

_CHINESE = ("cmn", "yue", "hak")  # espeak's names of what most people call zh


@app.command()
def voices(
    language: Annotated[str, typer.Argument(help="Only these, such as en or cmn.")] = "",
) -> None:
    """List the voices of this machine."""
    with one_line_errors():
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
    with one_line_errors():
        import numpy as np

        from avatar_engine.gaussian.background import without_person
        from avatar_engine.gaussian.zbuffer import nearest
        from avatar_engine.render.cpu.warm_up import warm_up as warm_render

        with bar("Compiling kernels") as step:
            warm_render(lambda share: step("Compiling the renderer's kernels", share * 0.9))
            step("Compiling the persona's kernels", 0.9)
            nearest(np.zeros((3, 3)), np.zeros((1, 3), np.int32), width=8, height=8)
            person = np.pad(np.ones((64, 64), np.float32), 32)
            without_person(np.zeros((*person.shape, 3), np.float32), person, chin=0.5)
