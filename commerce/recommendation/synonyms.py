"""Words that mean the same thing to a shopper, across the languages that chats mix.

One line, one meaning. A short list on purpose: it helps where buyers' and sellers' words differ
every day; everything else is found by the catalogue's own words.
"""

from collections.abc import Iterable
from functools import cache

from commerce.models.words import is_cjk, split, stem

_THINGS = """
headphone, earphone, headset, earbud, auricular, audifono, fone, 耳机, 头戴式耳机, ヘッドホン, イヤホン, 헤드폰, 이어폰
lamp, desk light, table lamp, lampara, luminaria, abajur, lampu, 台灯, 灯具, ランプ, スタンド, 램프, 스탠드
night light, nightlight, luz nocturna, luz noturna, lampu tidur, 小夜灯, 夜灯, ナイトライト, 수면등, 무드등
thermos, flask, insulated bottle, vacuum flask, termo, garrafa termica, termos, 保温杯, 保温瓶, 水筒, 魔法瓶, 텀블러, 보온병
bottle, botella, garrafa, botol, 水瓶, 水壶, ボトル, 물병
mug, cup, taza, caneca, xicara, cangkir, 马克杯, 杯子, マグカップ, マグ, 머그컵, 머그
moisturiser, moisturizer, face cream, skin cream, crema hidratante, hidratante, pelembap, 面霜, 保湿霜, 润肤霜, 保湿クリーム, 수분크림, 크림
mat, esterilla, tapete, colchonete, matras, 垫子, マット, 매트
yoga, ioga, 瑜伽, ヨガ, 요가
backpack, rucksack, knapsack, back pack, mochila, ransel, tas ransel, 背包, 双肩包, 书包, リュック, バックパック, 배낭, 백팩
power bank, powerbank, portable charger, bateria externa, carregador portatil, 充电宝, モバイルバッテリー, 보조배터리
charger, cargador, carregador, pengisi daya, 充电器, 充電器, 충전기
tea, cha, infusion, teh, 茶, 茶叶, 绿茶, お茶, 緑茶, 녹차
coffee, cafe, kopi, 咖啡, コーヒー, 커피
scarf, shawl, bufanda, cachecol, lenco, syal, 围巾, マフラー, スカーフ, 스카프, 목도리
pot, planter, maceta, vaso, pot bunga, 花盆, 植木鉢, プランター, 화분
plant, planta, tanaman, 植物
speaker, altavoz, caixa de som, 音箱, 音响, スピーカー, 스피커
watch, reloj, relogio, jam tangan, 手表, 腕時計, 시계
shoe, sneaker, trainer, zapato, zapatilla, sapato, tenis, sepatu, 鞋, 鞋子, スニーカー, 신발, 운동화
shirt, camisa, kemeja, 衬衫, 衬衣, シャツ, 셔츠
t-shirt, tee, camiseta, kaos, T恤, Tシャツ, 티셔츠
dress, vestido, gaun, 连衣裙, 裙子, ワンピース, ドレス, 원피스, 드레스
skirt, falda, saia, rok, 半身裙, 裙子, スカート, 치마
jacket, coat, chaqueta, abrigo, jaqueta, casaco, jaket, 外套, 夹克, ジャケット, コート, 재킷, 자켓, 코트
jumper, sweater, pullover, sueter, 毛衣, セーター, 스웨터
trousers, pants, pantalon, calca, celana, 裤子, ズボン, 바지
hat, sombrero, chapeu, topi, 帽子, 모자
bag, bolso, bolsa, tas, 包包, 手提包, 皮包, バッグ, カバン, 가방
ring, anillo, anel, cincin, 戒指, 指輪, リング, 반지
necklace, collar, colar, kalung, 项链, ネックレス, 목걸이
bracelet, pulsera, pulseira, gelang, 手链, 手镯, ブレスレット, 팔찌
earring, pendiente, brinco, anting, 耳环, 耳坠, イヤリング, ピアス, 귀걸이
candle, vela, lilin, 蜡烛, キャンドル, ろうそく, 양초, 캔들
blanket, manta, cobertor, selimut, 毯子, 毛布, 담요
pillow, cushion, almohada, almofada, bantal, 枕头, 抱枕, 靠垫, クッション, 枕, 베개, 쿠션
towel, toalla, toalha, handuk, 毛巾, タオル, 수건
notebook, cuaderno, caderno, buku catatan, 笔记本, ノート, 노트
phone, cellphone, smartphone, telefono, celular, ponsel, 手机, スマホ, 携帯電話, 휴대폰, 스마트폰
laptop, portatil, 笔记本电脑, ノートパソコン, 노트북
keyboard, teclado, papan ketik, 键盘, キーボード, 키보드
mouse, raton, 鼠标, マウス, 마우스
monitor, 显示器, モニター, 모니터
printer, impresora, impressora, 打印机, プリンター, 프린터
camera, camara, kamera, 相机, カメラ, 카메라
toy, juguete, brinquedo, mainan, 玩具, おもちゃ, 장난감
sofa, couch, 沙发, ソファ, 소파
chair, silla, cadeira, kursi, 椅子, いす, 의자
table, mesa, meja, 桌子, テーブル, 탁자, 테이블
bed, cama, ranjang, 床, ベッド, 침대
umbrella, paraguas, guarda-chuva, payung, 雨伞, 傘, 우산
tv, television, 电视, テレビ, 텔레비전
"""

_MANNERS = """
wireless, bluetooth, inalambrico, sem fio, nirkabel, 无线, 蓝牙, ワイヤレス, 무선, 블루투스
gift, present, regalo, presente, kado, hadiah, 礼物, 礼品, プレゼント, 선물
blue, azul, biru, 蓝色, 青, 파란색
red, rojo, vermelho, merah, 红色, 赤, 빨간색
green, verde, hijau, 绿色, 緑, 초록색
black, negro, preto, hitam, 黑色, 黒, 검은색
white, blanco, branco, putih, 白色, 白, 흰색
grey, gray, gris, cinza, abu-abu, 灰色, グレー, 회색
pink, rosa, 粉色, ピンク, 분홍색
yellow, amarillo, amarelo, kuning, 黄色, 노란색
brown, marron, marrom, cokelat, coklat, 棕色, 茶色, 갈색
small, pequeno, kecil, 小号, 小さい, 작은
large, big, grande, besar, 大号, 大きい, 큰
cotton, algodon, algodao, katun, 纯棉, 棉, コットン, 면
wool, lana, la, 羊毛, ウール, 울
leather, cuero, couro, kulit, 皮革, 真皮, レザー, 가죽
silk, seda, sutra, 丝绸, 真丝, シルク, 실크
gold, oro, ouro, emas, 金色, ゴールド, 골드
silver, plata, prata, perak, 银色, シルバー, 실버
wood, wooden, madera, madeira, kayu, 木头, 木制, 木製, 나무
"""

# "la" is wool in Portuguese and an article in Spanish: too common to be asked for by itself.
_TOO_COMMON = {"la"}


@cache
def alternatives_of() -> dict[str, tuple[str, ...]]:
    """Equal words by each word: stems, several of them joined by a space, Chinese runs whole."""
    return {**_table(_MANNERS), **_table(_THINGS)}


def group_of(alternatives: Iterable[str]) -> tuple[str, ...] | None:
    """The group of things to buy that words belong to, rather than a colour or a material."""
    return next((things()[word] for word in alternatives if word in things()), None)


@cache
def things() -> dict[str, tuple[str, ...]]:
    """The group of each word or phrase that names a thing."""
    return _table(_THINGS)


def _table(groups: str) -> dict[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for line in groups.strip().splitlines():
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
