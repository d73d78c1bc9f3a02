"""The inner loops of carrying a picture on into a hole, patch by patch."""

from functools import partial

import numpy as np

from avatar_engine.device import compiled

HALF = 3  # pixels; a patch is 7 x 7
_STRICT = 60.0  # votes fall to 1/e at a mean squared difference of 1/60


@partial(compiled, nogil=True, fastmath=True)
def _unlike(picture, trust, y, x, v, u, most):  # type: ignore[no-untyped-def]
    """Sum of squared differences of the patches around (y, x) and (v, u), by trust; or more than
    ``most``, as soon as it is.
    """
    size = picture.shape[0]
    total = np.float32(0)
    for j in range(max(-HALF, -y), min(HALF, size - 1 - y) + 1):
        for i in range(max(-HALF, -x), min(HALF, size - 1 - x) + 1):
            r = picture[y + j, x + i, 0] - picture[v + j, u + i, 0]
            g = picture[y + j, x + i, 1] - picture[v + j, u + i, 1]
            b = picture[y + j, x + i, 2] - picture[v + j, u + i, 2]
            total += trust[y + j, x + i] * (r * r + g * g + b * b)
        if total > most:
            break
    return total


@partial(compiled, nogil=True, fastmath=True)
def search(  # type: ignore[no-untyped-def]
    picture, trust, full, can_give, at, cost, ys, xs, step, chance, far, seed
):
    """One pass of PatchMatch, in place: the places of neighbours are tried, and some of chance.

    Args:
        picture: [N, N, 3] float32, the hole filled as well as is known by now.
        trust: [N, N] float32 weight of a pixel in a patch.
        full: [N, N] float32 sum of the weights of a patch.
        can_give: [N, N] bool middles of patches that may be taken.
        at: [N, N, 2] int32 (y, x) place of each pixel.
        cost: [N, N] float32 mean squared difference there.
        ys: [P] int32 of the pixels to place, row by row.
        xs: [P] int32.
        step: 1 down the rows, -1 up again.
        chance: Pixels; how far from the best place to look at first.
        far: Cost of a place a whole picture's width away, sideways.
        seed: Of chance.
    """
    size = picture.shape[0]
    state = np.uint32(747796405 * (seed + 1) + 1)
    for n in range(len(ys)):
        k = n if step > 0 else len(ys) - 1 - n
        y, x = ys[k], xs[k]
        weight = max(full[y, x], np.float32(1e-6))
        best, v, u = np.float32(3e38), at[y, x, 0], at[y, x, 1]
        reach = chance
        tries = 0
        while tries < 3 or reach >= 1:
            if tries == 0:
                q, p = v, u
            elif tries < 3:
                b, a = (y, x - step) if tries == 1 else (y - step, x)
                q, p = -1, -1
                if 0 <= a < size and 0 <= b < size and full[b, a] > 0:
                    q, p = at[b, a, 0] + y - b, at[b, a, 1] + x - a
            else:
                state = np.uint32(state * np.uint32(1664525) + np.uint32(1013904223))
                up = (state >> np.uint32(8)) / 8388608.0 - 1
                state = np.uint32(state * np.uint32(1664525) + np.uint32(1013904223))
                aside = (state >> np.uint32(8)) / 8388608.0 - 1
                q, p = int(v + up * reach), int(u + aside * reach)
                reach /= 2
            tries += 1
            if q < 0 or p < 0 or q >= size or p >= size or not can_give[q, p]:
                continue
            rise, run = (q - y) / size, (p - x) / size
            away = np.float32(far * (run * run + 2 * rise * rise)) * weight
            if away >= best:
                continue
            found = away + _unlike(picture, trust, y, x, q, p, best - away)
            if found < best:
                best, v, u = found, q, p
        at[y, x, 0], at[y, x, 1] = v, u
        cost[y, x] = best / weight


@partial(compiled, nogil=True, fastmath=True)
def vote(picture, known, trust, is_gone, at, cost, ys, xs):  # type: ignore[no-untyped-def]
    """What the patches over each pixel of the hole say of it [N, N, 3].

    Args:
        picture: [N, N, 3] float32 before.
        known: [N, N, 3] float32 whose patches are taken.
        trust: [N, N] float32.
        is_gone: [N, N] bool the hole; other pixels stay.
        at: [N, N, 2] int32 (y, x) place of each pixel.
        cost: [N, N] float32 how unlike its patch is.
        ys: [P] int32 of the placed pixels.
        xs: [P] int32.
    """
    size = picture.shape[0]
    total = np.zeros((size, size, 4), np.float32)
    for k in range(len(ys)):
        y, x = ys[k], xs[k]
        v, u = at[y, x, 0], at[y, x, 1]
        weight = np.float32(trust[y, x] * np.exp(-_STRICT * cost[y, x]) + 1e-12)
        for j in range(max(-HALF, -y), min(HALF, size - 1 - y) + 1):
            for i in range(max(-HALF, -x), min(HALF, size - 1 - x) + 1):
                if is_gone[y + j, x + i]:
                    for c in range(3):
                        total[y + j, x + i, c] += weight * known[v + j, u + i, c]
                    total[y + j, x + i, 3] += weight
    out = picture.copy()
    for y in range(size):
        for x in range(size):
            if total[y, x, 3] > 0:
                for c in range(3):
                    out[y, x, c] = total[y, x, c] / total[y, x, 3]
    return out


@partial(compiled, nogil=True, fastmath=True)
def _spline(away):  # type: ignore[no-untyped-def]
    """The quadratic B-spline's weight at a distance in steps."""
    away = abs(away)
    if away < 0.5:
        return np.float32(0.75 - away * away)
    return np.float32(0.5 * (1.5 - away) ** 2 if away < 1.5 else 0.0)


@partial(compiled, nogil=True, fastmath=True)
def fetch(picture, offset, is_set, ys, xs, out):  # type: ignore[no-untyped-def]
    """Paint pixels with the picture at their offsets, blended over the nine nearest ones.

    Args:
        picture: [S, S, 3] float32.
        offset: [N, N, 2] float32 (x, y) shares of the width.
        is_set: [N, N] bool.
        ys: [P] int32 pixels to paint.
        xs: [P] int32.
        out: [S, S, 3] float32, painted on.
    """
    size, coarse = picture.shape[0], offset.shape[0]
    for k in range(len(ys)):
        y, x = ys[k], xs[k]
        gy, gx = (y + 0.5) * coarse / size, (x + 0.5) * coarse / size
        row, column = int(gy), int(gx)
        r = g = b = weight = np.float32(0)
        for j in range(-1, 2):
            for i in range(-1, 2):
                n, m = min(max(row + j, 0), coarse - 1), min(max(column + i, 0), coarse - 1)
                if not is_set[n, m]:
                    continue
                share = _spline(gy - row - 0.5 - j) * _spline(gx - column - 0.5 - i)
                sy = min(max(y + offset[n, m, 1] * size, 0.0), size - 1.001)
                sx = min(max(x + offset[n, m, 0] * size, 0.0), size - 1.001)
                v, u = int(sy), int(sx)
                fy, fx = np.float32(sy - v), np.float32(sx - u)
                for q in range(2):
                    for p in range(2):
                        part = share * (fy if q else 1 - fy) * (fx if p else 1 - fx)
                        r += part * picture[v + q, u + p, 0]
                        g += part * picture[v + q, u + p, 1]
                        b += part * picture[v + q, u + p, 2]
                        weight += part
        if weight > 0:
            out[y, x, 0], out[y, x, 1], out[y, x, 2] = r / weight, g / weight, b / weight
