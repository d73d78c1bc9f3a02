# ruff: noqa: E501 - tables of syllables and sentences
"""Nonsense to read aloud in many languages: every sound beside every other, no words to learn.

An ear that knows words would guess; this one must hear. So most lines are made of syllables that a
language could have, written as it writes them, and read by the embedded voice's own rules.
"""

from dataclasses import dataclass

from numpy.random import Generator

_LATIN = (
    [
        "p",
        "b",
        "m",
        "f",
        "v",
        "t",
        "d",
        "n",
        "l",
        "r",
        "s",
        "k",
        "g",
        "h",
        "w",
        "j",
        "z",
        "ch",
        "sh",
        "y",
        "th",
        "st",
        "br",
        "tr",
        "pl",
        "kr",
        "fl",
        "sp",
        "x",
    ],
    ["a", "e", "i", "o", "u", "ai", "ou", "ee", "ia"],
    ["", "", "", "n", "m", "s", "t", "r", "l", "p", "k", "b", "f", "d"],
)


@dataclass(frozen=True, slots=True)
class Tongue:
    """How one language's nonsense is written.

    Attributes:
        language: The voice's tag.
        onsets, nuclei, codas: What a syllable is put together from.
        space: Between words.
    """

    language: str
    onsets: list[str]
    nuclei: list[str]
    codas: list[str]
    space: str = " "


def _of(language: str, onsets: str, nuclei: str, codas: str, space: str = " ") -> Tongue:
    return Tongue(
        language, onsets.split(" "), nuclei.split(" "), ["", "", *codas.split(" ")], space
    )


_KANA = (
    "か き く け こ さ し す せ そ た ち つ て と な に ぬ ね の は ひ ふ へ ほ ま み む め も や ゆ よ "
    "ら り る れ ろ わ が ぎ ぐ げ ご ざ じ ず ぜ ぞ だ で ど ば び ぶ べ ぼ ぱ ぴ ぷ ぺ ぽ きゃ しょ ちゅ みょ"
)
_CYRILLIC = ("п б м ф в т д н л р с з ш ж ч к г х ц", "а о у э и ы е я ю ё", "м н т с п к л р ф б")
_PINYIN = "b p m f d t n l g k h j q x zh ch sh r z c s w y"
TRAINED: tuple[Tongue, ...] = (
    Tongue("en-us", *_LATIN),
    Tongue("en-gb", *_LATIN),
    Tongue("es", *_LATIN),
    Tongue("it", *_LATIN),
    Tongue("pt-br", *_LATIN),
    Tongue("id", *_LATIN),
    Tongue("nl", *_LATIN),
    _of("de", "p b m f w t d n l r s sch k g h pf z st v br tr kl", "a e i o u ä ö ü ei au eu ie",
        "n m s t r l p ch k f b ng"),
    _of("fr", "p b m f v t d n l r s ch j k g br tr pl gn", "a e i o u é è eu ou on an in ui oi",
        "r l s t n m p ve be che"),
    _of("pl", "p b m f w t d n l ł r s sz cz ż ś k g h", "a e i o u y ą ę", "m n t s p k sz l b f"),
    _of("tr", "p b m f v t d n l r s ş ç c k g h y", "a e ı i o ö u ü", "m n t s p k ş l r f"),
    _of("sv", "p b m f v t d n l r s k g h sj tj", "a e i o u y å ä ö", "m n t s p k l r ft"),
    _of("cs", "p b m f v t d n l r ř s š č ž k h", "a e i o u á é í ou ů", "m n t s p k š l r b"),
    _of("ru", *_CYRILLIC),
    _of("uk", *_CYRILLIC),
    _of("hi", "प ब म फ भ व त द न ल र स श च ज क ग ह य ट ड", "ा े ि ी ो ु ू ै ौ", "म न त स प क ल र"),
    _of("ko", "바 마 파 사 나 다 가 자 차 하 라 아 보 모 포 무 부 푸 비 미 피 수 소 시 개 베 메 너 러",
        "고 를 이 은 에 도 만 면 봄 밥 입 맛 말 문 손 길 월 뭐 왜", "요 다 까 나"),
    _of("ja", _KANA, "あ い う え お ん か ま", "ん す も", space="、"),
    _of("cmn-latn-pinyin", _PINYIN, "a1 o2 e4 i3 u1 ai4 ao3 ou1 an2 en4 ang1 eng2 ong3", "n1"),
)  # fmt: skip
HELD_OUT: tuple[Tongue, ...] = (
    Tongue("fi", *_LATIN),
    Tongue("sw", *_LATIN),
    Tongue("ro", *_LATIN),
    _of("vi", "p b m ph v t đ n l r x k g h ch th tr", "a e i o u ă â ê ô ơ ư ai oa", "m n t p c ng"),
    _of("el", "π μπ μ φ β τ ντ ν λ ρ σ ζ κ γ χ θ δ", "α ε ι ο ου η ω αι", "ς ν"),
)  # fmt: skip
"""Languages no ear is trained on."""


def nonsense(tongue: Tongue, rng: Generator, *, words: int) -> str:
    """One line of so many words, with a comma now and then."""
    line = []
    for i in range(words):
        syllables = int(rng.integers(1, 4))
        word = "".join(
            rng.choice(tongue.onsets) + rng.choice(tongue.nuclei) + rng.choice(tongue.codas)
            for _ in range(syllables)
        )
        line.append(word + ("," if i < words - 1 and rng.random() < 0.12 else ""))
    return tongue.space.join(line) + "."


LINES: dict[str, str] = {
    "en-us": "Welcome back, my friends! This beautiful lamp from the north is only forty nine dollars today. People love the warm light above the table.",
    "en-gb": "Before we move on, may I show you the best umbrella in Britain? Five thousand families have bought one.",
    "es": "Bienvenidos a mi tienda. Esta bufanda vale veinte euros y también viene en color verde para todas las mujeres.",
    "de": "Willkommen bei mir im Laden. Diese Lampe kostet fünfzig Euro und kommt übermorgen bequem zu Ihnen nach Hause.",
    "fr": "Bonjour et bienvenue. Cette belle lampe vaut quarante euros, vous pouvez la recevoir demain matin.",
    "it": "Buongiorno e benvenuti. Questa bellissima lampada vale quaranta euro, potete averla domani mattina.",
    "pt-br": "Bem-vindos à minha loja. Esta lâmpada maravilhosa vale quarenta reais e chega em poucos dias.",
    "ru": "Добро пожаловать. Эта прекрасная лампа стоит всего пятьдесят рублей, вы можете купить её прямо сейчас.",
    "hi": "मेरी दुकान में आपका स्वागत है। यह बहुत सुंदर और मजबूत लैंप है, आप अभी खरीद सकते हैं।",
    "ko": "여러분 반갑습니다. 이 예쁜 램프는 오늘만 특별히 반값에 판매합니다. 빨리 문의해 주세요.",
    "ja": "みなさん、こんばんは。このうつくしいランプはきょうだけはんがくです。ぜひおためしください。",
    "cmn": "欢迎大家来到我的直播间。这个漂亮的台灯今天只要五十块钱，我们马上发货。",
    "fi": "Tervetuloa kauppaani. Tämä kaunis lamppu maksaa vain viisikymmentä euroa, ja se tulee pian perille.",
    "sw": "Karibuni sana dukani kwangu. Taa hii nzuri inauzwa kwa bei nafuu, na mtaipata baada ya siku mbili.",
    "vi": "Chào mừng các bạn đến với cửa hàng của tôi. Chiếc đèn đẹp này bây giờ chỉ còn một nửa giá.",
    "el": "Καλώς ήρθατε στο μαγαζί μου. Αυτό το όμορφο φωτιστικό κοστίζει μόνο πενήντα ευρώ.",
    "ro": "Bine ați venit în magazinul meu. Această lampă frumoasă costă numai cincizeci de lei.",
}  # fmt: skip
"""What a presenter says, in seventeen languages, for measuring; the last five are never trained."""
