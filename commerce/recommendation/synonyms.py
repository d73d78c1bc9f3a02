"""Words that mean the same thing to a shopper, across the languages that chats mix.

One line, one meaning. A short list on purpose: it helps where buyers' and sellers' words differ
every day; everything else is found by the catalogue's own words.
"""

from functools import cache

from commerce.models.words import is_cjk, split, stem

_GROUPS = """
headphone, earphone, headset, earbud, auricular, audifono, fone, 耳机, 头戴式耳机
lamp, desk light, table lamp, lampara, luminaria, abajur, 台灯, 灯具
night light, nightlight, luz nocturna, luz noturna, 小夜灯, 夜灯
thermos, flask, insulated bottle, vacuum flask, termo, garrafa termica, 保温杯, 保温瓶
bottle, botella, garrafa, 水瓶, 水壶
mug, cup, taza, caneca, xicara, 马克杯, 杯子
moisturiser, moisturizer, face cream, skin cream, crema hidratante, hidratante, 面霜, 保湿霜, 润肤霜
mat, esterilla, tapete, colchonete, 垫子
yoga, ioga, 瑜伽
backpack, rucksack, knapsack, back pack, mochila, 背包, 双肩包, 书包
power bank, powerbank, portable charger, bateria externa, carregador portatil, 充电宝
charger, cargador, carregador, 充电器
tea, cha, infusion, 茶, 茶叶
coffee, cafe, 咖啡
scarf, shawl, bufanda, cachecol, lenco, 围巾
pot, planter, maceta, vaso, 花盆
plant, planta, 植物
speaker, altavoz, caixa de som, 音箱, 音响
watch, reloj, relogio, 手表
shoe, sneaker, trainer, zapato, zapatilla, sapato, tenis, 鞋, 鞋子
shirt, camisa, 衬衫
dress, vestido, 连衣裙, 裙子
jacket, coat, chaqueta, abrigo, jaqueta, casaco, 外套
bag, bolso, bolsa, 包包
ring, anillo, anel, 戒指
necklace, collar, colar, 项链
bracelet, pulsera, pulseira, 手链
earring, pendiente, brinco, 耳环
candle, vela, 蜡烛
blanket, manta, cobertor, 毯子
pillow, cushion, almohada, almofada, 枕头, 抱枕
towel, toalla, toalha, 毛巾
notebook, cuaderno, caderno, 笔记本
phone, cellphone, smartphone, telefono, celular, 手机
laptop, portatil, 笔记本电脑
keyboard, teclado, 键盘
toy, juguete, brinquedo, 玩具
sofa, couch
tv, television, 电视
wireless, bluetooth, inalambrico, sem fio, 无线, 蓝牙
gift, present, regalo, presente, 礼物, 礼品
blue, azul, 蓝色
red, rojo, vermelho, 红色
green, verde, 绿色
black, negro, preto, 黑色
white, blanco, branco, 白色
grey, gray, gris, cinza, 灰色
pink, rosa, 粉色
yellow, amarillo, amarelo, 黄色
small, pequeno, 小号
large, big, grande, 大号
cotton, algodon, algodao, 纯棉
wool, lana, la, 羊毛
"""

# "la" is wool in Portuguese and an article in Spanish: too common to be asked for by itself.
_TOO_COMMON = {"la"}


@cache
def alternatives_of() -> dict[str, tuple[str, ...]]:
    """Equal words by each word: stems, several of them joined by a space, Chinese runs whole."""
    table: dict[str, tuple[str, ...]] = {}
    for line in _GROUPS.strip().splitlines():
        members = tuple(
            dict.fromkeys(" ".join(stem(word) for word in split(part)) for part in line.split(","))
        )
        for member in members:
            if member not in _TOO_COMMON:
                table.setdefault(member, members)
    return table


@cache
def phrases() -> tuple[str, ...]:
    """Members that take several words or have no spaces around them, the longest first."""
    found = [word for word in alternatives_of() if " " in word or is_cjk(word)]
    return tuple(sorted(found, key=len, reverse=True))
