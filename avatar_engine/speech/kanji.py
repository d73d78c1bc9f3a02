"""Kana for the kanji of shop talk; the embedded Japanese voice reads none itself.

With the extra ``japanese`` a dictionary of readings (Sudachi, Apache-2.0) reads any text. Without
it a word list covers what a presenter says about goods, prices and delivery, and other kanji are
left out.
"""

import importlib.util
import re
from functools import lru_cache
from typing import Any

from avatar_engine.speech.alignment import AlignedText

_WORDS = """
円 えん|税込 ぜいこみ|税抜 ぜいぬき|税別 ぜいべつ|消費税 しょうひぜい|送料無料 そうりょうむりょう|送料 そうりょう|無料 むりょう
商品 しょうひん|製品 せいひん|新商品 しんしょうひん|新製品 しんせいひん|新作 しんさく|新品 しんぴん|人気 にんき|限定 げんてい
数量限定 すうりょうげんてい|期間限定 きかんげんてい|割引 わりびき|半額 はんがく|特別 とくべつ|価格 かかく|特価 とっか|値段 ねだん
値下げ ねさげ|定価 ていか|最安値 さいやすね|安い やすい|安く やすく|高い たかい|在庫 ざいこ|在庫切れ ざいこぎれ|残り のこり|売り切れ うりきれ
売れ うれ|購入 こうにゅう|買う かう|買い かい|買って かって|注文 ちゅうもん|予約 よやく|配送 はいそう|配達 はいたつ|発送 はっそう|届け とどけ
返品 へんぴん|交換 こうかん|返金 へんきん|保証 ほしょう|支払い しはらい|決済 けっさい|現金 げんきん|今日 きょう|明日 あした|昨日 きのう
本日 ほんじつ|今 いま|今週 こんしゅう|今月 こんげつ|毎日 まいにち|一番 いちばん|最高 さいこう|最新 さいしん|大人気 だいにんき|大好評 だいこうひょう
皆さん みなさん|皆様 みなさま|私 わたし|方 かた|人 ひと|女性 じょせい|男性 だんせい|子供 こども|子ども こども|大人 おとな|家族 かぞく|友達 ともだち
色 いろ|黒 くろ|白 しろ|赤 あか|青 あお|緑 みどり|黄色 きいろ|茶色 ちゃいろ|大きい おおきい|小さい ちいさい|大きさ おおきさ|重さ おもさ|軽い かるい
重い おもい|長い ながい|短い みじかい|新しい あたらしい|古い ふるい|良い よい|美しい うつくしい|可愛い かわいい|簡単 かんたん|便利 べんり|使い つかい
使う つかう|使って つかって|使え つかえ|使用 しよう|見て みて|見る みる|見え みえ|見せ みせ|質問 しつもん|答え こたえ|紹介 しょうかい|説明 せつめい|動画 どうが
生放送 なまほうそう|配信 はいしん|画面 がめん|下 した|上 うえ|中 なか|右 みぎ|左 ひだり|前 まえ|後 あと|時間 じかん|分間 ふんかん|秒 びょう|日間 にちかん
年間 ねんかん|個 こ|枚 まい|本 ほん|台 だい|点 てん|着 ちゃく|足 そく|人気商品 にんきしょうひん|肌 はだ|髪 かみ|顔 かお|手 て|目 め|口 くち|水 みず|化粧水 けしょうすい
美容液 びようえき|保湿 ほしつ|服 ふく|靴 くつ|鞄 かばん|時計 とけい|電話 でんわ|電池 でんち|充電 じゅうでん|防水 ぼうすい|音 おと|音質 おんしつ|品質 ひんしつ|素材 そざい
綿 めん|革 かわ|日本 にほん|中国 ちゅうごく|韓国 かんこく|東京 とうきょう|世界 せかい|会社 かいしゃ|店 みせ|お店 おみせ|公式 こうしき|安心 あんしん|安全 あんぜん|大丈夫 だいじょうぶ
本当 ほんとう|全部 ぜんぶ|少し すこし|多く おおく|早く はやく|早い はやい|速い はやい|始め はじめ|終わり おわり|次 つぎ|最後 さいご|最初 さいしょ|何 なに|誰 だれ|言 い|思 おも|来 き|行 い|出 で|入 い
"""  # noqa: E501 - a table
_READINGS = dict(
    entry.split(" ", 1) for line in _WORDS.split("\n") for entry in line.split("|") if entry
)
KANJI = re.compile("|".join(sorted(map(re.escape, _READINGS), key=len, reverse=True)))
"""Any word of the list, the longest first."""


_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff々]")
_PARTICLES = {"は": "わ", "へ": "え"}  # written one way, said another
_KATAKANA_TO_HIRAGANA = {code: code - 0x60 for code in range(0x30A1, 0x30F7)}


def in_kana(text: AlignedText) -> AlignedText:
    """The text with its kanji read; what nobody here can read stays."""
    tokenizer = _tokenizer()
    if tokenizer is None:
        return text.sub(KANJI, read_kanji)
    spans = []
    for word in tokenizer.tokenize(text.text):
        surface = word.surface()
        if _HAN.search(surface):
            reading = word.reading_form().translate(_KATAKANA_TO_HIRAGANA)
            if reading and not _HAN.search(reading):
                spans.append((word.begin(), word.end(), reading))
        elif surface in _PARTICLES and word.part_of_speech()[0] == "助詞":
            spans.append((word.begin(), word.end(), _PARTICLES[surface]))
    return text.replaced(spans)


@lru_cache(maxsize=1)
def _tokenizer() -> Any:
    """Sudachi with its core dictionary; None where the extra is not installed."""
    if importlib.util.find_spec("sudachipy") is None:
        return None
    if importlib.util.find_spec("sudachidict_core") is None:
        return None
    from sudachipy import Dictionary

    dictionary = Dictionary(dict="core")
    # Renamed in 0.7; the old name warns there.
    make = getattr(dictionary, "tokenizer", None) or dictionary.create
    return make()


def read_kanji(match: re.Match[str]) -> str:
    """Kana for a match of :data:`KANJI`."""
    return _READINGS[match.group()]
