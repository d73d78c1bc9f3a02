"""Words of purpose in Indonesian, Japanese and Korean, and what is left of a run without them."""

import re

QUESTION = (
    r"\b(?:apa|apakah|berapa|ada|mana|bagaimana|gimana|kapan|punya)\b|ですか|ますか|でしょうか|いくら"
    r"|何|どれ|どの|どこ|ありますか|나요|까요|습니까|인가요|어요\?|얼마|어디|무엇|뭐|어떤"
)
STRONG_WISH = (
    r"\b(?:ada|jual|punya|nyari|cari|mencari) \w+|\bapakah ada\b|ありますか|ありませんか|売って"
    r"|探して|取り扱|있나요|있어요|있습니까|있을까요|팔아요|파나요|찾고|찾아요|구할 수"
)
WISH = (
    r"\b(?:mau|ingin|butuh|pengen|pingin) (?:beli|cari|pesan)?|ほしい|欲しい|買いたい|ください"
    r"|見せて|사고 ?싶|필요|주세요|보여|살게"
)
PRICE = r"\bberapa(?:an)?\b|\bharga(?:nya)?\b|いくら|値段|価格|얼마|가격"
STOCK = r"\bstok\b|\bready\b|\bmasih ada\b|\bhabis\b|在庫|売り切れ|재고|품절|남았|남아"
COLOUR = r"\bwarna(?:nya)?\b|何色|色は|색상|무슨 색|어떤 색"
SIZE = r"\bukuran(?:nya)?\b|サイズ|大きさ|사이즈|크기"
RECOMMEND = (
    r"\brekomendasi|\brekomen|\bsaran\b|\bkado\b|\bhadiah\b|おすすめ|お勧め|オススメ|プレゼント|贈り物"
    r"|추천|선물"
)
CHEAPEST = r"\b(?:paling murah|termurah)\b|一番安い|最安|제일 싼|가장 싼|제일 저렴"
DEAREST = r"\b(?:paling mahal|termahal)\b|一番高い|제일 비싼|가장 비싼"
GREETINGS = r"^\W*(?:halo|hai|selamat|こんにちは|こんばんは|おはよう|안녕|여보세요)"
TALK = (
    "wkwk", "haha", "makasih", "terima kasih", "ありがとう", "かわいい", "可愛い", "笑", "ㅋㅋ", "ㅎㅎ",
    "감사", "고마워", "예쁘",
)  # fmt: skip
FUNCTION_WORDS = frozenset(
    """ada apa apakah yang dan atau di ke dari untuk dengan ini itu nya saya aku kamu kak min gan
    sis bro dong ya ga gak tidak tolong mau ingin butuh beli jual cari mencari nyari punya berapa
    harga harganya stok ready masih habis warna ukuran rekomendasi kado hadiah bawah kurang lebih
    murah mahal paling bisa boleh lihat pengen pesan buat satu""".split()  # noqa: SIM905
)
_KANA = re.compile("[\u3041-\u3096]+")
_ANY_KANA = re.compile("[\u3041-\u30ff]")
_HANGUL = re.compile("[\uac00-\ud7a3]+")
_JAPANESE_WORDS_OF_PURPOSE = re.compile(
    "在庫|値段|価格|売り切れ|一番|以下|以内|探|欲|買|売|見|円|色|何|サイズ|オススメ|お勧め|贈り物"
)
_KOREAN_FILLER = re.compile(
    "^(?:있나요|있어요|있습니까|있을까요|얼마|얼마예요|얼마인가요|얼마에요|가격|가격이|추천|추천해|주세요|해주세요"
    "|팔아요|파나요|찾고|찾아요|찾는데|사고|싶어요|필요해요|재고|남았나요|좀|혹시|그리고|이|그|저|이거|저거|그거"
    "|뭐|어떤|무슨|색|색상|사이즈|보여|선물|원|이하|미만|이상|제일|가장|싼|비싼|저렴한|것|거|있는)$"
)
_KOREAN_PARTICLES = re.compile(
    "(?:으로|에서|에게|까지|부터|이나|은|는|이|가|을|를|의|에|도|로|와|과|만|요)$"
)


def japanese_words(run: str) -> list[str]:
    """The nouns of a Japanese run: what is left without hiragana, which carries the grammar."""
    parts = [part for part in _KANA.split(_JAPANESE_WORDS_OF_PURPOSE.sub("あ", run)) if part]
    return [part for part in parts if len(part) > 1]


def korean_words(run: str) -> list[str]:
    """A Korean word without its particle; nothing when it only carries the sentence."""
    if _KOREAN_FILLER.match(run):
        return []
    bare = _KOREAN_PARTICLES.sub("", run) if len(run) > 2 else run
    if _KOREAN_FILLER.match(bare) or len(bare) < 2:
        return []
    return [bare]


def is_japanese(run: str) -> bool:
    """Whether a run holds kana."""
    return bool(_ANY_KANA.search(run))


def is_korean(run: str) -> bool:
    """Whether a run is written in Hangul."""
    return bool(_HANGUL.fullmatch(run))
