"""Which word of a title names the thing sold: a mouse pad is a pad, a case for a phone a case.

Shoppers who ask for a mouse want a mouse, and a large catalogue holds ten accessories for each.
"""

from collections.abc import Sequence

from commerce.models.words import is_cjk, split, stem

_PARTS = frozenset(
    stem(word)
    for word in split("""
    accessory accessories adapter adaptor arm backpack bag battery bracket cable cap cartridge case
    charger cleaner cleaning cooler cord cover cradle dock docking drawer drum film filter fuser
    grip guard holder holster hood inverter kit lead lens license lock maintenance mount pad part
    plug pouch protector refill remote replacement rest ribbon roller shell skin sleeve spare stand
    strap support tip toner transfer tray tripod warranty wrist
    funda soporte cargador bateria protector repuesto recambio correa tapa
    capa suporte carregador pelicula bolsa peca
    casing sarung dudukan tali pengisi
    """)
)
_BEFORE_THE_OWNER = frozenset({"for", "para", "pour", "fur", "per", "untuk", "de"})
_BETWEEN = frozenset({"with", "and", "con", "com", "y", "e", "dan"})
# 手机壳, 保护膜, カバー, 케이스: the last character of a Chinese compound names the thing.
_PART_CHARACTERS = frozenset("壳殼套膜架线線包袋盖蓋贴貼座带帶")


def is_part(word: str) -> bool:
    """Whether a word names something that belongs to something else."""
    if is_cjk(word):
        return word[-1] in _PART_CHARACTERS
    return any(part in _PARTS for part in word.split())


def is_head(title: Sequence[str], wanted: str) -> bool:
    """Whether a title names a thing itself somewhere, rather than only what it belongs to.

    Args:
        title: Index words of a title in their order.
        wanted: Index words of the thing, all of which the title holds.
    """
    last = wanted.split()[-1]
    return any(
        word == last and _stands_for_itself(title, place) for place, word in enumerate(title)
    )


def _stands_for_itself(title: Sequence[str], place: int) -> bool:
    following = title[place + 1 : place + 3]
    # "Pad for an optical mouse"; a title that begins with "for" says nothing.
    if _BEFORE_THE_OWNER.intersection(title[max(1, place - 3) : place]):
        return False
    if not following:
        return True
    if is_cjk(title[place]):
        # The next pair of a run shares one character: 手机, 机壳.
        return not (following[0][:1] == title[place][-1:] and is_part(following[0]))
    if following[0] in _PARTS:
        return False
    return not (len(following) > 1 and following[0] not in _BETWEEN and following[1] in _PARTS)
