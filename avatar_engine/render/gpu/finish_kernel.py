# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls
"""The Triton kernel of steps 10-13: light, plates and detail become a picture's bytes."""

import triton
import triton.language as tl

from avatar_engine.render import detail_definition as dd
from avatar_engine.render.colour import RGB_TO_YUV
from avatar_engine.render.gpu import layout

_C = tl.constexpr
_SLIDE = _C(int(layout.Input.SLIDE))
_FAINTEST = _C(dd.DETAIL_FAINTEST)
_MATRIX = [[_C(float(value)) for value in row] for row in RGB_TO_YUV]
(_YR, _YG, _YB), (_UR, _UG, _UB), (_VR, _VG, _VB) = _MATRIX
RGB, RGBA, I420 = 0, 1, 2
_RGBA, _I420 = _C(RGBA), _C(I420)


@triton.jit
def finish(inputs, canvas, plates, follow, missing, flow, picture, length, width, height,
           frame_bytes, rows, columns, cell_px, FORMAT: tl.constexpr, ZOOM: tl.constexpr,
           HAS_DETAIL: tl.constexpr, BLOCK: tl.constexpr):  # fmt: skip
    """Pictures uint8 [F, bytes]; one lane does 2 x 2 pixels, which share chroma and flow."""
    frame = tl.program_id(1).to(tl.int64)
    quad = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    is_quad = quad < width // 2 * (height // 2)
    left, top = quad % (width // 2) * 2, quad // (width // 2) * 2
    given = inputs + frame * length
    persona = tl.load(given).to(tl.int64)
    slide_x, slide_y = tl.load(given + _SLIDE), tl.load(given + _SLIDE + 1)
    area = width * height
    head = canvas + frame * 4 * (area // (ZOOM * ZOOM))
    behind = plates + persona * 7 * area
    out = picture + frame * frame_bytes
    size: tl.constexpr = 4 if FORMAT == _RGBA else 3
    if HAS_DETAIL:
        first, last, look_x, look_y, is_clear, begin, run = _run_of_flow(
            flow + frame * 3 * rows * columns, left, top, rows, columns, cell_px, is_quad
        )
    blue_sum = tl.zeros([BLOCK], tl.float32)
    red_sum = tl.zeros([BLOCK], tl.float32)
    for pixel in range(4):
        x, y = left + pixel % 2, top + pixel // 2
        share = tl.load(follow + persona * height + y, mask=is_quad, other=0.0)
        from_x = _within(x - share * slide_x, width)
        from_y = _within(y - share * slide_y, height)
        light = _brought_up(head, 3, x, y, width, height, ZOOM, is_quad)
        cover = _between(behind + 3 * area, from_x, from_y, width, height, is_quad)
        at = y * width + x
        red = _composed(head, behind, 0, light, cover, from_x, from_y, x, y, width, height,
                        ZOOM, is_quad)  # fmt: skip
        green = _composed(head, behind, 1, light, cover, from_x, from_y, x, y, width, height,
                          ZOOM, is_quad)  # fmt: skip
        blue = _composed(head, behind, 2, light, cover, from_x, from_y, x, y, width, height,
                         ZOOM, is_quad)  # fmt: skip
        alpha = 1 - light * (1 - cover)
        if FORMAT == _RGBA:
            straight = tl.maximum(alpha, 1e-6)
            red, green, blue = red / straight, green / straight, blue / straight
        if HAS_DETAIL:
            shown = first + (last - first) * (x - begin).to(tl.float32) / run
            shown = tl.where(is_clear, shown, 0.0)
            dr, dg, db = _looked_up(
                missing + persona * area, x + look_x, y + look_y, width, height, is_quad
            )
            red, green, blue = red + shown * dr, green + shown * dg, blue + shown * db
        if FORMAT == _I420:
            red, green, blue = _shown(red), _shown(green), _shown(blue)
            luma = red * _YR + green * _YG + blue * _YB
            tl.store(out + at, _byte(luma), mask=is_quad)
            blue_sum += red * _UR + green * _UG + blue * _UB
            red_sum += red * _VR + green * _VG + blue * _VB
        else:
            tl.store(out + at * size, _byte(red), mask=is_quad)
            tl.store(out + at * size + 1, _byte(green), mask=is_quad)
            tl.store(out + at * size + 2, _byte(blue), mask=is_quad)
            if FORMAT == _RGBA:
                tl.store(out + at * size + 3, _byte(255 * alpha), mask=is_quad)
    if FORMAT == _I420:
        tl.store(out + area + quad, _byte(blue_sum / 4 + 128), mask=is_quad)
        tl.store(out + area + area // 4 + quad, _byte(red_sum / 4 + 128), mask=is_quad)


@triton.jit
def _composed(head, behind, channel: tl.constexpr, light, cover, from_x, from_y, x, y, width,
              height, ZOOM: tl.constexpr, is_quad):  # fmt: skip
    """One channel of the head over the body plate over what is farther, in [0, 255]."""
    area = width * height
    body = _between(behind + channel * area, from_x, from_y, width, height, is_quad)
    far = tl.load(behind + (4 + channel) * area + y * width + x, mask=is_quad, other=0.0)
    color = _brought_up(head, channel, x, y, width, height, ZOOM, is_quad)
    return 255 * color + light * (body + (1 - cover) * far)


@triton.jit
def _brought_up(head, plane: tl.constexpr, x, y, width, height, ZOOM: tl.constexpr, is_quad):
    """A plane of the canvas at a pixel of the picture."""
    if ZOOM == 1:
        return tl.load(head + plane * width * height + y * width + x, mask=is_quad, other=0.0)
    else:
        w, h = width // ZOOM, height // ZOOM
        at_x = _within((x.to(tl.float32) + 0.5) / ZOOM - 0.5, w)
        at_y = _within((y.to(tl.float32) + 0.5) / ZOOM - 0.5, h)
        return _between(head + plane * w * h, at_x, at_y, w, h, is_quad)


@triton.jit
def _within(place, length):
    """Edges go on for ever."""
    return tl.minimum(tl.maximum(place, 0.0), length - 1.0)


@triton.jit
def _between(plane, x, y, width, height, is_quad):
    """A plane [height * width] at places within it, bilinearly."""
    x0, y0 = tl.floor(x).to(tl.int32), tl.floor(y).to(tl.int32)
    gx, gy = x - x0, y - y0
    x1, y1 = tl.minimum(x0 + 1, width - 1), tl.minimum(y0 + 1, height - 1)
    a = tl.load(plane + y0 * width + x0, mask=is_quad, other=0.0)
    b = tl.load(plane + y0 * width + x1, mask=is_quad, other=0.0)
    c = tl.load(plane + y1 * width + x0, mask=is_quad, other=0.0)
    d = tl.load(plane + y1 * width + x1, mask=is_quad, other=0.0)
    upper, lower = a + (b - a) * gx, c + (d - c) * gx
    return upper + (lower - upper) * gy


@triton.jit
def _run_of_flow(flow, left, top, rows, columns, cell_px, is_quad):
    """The flow of a run of two cells of two rows, and its weights at begin and end."""
    run = tl.maximum(2 * cell_px, 8)
    begin = left // run * run
    cells = rows * columns
    down = (top.to(tl.float32) + 1.0) / cell_px - 0.5  # between two rows
    begins = (begin.to(tl.float32) + 0.5) / cell_px - 0.5
    half = run / (2.0 * cell_px)
    y = _within(down, rows)
    x0, x1 = _within(begins, columns), _within(begins + half, columns)
    x2 = _within(begins + 2 * half, columns)
    w0 = _between(flow, x0, y, columns, rows, is_quad)
    w1 = _between(flow, x1, y, columns, rows, is_quad)
    w2 = _between(flow, x2, y, columns, rows, is_quad)
    total = tl.maximum(w0 + 2 * w1 + w2, 1e-12)
    look_x = _mean_of_run(flow + cells, x0, x1, x2, y, columns, rows, is_quad) / total
    look_y = _mean_of_run(flow + 2 * cells, x0, x1, x2, y, columns, rows, is_quad) / total
    is_clear = tl.maximum(w0, tl.maximum(w1, w2)) >= _FAINTEST
    return w0, w2, look_x, look_y, is_clear, begin, run


@triton.jit
def _mean_of_run(plane, x0, x1, x2, y, columns, rows, is_quad):
    middle = _between(plane, x1, y, columns, rows, is_quad)
    ends = _between(plane, x0, y, columns, rows, is_quad)
    return ends + 2 * middle + _between(plane, x2, y, columns, rows, is_quad)


@triton.jit
def _looked_up(missing, x, y, width, height, is_quad):
    """Differences between pixels, three signed bytes in a word; nothing outside the photo."""
    x = tl.minimum(tl.maximum(x, -1.0), width.to(tl.float32))
    y = tl.minimum(tl.maximum(y, -1.0), height.to(tl.float32))
    x0, y0 = tl.floor(x).to(tl.int32), tl.floor(y).to(tl.int32)
    gx, gy = x - x0, y - y0
    red = tl.zeros_like(x)
    green = tl.zeros_like(x)
    blue = tl.zeros_like(x)
    for corner in tl.static_range(4):
        cx, cy = x0 + corner % 2, y0 + corner // 2
        weight = (gx if corner % 2 else 1 - gx) * (gy if corner // 2 else 1 - gy)
        is_there = is_quad & (cx >= 0) & (cx < width) & (cy >= 0) & (cy < height)
        word = tl.load(missing + cy * width + cx, mask=is_there, other=0)
        red += weight * (word << 24 >> 24)
        green += weight * (word << 16 >> 24)
        blue += weight * (word << 8 >> 24)
    return red, green, blue


@triton.jit
def _shown(value):
    return tl.minimum(tl.maximum(value, 0.0), 255.0)


@triton.jit
def _byte(value):
    """To the nearest byte."""
    return _shown(value + 0.5).to(tl.uint8)
