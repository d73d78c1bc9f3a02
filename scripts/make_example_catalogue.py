"""Draws the pictures of ``examples/catalogue.csv``: one function per product, all of them ours.

Usage: ``python scripts/make_example_catalogue.py [SKU …]``
"""

import csv
import math
import random
import sys
from collections.abc import Callable
from pathlib import Path

from soft_shapes import (
    Picture,
    blob,
    both,
    ellipse,
    polygon,
    rounded,
    smooth,
    stroke,
    turned,
    within,
    without,
)

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"


def _headphones() -> Picture:
    p = Picture("#e7dfd3")
    p.shadow(800, 1345, 470, 60)
    band = smooth(
        [(395, 900), (400, 620), (560, 345), (800, 265), (1040, 345), (1200, 620), (1205, 900)]
    )
    p.cylinder(stroke(band, 92), "#8fa48d")
    p.fill(stroke([(x, y + 6) for x, y in band[30:-30]], 34), "#aebfa9")
    inner = smooth([(520, 560), (640, 405), (800, 352), (960, 405), (1080, 560)])
    p.blend(stroke(inner, 54), "#5d6c5e", "#47544a")
    for side in (-1, 1):
        x = 800 + side * 395
        p.blend(stroke([(x, 700), (x, 900)], 40), "#dfe3dc", "#a9b0a8", 0)
        cushion = ellipse(x - side * 70, 1010, 100, 240)
        p.ball(cushion, "#56655a", 0.6)
        p.dusk(within(cushion, ellipse(x - side * 105, 1010, 52, 190)), 0.5, 22)
        shell = blob(
            [
                (x - side * 60, 760),
                (x + side * 60, 800),
                (x + side * 105, 1010),
                (x + side * 60, 1225),
                (x - side * 60, 1262),
                (x - side * 28, 1010),
            ]
        )
        p.ball(shell, "#93a990", 0.55)
        p.gloss(within(shell, ellipse(x + side * 20 - 18, 900, 26, 90, 8)), 0.4)
        p.fill(ellipse(x + side * 42, 1015, 30, 78), "#7f957d")
        p.fill(ellipse(x + side * 42, 1015, 18, 58), "#a8bba4")
    return p


def _lamp() -> Picture:
    p = Picture("#f1e2cf", "#fff6e0")
    p.shadow(900, 1375, 400, 58)
    glow = polygon([(415, 770), (790, 640), (900, 1370), (130, 1370)])
    p.gloss(glow, 0.42, 70)
    p.blend(ellipse(930, 1350, 300, 62), "#b8573a", "#8f3f2a")
    p.blend(ellipse(930, 1322, 300, 60), "#d9734f", "#c05c3c", 20)
    p.gloss(ellipse(850, 1308, 130, 16), 0.3)
    arm = smooth([(930, 1315), (1105, 1090), (1180, 880)])
    p.blend(stroke(arm, 40), "#c9633f", "#a74c31", 0)
    fore = [(1180, 880), (905, 560), (740, 450)]
    p.blend(stroke(smooth(fore), 36), "#d36d49", "#ab5034")
    p.ball(ellipse(1180, 880, 52, 52), "#f0d7b5")
    p.ball(ellipse(1180, 880, 20, 20), "#b08c5f")
    head = turned(
        [(560, 330), (720, 330), (770, 420), (880, 700), (400, 700), (510, 420)], 640, 520, 20
    )
    p.blend(ellipse(557, 688, 245, 60, 20), "#fff3c8", "#ffe08a")
    hood = polygon(smooth(head, is_closed=True))
    p.cylinder(without(hood, ellipse(557, 708, 240, 62, 20)), "#dd7752", 20)
    p.ball(ellipse(578, 690, 85, 58, 20), "#fffbe6", 0.12)
    p.gloss(polygon(turned([(560, 400), (600, 390), (560, 640), (480, 650)], 640, 520, 20)), 0.28)
    p.ball(ellipse(735, 300, 46, 40, 20), "#c4613f")
    return p


def _thermos() -> Picture:
    p = Picture("#d9e6dc")
    p.shadow(800, 1425, 255, 46)
    p.cylinder(rounded(600, 470, 1000, 1435, 60), "#3f6b53")
    p.cylinder(rounded(600, 1370, 1000, 1437, 34), "#c9ced0")
    p.cylinder(rounded(612, 428, 988, 520, 26), "#d6dadc")
    cup = polygon([(628, 190), (972, 190), (985, 440), (615, 440)])
    p.cylinder(both(cup, rounded(628, 160, 972, 240, 40)), "#4a7a60")
    p.fill(rounded(615, 425, 985, 442, 8), "#2d4f3c", 0.6)
    p.fill(rounded(640, 258, 960, 268, 5), "#2d4f3c", 0.35)
    p.gloss(rounded(672, 540, 706, 1330, 17), 0.42, 10)
    p.gloss(rounded(668, 210, 698, 410, 15), 0.38, 10)
    ridge = [(690, 1010), (760, 890), (810, 960), (880, 840), (960, 1010)]
    p.fill(polygon(ridge), "#e6efe6")
    p.fill(polygon([(690, 1010), (760, 890), (790, 935), (745, 1010)]), "#bcd0c0")
    p.fill(ellipse(768, 820, 26, 26), "#f2c879")
    p.write("TRAIL", 822, 1075, 62, "#e6efe6")
    return p


def _moisturiser() -> Picture:
    p = Picture("#f3dcd8")
    p.shadow(800, 1275, 430, 62)
    jar = both(rounded(400, 700, 1200, 1290, 130), rounded(400, 690, 1200, 900, 40))
    p.cylinder(jar, "#f4efe9")
    p.blend(within(jar, rounded(440, 780, 1160, 1240, 96)), "#fffaf4", "#f0ddd3")
    p.blend(rounded(520, 860, 1080, 1130, 26), "#fdf9f5", "#f4e9e2", 0)
    p.write("dew", 800, 955, 150, "#b06a5e")
    p.write("FACE MOISTURISER", 800, 1065, 36, "#b98d84")
    p.cylinder(rounded(370, 455, 1230, 715, 56), "#c98576")
    p.blend(ellipse(800, 478, 415, 56), "#e0a394", "#cf8b7c")
    for x in range(400, 1215, 26):
        p.fill(rounded(x, 540, x + 7, 690, 3), "#8f5448", 0.22)
    p.gloss(rounded(452, 520, 490, 690, 19), 0.4)
    p.gloss(rounded(450, 760, 484, 1190, 17), 0.7, 8)
    dab = blob([(1120, 1330), (1200, 1240), (1330, 1250), (1390, 1330), (1300, 1385), (1170, 1385)])
    p.dusk(blob([(1140, 1350), (1240, 1290), (1380, 1330), (1330, 1400), (1190, 1400)]), 0.25)
    p.ball(dab, "#fff7f0", 0.22)
    p.fill(
        stroke(smooth([(1185, 1330), (1235, 1280), (1305, 1292), (1300, 1335), (1255, 1340)]), 14),
        "#ecd3c8",
    )
    return p


def _yoga_mat() -> Picture:
    p = Picture("#e9e0f2")
    p.shadow(790, 1175, 600, 58)
    end = ellipse(1290, 900, 128, 262)
    body = both(rounded(310, 638, 1290, 1162, 0), ellipse(310, 900, 128, 262), end)
    p.cylinder(body, "#a58ec8", 90)
    # The outer edge of the mat, where the roll stops.
    lip = [(235, 1108), (1330, 1108), (1345, 1142), (245, 1146)]
    p.dusk(polygon([(x, y + 18) for x, y in lip]), 0.3, 10)
    p.blend(within(polygon(lip), body), "#b39fd3", "#8a74ad")
    for x in (520, 960):
        rim = [
            (x - 128 * math.sin(t), 900 - 262 * math.cos(t))
            for t in (math.pi * i / 60 for i in range(61))
        ]
        p.dusk(within(stroke([(px + 10, py + 4) for px, py in rim], 70), body), 0.25, 10)
        p.cylinder(within(stroke(rim, 62), body), "#f1e6d2", 90)
    sling = smooth([(400, 1010), (480, 1190), (620, 1290), (760, 1270), (860, 1160), (836, 1010)])
    p.dusk(stroke([(x + 8, y + 14) for x, y in sling], 46), 0.25, 12)
    p.cylinder(stroke(sling, 44), "#eadcc3", 90)
    for x in (398, 838):
        p.fill(rounded(x - 36, 960, x + 36, 1030, 14), "#b99a6b")
        p.fill(rounded(x - 20, 976, x + 20, 1014, 8), "#f1e6d2")
    p.blend(end, "#c9b9e0", "#a48fc6", 60)
    turns = [
        (1290 + 0.475 * r * math.cos(t), 900 + 0.975 * r * math.sin(t))
        for r, t in ((18 + 9.2 * i / 12, i / 12) for i in range(312))
    ]
    p.fill(within(stroke(turns, 13), end), "#6f5a91")
    return p


def _backpack() -> Picture:
    p = Picture("#d8e2ee")
    p.shadow(800, 1420, 430, 60)
    for side in (-1, 1):
        strap = smooth(
            [
                (800 + side * 250, 470),
                (800 + side * 470, 700),
                (800 + side * 480, 1050),
                (800 + side * 370, 1290),
            ]
        )
        p.blend(stroke(strap, 66), "#27364f", "#1e2a40")
    body = both(rounded(400, 470, 1200, 1430, 150), rounded(440, 380, 1160, 700, 60))
    p.cylinder(body, "#37507a")
    p.fill(stroke(smooth([(690, 300), (700, 175), (900, 175), (910, 300)]), 40), "#1f2c44")
    roll = rounded(420, 270, 1180, 430, 78)
    p.cylinder(roll, "#3f5b88", 90)
    p.fill(rounded(420, 424, 1180, 440, 8), "#182238", 0.55)
    for x in (560, 1000):
        p.cylinder(rounded(x, 285, x + 56, 820, 10), "#a9713f")
        p.fill(rounded(x - 12, 590, x + 68, 680, 16), "#d9c08c")
        p.fill(rounded(x + 8, 610, x + 48, 660, 8), "#a9713f")
    pocket = rounded(490, 900, 1110, 1340, 80)
    p.dusk(rounded(490, 912, 1110, 1356, 80), 0.35, 20)
    p.cylinder(pocket, "#415d8c")
    flap = both(
        rounded(480, 880, 1120, 1040, 60), blob([(480, 950), (800, 1130), (1120, 950), (800, 900)])
    )
    p.cylinder(flap, "#48669a")
    p.fill(
        without(
            stroke(smooth([(500, 985), (640, 1068), (800, 1098), (960, 1068), (1100, 985)]), 6),
            rounded(760, 1000, 840, 1160, 10),
        ),
        "#c9d4e6",
        0.5,
    )
    p.cylinder(rounded(768, 1040, 832, 1190, 12), "#a9713f")
    p.ball(ellipse(800, 1150, 17, 17), "#e6d3a3")
    p.gloss(rounded(440, 560, 470, 1250, 15), 0.25)
    return p


def _mug() -> Picture:
    p = Picture("#efe6d6")
    p.shadow(760, 1285, 370, 54)
    handle = without(ellipse(1120, 890, 225, 245), ellipse(1115, 890, 138, 158))
    p.ball(handle, "#e8dcc6", 0.45)
    body = both(rounded(420, 560, 1110, 1290, 120), rounded(420, 560, 1110, 900, 20))
    p.cylinder(body, "#f2e8d5")
    glaze = within(
        body,
        blob(
            [
                (380, 500),
                (1150, 500),
                (1150, 900),
                (1030, 960),
                (930, 905),
                (830, 985),
                (720, 925),
                (610, 1000),
                (520, 935),
                (380, 985),
            ]
        ),
    )
    p.cylinder(glaze, "#7f9fb8")
    chance = random.Random(4)
    for _ in range(90):
        x, y, r = chance.uniform(440, 1090), chance.uniform(620, 1270), chance.uniform(2.5, 6)
        p.fill(within(ellipse(x, y, r, r), body), "#5b4a3a", 0.42)
    p.blend(ellipse(765, 562, 345, 78), "#a9c1d2", "#7f9fb8")
    p.blend(ellipse(765, 568, 312, 62), "#5f7b92", "#86a4ba")
    p.blend(within(ellipse(765, 568, 312, 62), ellipse(765, 592, 298, 50)), "#5a3b26", "#7a5236")
    p.gloss(rounded(478, 640, 512, 1180, 17), 0.5, 9)
    for x, lean in ((660, 1), (780, -1), (890, 1)):
        steam = smooth([(x, 470), (x + 36 * lean, 390), (x - 30 * lean, 290), (x + 24 * lean, 190)])
        p.gloss(stroke(steam, 34), 0.9, 15)
    return p


def _power_bank() -> Picture:
    p = Picture("#dfe5ea")
    p.shadow(800, 1200, 520, 64)
    cable = smooth(
        [
            (1210, 760),
            (1370, 690),
            (1440, 840),
            (1330, 990),
            (1400, 1150),
            (1330, 1260),
            (1120, 1290),
        ]
    )
    p.blend(stroke(cable, 30), "#f4f1ea", "#d9d3c6")
    p.blend(rounded(1000, 1262, 1140, 1318, 16), "#cfc8ba", "#b3ab9b")
    p.fill(rounded(965, 1274, 1005, 1306, 6), "#9aa0a6")
    side = blob(
        turned(
            [
                (310, 640),
                (480, 520),
                (1100, 520),
                (1290, 640),
                (1310, 930),
                (1260, 1110),
                (1080, 1200),
                (520, 1200),
                (340, 1110),
                (290, 930),
            ],
            800,
            860,
            -6,
        )
    )
    p.blend(side, "#4b5966", "#2f3a44")
    top = blob(
        turned(
            [
                (330, 600),
                (500, 480),
                (1100, 480),
                (1270, 600),
                (1295, 850),
                (1245, 1040),
                (1080, 1125),
                (520, 1125),
                (355, 1040),
                (305, 850),
            ],
            800,
            820,
            -6,
        )
    )
    p.ball(top, "#66788a", 0.5)
    p.gloss(
        blob(turned([(430, 590), (560, 530), (900, 530), (860, 600), (560, 640)], 800, 820, -6)),
        0.3,
        26,
    )
    for index, x in enumerate((560, 640, 720, 800)):
        ((lx, ly),) = turned([(x, 1000)], 800, 820, -6)
        p.fill(ellipse(lx, ly, 17, 17), "#a9f0c6" if index < 3 else "#4b5966")
        if index < 3:
            p.gloss(ellipse(lx, ly, 30, 30), 0.4, 14)
    bolt = turned(
        [(830, 640), (740, 800), (805, 800), (770, 915), (880, 745), (812, 745)], 800, 820, -6
    )
    p.fill(polygon(bolt), "#dce5ec")
    p.fill(rounded(1205, 738, 1250, 786, 10), "#cfc8ba")
    return p


def _tea() -> Picture:
    p = Picture("#e4ecd8")
    p.shadow(760, 1330, 360, 54)
    p.cylinder(both(rounded(440, 470, 1080, 1330, 24), ellipse(760, 1330, 320, 48)), "#5f8060")
    p.cylinder(rounded(440, 660, 1080, 1170, 0), "#f5f0dd")
    p.cylinder(both(rounded(425, 330, 1095, 500, 20), ellipse(760, 500, 335, 46)), "#4a6a4d")
    p.blend(ellipse(760, 332, 335, 50), "#7c9c7a", "#5d7e5e")
    p.fill(ellipse(760, 332, 250, 34), "#4a6a4d", 0.35)
    p.write("JASMINE", 760, 1025, 84, "#4a6a4d")
    p.write("PEARL GREEN TEA", 760, 1102, 36, "#7d9274")
    _jasmine(p, 760, 835, 1.15)
    p.gloss(rounded(492, 540, 522, 1290, 15), 0.35, 9)
    chance = random.Random(9)
    spots = [
        (1130, 1345),
        (1205, 1310),
        (1185, 1385),
        (1270, 1365),
        (1330, 1330),
        (1255, 1300),
        (1090, 1400),
    ]
    for x, y in spots:
        p.dusk(ellipse(x + 8, y + 26, 34, 14), 0.3, 10)
        p.ball(ellipse(x, y, 36, 34), "#7d8f5a", 0.6)
        bend = chance.uniform(-12, 12)
        p.fill(stroke(smooth([(x - 24, y - 6), (x, y + bend), (x + 24, y - 4)]), 6), "#56683c")
    _jasmine(p, 330, 1370, 0.95)
    return p


def _jasmine(p: Picture, x: float, y: float, scale: float) -> None:
    for turn in (40, 150, 215):
        leaf = [
            (x, y),
            (x + 90 * scale, y - 42 * scale),
            (x + 175 * scale, y),
            (x + 90 * scale, y + 42 * scale),
        ]
        p.blend(blob(turned(leaf, x, y, turn)), "#8fb07f", "#5c8257")
    for turn in range(0, 360, 72):
        petal = [
            (x, y),
            (x + 42 * scale, y - 40 * scale),
            (x + 108 * scale, y),
            (x + 42 * scale, y + 40 * scale),
        ]
        mask = blob(turned(petal, x, y, turn - 90))
        p.dusk(mask, 0.16, 8)
        p.ball(mask, "#fffdf4", 0.18)
    p.ball(ellipse(x, y, 22 * scale, 22 * scale), "#f2c860", 0.4)


def _scarf() -> Picture:
    p = Picture("#f0dfd3")
    p.shadow(800, 1430, 420, 46, 0.24)
    back = blob(
        [
            (430, 520),
            (560, 330),
            (800, 270),
            (1040, 330),
            (1170, 520),
            (1040, 470),
            (800, 430),
            (560, 470),
        ]
    )
    p.blend(back, "#8f4327", "#70331f")
    tails = [
        [(600, 640), (820, 660), (800, 1310), (545, 1310)],
        [(790, 650), (1000, 640), (1080, 1235), (835, 1255)],
    ]
    for index, tail in enumerate(reversed(tails)):
        mask = polygon(tail)
        bottom_left, bottom_right = tail[3], tail[2]
        for step in range(17):
            share = step / 16
            x = bottom_left[0] + (bottom_right[0] - bottom_left[0]) * share
            y = bottom_left[1] + (bottom_right[1] - bottom_left[1]) * share
            sway = 10 * math.sin(step * 1.7 + index)
            p.fill(
                stroke([(x, y - 8), (x + sway * 0.4, y + 55), (x + sway, y + 105)], 13), "#b4582f"
            )
        p.cylinder(mask, "#c96a3d")
        for row in (0.62, 0.70, 0.86):
            low, high = row, row + (0.045 if row != 0.86 else 0.07)
            band = [
                _between(tail[0], tail[3], low),
                _between(tail[1], tail[2], low),
                _between(tail[1], tail[2], high),
                _between(tail[0], tail[3], high),
            ]
            p.cylinder(polygon(band), "#f0dcc0")
        _ribs(p, mask, tail)
        if index == 0:
            p.dusk(
                within(mask, polygon([(700, 640), (850, 650), (880, 1260), (790, 1260)])), 0.35, 30
            )
    loop = blob(
        [
            (405, 520),
            (470, 640),
            (640, 760),
            (800, 790),
            (960, 760),
            (1130, 640),
            (1195, 520),
            (1150, 430),
            (1010, 560),
            (800, 610),
            (590, 560),
            (450, 430),
        ]
    )
    p.dusk(
        blob(
            [
                (470, 660),
                (640, 780),
                (800, 815),
                (960, 780),
                (1130, 660),
                (960, 720),
                (800, 740),
                (640, 720),
            ]
        ),
        0.4,
        24,
    )
    p.ball(loop, "#d2744a", 0.42)
    for lift in (0.3, 0.62):
        fold = [
            (430 + 20 * lift, 480 + 90 * lift),
            (620, 600 + 110 * lift),
            (800, 640 + 110 * lift),
            (980, 600 + 110 * lift),
            (1170 - 20 * lift, 480 + 90 * lift),
        ]
        p.dusk(within(stroke(smooth(fold), 14), loop), 0.3, 9)
    p.gloss(stroke(smooth([(500, 590), (640, 680), (780, 715)]), 22), 0.25, 14)
    return p


def _between(
    first: tuple[float, float], second: tuple[float, float], share: float
) -> tuple[float, float]:
    return first[0] + (second[0] - first[0]) * share, first[1] + (second[1] - first[1]) * share


def _ribs(p: Picture, mask: object, tail: list[tuple[float, float]]) -> None:
    for step in range(1, 12):
        top = _between(tail[0], tail[1], step / 12)
        bottom = _between(tail[3], tail[2], step / 12)
        p.fill(within(stroke([top, bottom], 5), polygon(tail)), "#7d3a20", 0.2)


def _planter() -> Picture:
    p = Picture("#e3ead9")
    p.shadow(800, 1400, 380, 56)
    leaves = [(-58, 500), (58, 500), (-34, 640), (34, 640), (-12, 720), (14, 690)]
    for turn, length in leaves:
        leaf = [
            (800, 880),
            (735, 880 - length * 0.5),
            (800, 880 - length),
            (865, 880 - length * 0.5),
        ]
        mask = blob(turned(leaf, 800, 900, turn))
        p.blend(mask, "#7fb07c", "#3f7a53", 60 if turn > 0 else 120)
        vein = turned([(800, 880), (800, 880 - length * 0.92)], 800, 900, turn)
        p.fill(within(stroke(vein, 8), mask), "#cfe3c0", 0.65)
        for share in (0.25, 0.4, 0.55, 0.7):
            for side in (-1, 1):
                rib = [(800, 880 - length * share), (800 + side * 48, 880 - length * (share + 0.1))]
                p.fill(within(stroke(turned(rib, 800, 900, turn), 4), mask), "#cfe3c0", 0.4)
    p.cylinder(ellipse(800, 1372, 365, 58), "#b5653f")
    p.blend(ellipse(800, 1352, 350, 48), "#d98d64", "#a9583a")
    p.cylinder(polygon([(500, 900), (1100, 900), (1030, 1360), (570, 1360)]), "#cd7a50")
    p.cylinder(ellipse(800, 1360, 230, 34), "#cd7a50")
    p.fill(polygon([(505, 985), (1095, 985), (1090, 1020), (510, 1020)]), "#6e3521", 0.28)
    p.cylinder(both(rounded(462, 840, 1138, 990, 26), ellipse(800, 988, 330, 22)), "#d98a60")
    p.blend(ellipse(800, 845, 338, 44), "#b96d48", "#d98a60")
    p.fill(ellipse(800, 850, 300, 34), "#4b3226")
    for turn, _ in leaves[2:]:
        stem = turned([(800, 875), (800, 820)], 800, 900, turn * 0.6)
        p.fill(stroke(stem, 30), "#3f7a53")
    p.gloss(polygon([(548, 1040), (585, 1040), (628, 1320), (602, 1320)]), 0.32)
    return p


def _night_light() -> Picture:
    p = Picture("#b9b4d8", "#fff3d0")
    p.gloss(ellipse(800, 720, 620, 620), 0.35, 150)
    p.gloss(ellipse(800, 720, 480, 480), 0.45, 70)
    p.shadow(800, 1390, 350, 50)
    p.blend(ellipse(800, 1360, 330, 64), "#a9794d", "#84592f")
    p.cylinder(polygon([(470, 1280), (1130, 1280), (1130, 1362), (470, 1362)]), "#c08d5c")
    p.cylinder(ellipse(800, 1362, 330, 62), "#b3804f")
    p.blend(ellipse(800, 1282, 330, 62), "#dfb384", "#c3925f")
    p.dusk(ellipse(800, 1270, 210, 36), 0.4, 20)
    moon = ellipse(800, 780, 500, 500)
    p.ball(moon, "#fff1c9", 0.24)
    craters = [
        (650, 620, 92),
        (930, 560, 58),
        (1010, 830, 104),
        (720, 960, 70),
        (560, 830, 48),
        (880, 1080, 60),
        (830, 760, 36),
        (1120, 660, 40),
        (780, 430, 44),
    ]
    for x, y, r in craters:
        p.fill(within(ellipse(x, y, r, r * 0.94), moon), "#ecd39a", 0.6)
        p.fill(within(ellipse(x + r * 0.1, y + r * 0.12, r * 0.82, r * 0.78), moon), "#f7e3b2", 0.8)
    p.gloss(within(moon, ellipse(660, 560, 190, 170)), 0.5, 70)
    for x, y, r in (
        (250, 330, 15),
        (1370, 420, 12),
        (1290, 210, 18),
        (190, 1010, 12),
        (1400, 1010, 14),
    ):
        rays = [(r * (2.2 if k % 2 == 0 else 0.8), k * math.pi / 4) for k in range(8)]
        star = [(x + reach * math.cos(turn), y + reach * math.sin(turn)) for reach, turn in rays]
        p.fill(polygon(star), "#fffbe8", 0.9)
    return p


DRAWINGS: dict[str, Callable[[], Picture]] = {
    "headphones-loft": _headphones,
    "lamp-arc": _lamp,
    "thermos-trail": _thermos,
    "moisturiser-dew": _moisturiser,
    "yoga-mat-cloud": _yoga_mat,
    "backpack-harbor": _backpack,
    "mug-morning": _mug,
    "powerbank-pebble": _power_bank,
    "tea-jasmine": _tea,
    "scarf-fjord": _scarf,
    "planter-terra": _planter,
    "nightlight-moon": _night_light,
}


def main() -> None:
    """Draw every product of the example catalogue, or those named."""
    with (EXAMPLES / "catalogue.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = set(sys.argv[1:])
    for row in rows:
        if not wanted or row["sku"] in wanted:
            path = EXAMPLES / row["image"]
            path.parent.mkdir(exist_ok=True)
            DRAWINGS[row["sku"]]().save(path)
            print(f"{path.name}: {path.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
