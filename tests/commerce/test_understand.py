"""What a message asks for, before any catalogue is looked at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commerce.money import Money
from commerce.recommendation.understand import is_product_question, understand


def usd(minor):
    return Money(minor, "USD")


@pytest.mark.parametrize(
    ("text", "minimum", "maximum"),
    [
        ("headphones under 50", None, usd(5000)),
        ("headphones under $49.90", None, usd(4990)),
        ("less than 30 dollars please", None, usd(3000)),
        ("anything cheaper than 20 bucks?", None, usd(2000)),
        ("no more than 1,200", None, usd(120000)),
        ("my budget is 40", None, usd(4000)),
        ("30 or less", None, usd(3000)),
        ("between 20 and 40", usd(2000), usd(4000)),
        ("between 40 and 20", usd(2000), usd(4000)),
        ("$20-40 gifts", usd(2000), usd(4000)),
        ("more than 100 dollars", usd(10000), None),
        ("around $50", usd(3500), usd(6500)),
        ("50以下的耳机", None, usd(5000)),
        ("不超过200元的保温杯", None, Money(20000, "CNY")),
        ("预算100块", None, Money(10000, "CNY")),
        ("100到200元", Money(10000, "CNY"), Money(20000, "CNY")),
        ("200元左右", Money(14000, "CNY"), Money(26000, "CNY")),
        ("menos de 50 euros", None, Money(5000, "EUR")),
        ("entre 20 y 40", usd(2000), usd(4000)),
        ("até R$ 59,90", None, Money(5990, "BRL")),
        ("até 50", None, usd(5000)),
        ("20 to 40 euros", Money(2000, "EUR"), Money(4000, "EUR")),
        ("bottle under 500 ml", None, None),
        ("under 20 hours of battery", None, None),
        ("less than 2 kg", None, None),
        ("不超过500毫升", None, None),
        ("headphones", None, None),
    ],
)
def test_price_limits(text, minimum, maximum):
    query = understand(text)
    assert (query.minimum, query.maximum) == (minimum, maximum)


def test_a_bare_number_is_in_the_catalogues_currency():
    assert understand("under 50", "EUR").maximum == Money(5000, "EUR")
    assert understand("under ¥50", "JPY").maximum == Money(50, "JPY")
    assert understand("under 50 dollars", "CAD").maximum == Money(5000, "CAD")


@pytest.mark.parametrize(
    ("text", "intent", "topic"),
    [
        ("do you have headphones?", "find", ""),
        ("how much is the lamp?", "price", ""),
        ("多少钱", "price", ""),
        ("¿cuánto cuesta?", "price", ""),
        ("quanto custa?", "price", ""),
        ("is it in stock?", "stock", ""),
        ("还有货吗", "stock", ""),
        ("what colours?", "options", "colour"),
        ("what sizes does it come in?", "options", "size"),
        ("what do you recommend for my mum?", "recommend", ""),
        ("推荐一个礼物", "recommend", ""),
        ("do you ship to Canada?", "policy", "shipping"),
        ("can I return it?", "policy", "returns"),
        ("包邮吗", "policy", "shipping"),
        ("tem garantia?", "policy", "warranty"),
        ("can I pay with paypal", "policy", "payment"),
        ("any discount?", "policy", "discount"),
        ("how do I order?", "policy", "ordering"),
        ("is it waterproof?", "about", ""),
        ("what is it made of?", "about", ""),
        ("are you real?", "identity", ""),
        ("你是真人吗", "identity", ""),
        ("hello!", "greeting", ""),
        ("hola", "greeting", ""),
        ("你好", "greeting", ""),
        ("lol", "chatter", ""),
        ("thanks", "chatter", ""),
    ],
)
def test_intents(text, intent, topic):
    query = understand(text)
    assert (query.intent, query.topic) == (intent, topic)


def test_words_of_the_product_without_words_of_asking():
    query = understand("do you guys have any blue yoga mats for my mum under $40 please?")
    words = {term.word: term.weight for term in query.terms}
    assert set(words) == {"blue", "yoga", "mats", "mum"}
    # The thing itself weighs most, its use least.
    assert words["mats"] > words["yoga"] > words["mum"]


def test_phrases_and_synonyms_across_languages():
    for text in ("power banks?", "a portable charger", "充电宝有吗", "tienen bateria externa?"):
        (term,) = understand(text).terms
        assert "power bank" in term.alternatives, text


def test_product_questions_and_the_rest():
    assert is_product_question("how much is it?")
    assert is_product_question("有没有耳机")
    assert not is_product_question("haha so true")
    assert not is_product_question("good morning everyone")


@given(st.text(max_size=200))
def test_any_message_is_understood_somehow(text):
    query = understand(text)
    for limit in (query.minimum, query.maximum):
        assert limit is None or limit.minor >= 0
    assert all(term.weight > 0 and term.alternatives for term in query.terms)
