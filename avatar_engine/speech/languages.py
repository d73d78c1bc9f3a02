"""The words of each language for prices, percentages, sizes and the short forms of shop texts."""

from avatar_engine.speech.language import AS_WRITTEN, Chinese, Language, WrittenPrices
from avatar_engine.speech.numbers import chinese_cardinal, english_cardinal, japanese_cardinal


def _both(**units: str) -> dict[str, tuple[str, str]]:
    """Units whose name has one form; a slash parts singular from plural."""
    return {unit: _forms(name) for unit, name in units.items()}


def _forms(name: str) -> tuple[str, str]:
    one, _, many = name.partition("/")
    return one, many or one


_ENGLISH = Language(
    cardinal=english_cardinal,
    point=" point ",
    joint=" and ",
    says_minor=True,
    percent="{n} percent",
    times="{n} times",
    by=" by ",
    to=" to ",
    per=" per ",
    minus="minus ",
    plus=" plus ",
    ampersand=" and ",
    currencies={
        "USD": ("dollar", "dollars", "cent", "cents"),
        "EUR": ("euro", "euros", "cent", "cents"),
        "GBP": ("pound", "pounds", "penny", "pence"),
        "JPY": ("yen", "yen", "", ""),
        "CNY": ("yuan", "yuan", "fen", "fen"),
        "KRW": ("won", "won", "", ""),
        "INR": ("rupee", "rupees", "paisa", "paise"),
        "IDR": ("rupiah", "rupiah", "", ""),
        "BRL": ("real", "reais", "centavo", "centavos"),
        "MXN": ("peso", "pesos", "centavo", "centavos"),
        "CHF": ("franc", "francs", "centime", "centimes"),
        "AUD": ("Australian dollar", "Australian dollars", "cent", "cents"),
        "CAD": ("Canadian dollar", "Canadian dollars", "cent", "cents"),
        "SGD": ("Singapore dollar", "Singapore dollars", "cent", "cents"),
        "HKD": ("Hong Kong dollar", "Hong Kong dollars", "cent", "cents"),
        "TWD": ("Taiwan dollar", "Taiwan dollars", "cent", "cents"),
        "RUB": ("rouble", "roubles", "kopeck", "kopecks"),
        "THB": ("baht", "baht", "satang", "satang"),
        "TRY": ("lira", "lira", "kurush", "kurush"),
        "VND": ("dong", "dong", "", ""),
        "PHP": ("peso", "pesos", "centavo", "centavos"),
        "MYR": ("ringgit", "ringgit", "sen", "sen"),
        "PLN": ("zloty", "zlotys", "grosz", "groszy"),
    },
    units=_both(
        mm="millimetre/millimetres", cm="centimetre/centimetres", m="metre/metres",
        km="kilometre/kilometres", g="gram/grams", kg="kilogram/kilograms",
        mg="milligram/milligrams", lb="pound/pounds", lbs="pound/pounds", oz="ounce/ounces",
        ml="millilitre/millilitres", mL="millilitre/millilitres", l="litre/litres",
        L="litre/litres", GB="gigabyte/gigabytes", TB="terabyte/terabytes",
        MB="megabyte/megabytes", mAh="milliamp hour/milliamp hours", Wh="watt hour/watt hours",
        W="watt/watts", V="volt/volts", Hz="hertz", kHz="kilohertz", MHz="megahertz",
        GHz="gigahertz", MP="megapixel/megapixels", h="hour/hours", hrs="hours", hr="hour/hours",
        min="minute/minutes", ft="foot/feet", inch="inch/inches", pcs="piece/pieces",
        pc="piece/pieces",
    ) | {"°C": ("degree Celsius", "degrees Celsius"), '"': ("inch", "inches"),
         "″": ("inch", "inches"), "°": ("degree", "degrees")},
    scales={"k": "thousand", "K": "thousand", "m": "million", "M": "million", "bn": "billion"},
    short_forms={
        "e.g.": "for example", "i.e.": "that is", "approx.": "approximately", "incl.": "including",
        "excl.": "excluding", "vs.": "versus", "vs": "versus", "Mr.": "Mister", "Mrs.": "Missis",
        "Dr.": "Doctor", "etc.": "et cetera", "qty.": "quantity", "qty": "quantity",
        "max.": "maximum", "min.": "minimum", "w/o": "without", "w/": "with", "ASAP": "as soon as "
        "possible", "DM": "D M", "FYI": "for your information", "BOGO": "buy one get one",
    },
)  # fmt: skip

_SPANISH = Language(
    decimal=",",
    point=" coma ",
    joint=" con ",
    percent="{n} por ciento",
    times="{n} veces",
    by=" por ",
    to=" a ",
    per=" por ",
    minus="menos ",
    plus=" más ",
    ampersand=" y ",
    currencies={
        "USD": ("dólar", "dólares", "centavo", "centavos"),
        "EUR": ("euro", "euros", "céntimo", "céntimos"),
        "GBP": ("libra", "libras", "penique", "peniques"),
        "MXN": ("peso", "pesos", "centavo", "centavos"),
        "BRL": ("real", "reales", "centavo", "centavos"),
        "CNY": ("yuan", "yuanes", "", ""),
        "JPY": ("yen", "yenes", "", ""),
    },
    units=_both(
        mm="milímetro/milímetros", cm="centímetro/centímetros", m="metro/metros",
        km="kilómetro/kilómetros", g="gramo/gramos", kg="kilo/kilos", mg="miligramo/miligramos",
        ml="mililitro/mililitros", l="litro/litros", L="litro/litros", GB="gigas", TB="teras",
        mAh="miliamperios hora", W="vatio/vatios", V="voltio/voltios", h="hora/horas",
        min="minuto/minutos", uds="unidades",
    ) | {"°C": ("grado", "grados"), '"': ("pulgada", "pulgadas")},
    scales={"k": "mil", "K": "mil", "M": "millones de"},
    short_forms={
        "p. ej.": "por ejemplo", "p.ej.": "por ejemplo", "aprox.": "aproximadamente",
        "Sr.": "señor", "Sra.": "señora", "EE.UU.": "Estados Unidos", "etc.": "etcétera",
        "uds.": "unidades", "ud.": "unidad", "incl.": "incluido", "máx.": "máximo",
        "mín.": "mínimo", "núm.": "número", "Nº": "número", "IVA": "iva",
    },
)  # fmt: skip

_PORTUGUESE = Language(
    decimal=",",
    point=" vírgula ",
    joint=" e ",
    says_minor=True,
    percent="{n} por cento",
    times="{n} vezes",
    by=" por ",
    to=" a ",
    per=" por ",
    minus="menos ",
    plus=" mais ",
    ampersand=" e ",
    currencies={
        "BRL": ("real", "reais", "centavo", "centavos"),
        "USD": ("dólar", "dólares", "centavo", "centavos"),
        "EUR": ("euro", "euros", "cêntimo", "cêntimos"),
        "GBP": ("libra", "libras", "pêni", "pence"),
        "CNY": ("yuan", "yuans", "", ""),
        "JPY": ("iene", "ienes", "", ""),
    },
    units=_both(
        mm="milímetro/milímetros", cm="centímetro/centímetros", m="metro/metros",
        km="quilômetro/quilômetros", g="grama/gramas", kg="quilo/quilos", ml="mililitro/mililitros",
        l="litro/litros", L="litro/litros", GB="gigas", TB="teras", W="watt/watts", V="volt/volts",
        h="hora/horas", min="minuto/minutos", un="unidade/unidades",
    ) | {"°C": ("grau", "graus"), '"': ("polegada", "polegadas")},
    scales={"k": "mil", "K": "mil", "mil": "mil", "mi": "milhões de"},
    short_forms={
        "p.ex.": "por exemplo", "aprox.": "aproximadamente", "Sr.": "senhor", "Sra.": "senhora",
        "etc.": "etcétera", "un.": "unidade", "máx.": "máximo", "mín.": "mínimo", "nº": "número",
    },
)  # fmt: skip

_GERMAN = Language(
    decimal=",",
    point=" Komma ",
    joint=" ",
    percent="{n} Prozent",
    times="{n} mal",
    by=" mal ",
    to=" bis ",
    per=" pro ",
    minus="minus ",
    plus=" plus ",
    ampersand=" und ",
    currencies={
        "EUR": ("Euro", "Euro", "Cent", "Cent"),
        "USD": ("Dollar", "Dollar", "Cent", "Cent"),
        "GBP": ("Pfund", "Pfund", "Penny", "Pence"),
        "CHF": ("Franken", "Franken", "Rappen", "Rappen"),
        "CNY": ("Yuan", "Yuan", "", ""),
        "JPY": ("Yen", "Yen", "", ""),
    },
    units=_both(
        mm="Millimeter", cm="Zentimeter", m="Meter", km="Kilometer", g="Gramm", kg="Kilo",
        mg="Milligramm", ml="Milliliter", l="Liter", L="Liter", GB="Gigabyte", TB="Terabyte",
        mAh="Milliamperestunden", W="Watt", V="Volt", h="Stunde/Stunden", min="Minute/Minuten",
        Stk="Stück", St="Stück",
    ) | {"°C": ("Grad", "Grad"), '"': ("Zoll", "Zoll")},
    scales={"Mio.": "Millionen", "Tsd.": "Tausend", "k": "Tausend"},
    short_forms={
        "z. B.": "zum Beispiel", "z.B.": "zum Beispiel", "bzw.": "beziehungsweise", "ca.": "zirka",
        "inkl.": "inklusive", "zzgl.": "zuzüglich", "MwSt.": "Mehrwertsteuer", "Stk.": "Stück",
        "Nr.": "Nummer", "usw.": "und so weiter", "d.h.": "das heißt", "max.": "maximal",
        "min.": "mindestens", "UVP": "U V P",
    },
)  # fmt: skip

_FRENCH = Language(
    decimal=",",
    point=" virgule ",
    joint=" ",
    percent="{n} pour cent",
    times="{n} fois",
    by=" par ",
    to=" à ",
    per=" par ",
    minus="moins ",
    plus=" plus ",
    ampersand=" et ",
    currencies={
        "EUR": ("euro", "euros", "centime", "centimes"),
        "USD": ("dollar", "dollars", "cent", "cents"),
        "GBP": ("livre", "livres", "penny", "pence"),
        "CHF": ("franc", "francs", "centime", "centimes"),
        "CNY": ("yuan", "yuans", "", ""),
        "JPY": ("yen", "yens", "", ""),
    },
    units=_both(
        mm="millimètre/millimètres", cm="centimètre/centimètres", m="mètre/mètres",
        km="kilomètre/kilomètres", g="gramme/grammes", kg="kilo/kilos", ml="millilitre/millilitres",
        l="litre/litres", L="litre/litres", Go="giga octets", GB="giga octets", To="téra octets",
        W="watt/watts", V="volt/volts", h="heure/heures", min="minute/minutes",
    ) | {"°C": ("degré", "degrés"), '"': ("pouce", "pouces")},
    scales={"k": "mille", "M": "millions d'"},
    short_forms={
        "p. ex.": "par exemple", "env.": "environ", "Mme": "madame", "etc.": "et cetera",
        "max.": "maximum", "min.": "minimum", "n°": "numéro", "N°": "numéro", "TTC": "T T C",
    },
)  # fmt: skip

_ITALIAN = Language(
    decimal=",",
    point=" virgola ",
    joint=" e ",
    percent="{n} per cento",
    times="{n} volte",
    by=" per ",
    to=" a ",
    per=" al ",
    minus="meno ",
    plus=" più ",
    ampersand=" e ",
    currencies={
        "EUR": ("euro", "euro", "centesimo", "centesimi"),
        "USD": ("dollaro", "dollari", "centesimo", "centesimi"),
        "GBP": ("sterlina", "sterline", "penny", "pence"),
        "CNY": ("yuan", "yuan", "", ""),
        "JPY": ("yen", "yen", "", ""),
    },
    units=_both(
        mm="millimetro/millimetri", cm="centimetro/centimetri", m="metro/metri",
        km="chilometro/chilometri", g="grammo/grammi", kg="chilo/chili", ml="millilitro/millilitri",
        l="litro/litri", L="litro/litri", GB="giga", TB="tera", W="watt", V="volt",
        h="ora/ore", min="minuto/minuti", pz="pezzo/pezzi",
    ) | {"°C": ("grado", "gradi"), '"': ("pollice", "pollici")},
    scales={"k": "mila", "mln": "milioni di"},
    short_forms={
        "es.": "esempio", "ca.": "circa", "ecc.": "eccetera", "pz.": "pezzi", "max.": "massimo",
        "min.": "minimo", "n.": "numero", "sig.": "signor", "incl.": "incluso", "IVA": "iva",
    },
)  # fmt: skip

_INDONESIAN = Language(
    decimal=",",
    point=" koma ",
    joint=" ",
    says_minor=True,
    percent="{n} persen",
    times="{n} kali",
    by=" kali ",
    to=" sampai ",
    per=" per ",
    minus="minus ",
    plus=" plus ",
    ampersand=" dan ",
    currencies={
        "IDR": ("rupiah", "rupiah", "", ""),
        "USD": ("dolar", "dolar", "sen", "sen"),
        "EUR": ("euro", "euro", "sen", "sen"),
        "MYR": ("ringgit", "ringgit", "sen", "sen"),
        "SGD": ("dolar Singapura", "dolar Singapura", "sen", "sen"),
    },
    units=_both(
        mm="milimeter", cm="sentimeter", m="meter", km="kilometer", g="gram", gr="gram",
        kg="kilogram", ml="mililiter", l="liter", L="liter", GB="gigabita", W="watt", V="volt",
        jam="jam", menit="menit", pcs="buah", rb="ribu", jt="juta",
    ) | {"°C": ("derajat", "derajat"), '"': ("inci", "inci")},
    scales={"rb": "ribu", "ribu": "ribu", "jt": "juta", "juta": "juta", "k": "ribu", "K": "ribu"},
    short_forms={
        "dll.": "dan lain lain", "dll": "dan lain lain", "dsb.": "dan sebagainya",
        "yg": "yang", "utk": "untuk", "dgn": "dengan", "pcs": "buah", "COD": "C O D",
        "ongkir": "ongkos kirim", "tgl.": "tanggal",
    },
)  # fmt: skip

_CHINESE = Chinese(
    cardinal=chinese_cardinal,
    point="点",
    joint="",
    percent="百分之{n}",
    times="{n}倍",
    by="乘",
    to="到",
    per="每",
    minus="负",
    plus="加",
    ampersand="和",
    currencies={
        code: (name, name, "", "")
        for code, name in {
            "CNY": "元", "USD": "美元", "EUR": "欧元", "GBP": "英镑", "JPY": "日元", "KRW": "韩元",
            "HKD": "港币", "TWD": "台币", "SGD": "新币", "THB": "泰铢", "MYR": "令吉",
        }.items()
    },
    units=_both(
        mm="毫米", cm="厘米", m="米", km="公里", g="克", kg="公斤", mg="毫克", ml="毫升", mL="毫升",
        l="升", L="升", GB="个G", TB="个T", mAh="毫安时", W="瓦", V="伏", h="小时", min="分钟",
    ) | {"°C": ("度", "度"), "℃": ("度", "度"), '"': ("英寸", "英寸")},
    scales={"k": "千", "K": "千", "w": "万", "W": "万", "万": "万", "亿": "亿"},
)  # fmt: skip

_JAPANESE = Language(
    cardinal=japanese_cardinal,
    point="てん",
    joint="",
    says_minor=True,
    percent="{n}パーセント",
    times="{n}ばい",
    by="かける",
    to="から",
    per="あたり",
    minus="マイナス",
    plus="プラス",
    ampersand="アンド",
    currencies={
        "JPY": ("えん", "えん", "", ""),
        "USD": ("ドル", "ドル", "セント", "セント"),
        "EUR": ("ユーロ", "ユーロ", "セント", "セント"),
        "CNY": ("げん", "げん", "", ""),
        "KRW": ("ウォン", "ウォン", "", ""),
        "GBP": ("ポンド", "ポンド", "ペンス", "ペンス"),
    },
    units=_both(
        mm="ミリ", cm="センチ", m="メートル", km="キロメートル", g="グラム", kg="キログラム",
        ml="ミリリットル", mL="ミリリットル", l="リットル", L="リットル", GB="ギガ", TB="テラ",
        W="ワット", V="ボルト", h="じかん", min="ふん",
    ) | {"°C": ("ど", "ど"), "℃": ("ど", "ど"), '"': ("インチ", "インチ")},
    scales={"万": "まん", "億": "おく"},
)  # fmt: skip

_KOREAN = Language(
    point="점 ",
    joint=" ",
    says_minor=True,
    percent="{n} 퍼센트",
    times="{n} 배",
    by=" 곱하기 ",
    to="에서 ",
    per=" 당 ",
    minus="마이너스 ",
    plus=" 플러스 ",
    ampersand=" 앤드 ",
    currencies={
        "KRW": ("원", "원", "", ""),
        "USD": ("달러", "달러", "센트", "센트"),
        "EUR": ("유로", "유로", "센트", "센트"),
        "JPY": ("엔", "엔", "", ""),
        "CNY": ("위안", "위안", "", ""),
        "GBP": ("파운드", "파운드", "펜스", "펜스"),
    },
    units=_both(
        mm="밀리미터", cm="센티미터", m="미터", km="킬로미터", g="그램", kg="킬로그램",
        ml="밀리리터", mL="밀리리터", l="리터", L="리터", GB="기가바이트", TB="테라바이트",
        W="와트", V="볼트", h="시간", min="분",
    ) | {"°C": ("도", "도"), "℃": ("도", "도"), '"': ("인치", "인치")},
    scales={"만": "만", "천": "천", "억": "억"},
)  # fmt: skip


def _currencies_alone(**names: str) -> Language:
    """A language of which we know the currencies; espeak reads its numbers as they are written."""
    forms = {code: (name, name, "", "") for code, name in names.items()}
    return WrittenPrices(decimal=",", point=AS_WRITTEN, currencies=forms)


_LANGUAGES: dict[str, Language] = {
    "ru": _currencies_alone(RUB="рублей", USD="долларов", EUR="евро", CNY="юаней"),
    "uk": _currencies_alone(UAH="гривень", USD="доларів", EUR="євро"),
    "pl": _currencies_alone(PLN="złotych", USD="dolarów", EUR="euro"),
    "tr": _currencies_alone(TRY="lira", USD="dolar", EUR="avro"),
    "vi": _currencies_alone(VND="đồng", USD="đô la", EUR="ơ rô"),
    "th": _currencies_alone(THB="บาท", USD="ดอลลาร์", EUR="ยูโร"),
    "hi": _currencies_alone(INR="रुपये", USD="डॉलर", EUR="यूरो"),
    "nl": _currencies_alone(EUR="euro", USD="dollar", GBP="pond"),
    "ar": _currencies_alone(USD="دولار", EUR="يورو", SAR="ريال", AED="درهم"),
    "en": _ENGLISH,
    "es": _SPANISH,
    "pt": _PORTUGUESE,
    "de": _GERMAN,
    "fr": _FRENCH,
    "it": _ITALIAN,
    "id": _INDONESIAN,
    "ms": _INDONESIAN,
    "zh": _CHINESE,
    "cmn": _CHINESE,
    "yue": _CHINESE,
    "hak": _CHINESE,
    "ja": _JAPANESE,
    "ko": _KOREAN,
}
_GENERIC = Language(decimal=",", point=AS_WRITTEN)
HOME_CURRENCY = {"yue": "HKD", "zh": "CNY", "cmn": "CNY", "ja": "JPY"}
"""What a bare ¥ means, by language; elsewhere it is the yuan of our sellers' suppliers."""


def language_of(tag: str) -> Language:
    """The words for a BCP 47 tag; a language we have none for keeps signs and digits to espeak."""
    return _LANGUAGES.get(tag.lower().split("-")[0], _GENERIC)
