"""Feeds that write each version into the title: "Varsity Top - Small", "Varsity Top - Large"."""

import re

from commerce.catalogue.draft import ProductDraft

_SHORTEST = 3
_OPTION = "Version"


def settle_versions(product: ProductDraft) -> None:
    """Name the product by what its versions' titles share, and the versions by what differs."""
    titles = [variant.title for variant in product.variants]
    if len(set(titles)) < 2:
        return
    shared = _shared_name(titles)
    if len(shared) < _SHORTEST:
        return
    product.title = shared
    if any(variant.options for variant in product.variants):
        return
    for variant in product.variants:
        rest = variant.title[len(shared) :].strip(" -–—,:;|/()[]")
        if rest:
            variant.options = {_OPTION: rest}


def _shared_name(titles: list[str]) -> str:
    first, last = min(titles), max(titles)
    alike = (
        place for place, pair in enumerate(zip(first, last, strict=False)) if len(set(pair)) > 1
    )
    shared = first[: next(alike, min(len(first), len(last)))]
    if any(title[len(shared) :][:1].isalnum() for title in titles if title != shared):
        # The titles part in the middle of a word: "Top Small", "Top Slim".
        shared = re.sub(r"[^\W_]+$", "", shared) if shared[-1:].isalnum() else shared
    return shared.rstrip(" -–—,:;|/([")
