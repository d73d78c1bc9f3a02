"""What has to be settled before personas can be drawn: the stage, and room for their keys."""

from collections.abc import Sequence

import torch

from avatar_engine.render.gpu.detail_source import packed_detail
from avatar_engine.render.gpu.drawing import Drawing, Grain
from avatar_engine.render.gpu.inputs import write_inputs
from avatar_engine.render.gpu.packed import PackedPersona, Scene, pack
from avatar_engine.render.gpu.stage import Stage
from avatar_engine.render.protocol import RenderConfig
from avatar_engine.types import FaceState

_ROOM = 1.5
"""Keys that there is room for, per key of the source view: turned heads show as many."""


def room_for(keys: int) -> int:
    """The capacity that suits a frame or batch which wanted so many keys."""
    return -(-int(_ROOM * keys + 1) // 4096) * 4096


def set_the_stage(
    scenes: Sequence[Scene], config: RenderConfig, grain: Grain, device: torch.device
) -> tuple[Stage, int]:
    """Pack personas and look at each photo's own view.

    Returns:
        The stage, and the capacity that one frame needs.

    Raises:
        RenderError: A persona is too large, or its plates do not fit.
    """
    personas = [pack(scene, config) for scene in scenes]
    views = [_as_photographed(persona, config, grain, device) for persona in personas]
    capacity = max(view.capacity for view in views)
    has_photo = any(plates.photo.size for _, plates, _ in scenes)
    details = [
        packed_detail(persona, config, view)
        for persona, view in zip(personas, views, strict=True)
        if has_photo
    ]
    return Stage(personas, details, grain.texels, device), capacity


def _as_photographed(
    persona: PackedPersona, config: RenderConfig, grain: Grain, device: torch.device
) -> Drawing:
    """The persona's source view, drawn alone, with a capacity that suits it."""
    maps = persona.scene[0]
    alone = Stage([persona], [], grain.texels, device)
    capacity = room_for(len(maps.positions))
    while True:
        drawing = Drawing(alone, config, 1, capacity, grain)
        row = torch.zeros(alone.input_length)
        state = FaceState(blendshapes=maps.source - maps.rest)
        write_inputs(row.numpy(), 0, persona, state, source_residual=1.0)
        drawing.inputs[0] = row
        drawing.launch()
        if drawing.wanted() <= capacity:
            return drawing
        capacity = room_for(drawing.wanted())
