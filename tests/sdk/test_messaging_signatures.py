"""A forged, stale or repeated call is refused on every channel; the oracles agree with us."""

import base64
import json
import time
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import httpx
import pytest

from sdk.errors import CallRefusedError, SettingsError
from sdk.messaging.channels.discord import Discord
from sdk.messaging.channels.generic import Generic
from sdk.messaging.channels.line import Line
from sdk.messaging.channels.slack import Slack
from sdk.messaging.channels.telegram import Telegram
from sdk.messaging.channels.wecom import Wecom
from sdk.messaging.channels.wecom_bot import WecomBot
from sdk.messaging.channels.whatsapp import WhatsApp
from sdk.messaging.messages import Call
from sdk.messaging.wecom_crypto import WecomCrypto
from tests.support.chats import (
    AES_KEY,
    DISCORD_KEY,
    DISCORD_PUBLIC,
    SECRET,
    TELEGRAM_TOKEN,
    dumped,
    hmac_b64,
    hmac_hex,
    telegram_headers,
    telegram_update,
)

NOW = 1_780_000_000
CORPORATION = "wx5823bf96d3bd56c7"


def client():
    return httpx.AsyncClient()


def channels():
    http = client()
    return {
        "telegram": Telegram(TELEGRAM_TOKEN, http, username="shop"),
        "whatsapp": WhatsApp(SECRET, "verify", "access", "555", http),
        "wecom": Wecom(CORPORATION, "7", "s", "token", AES_KEY, http),
        "wecom-bot": WecomBot("token", AES_KEY, http),
        "line": Line(SECRET, "access", http),
        "slack": Slack(SECRET, "xoxb", http, bot_user="UBOT"),
        "discord": Discord(DISCORD_PUBLIC, http),
        "generic": Generic(SECRET, http),
    }


def whatsapp_body(at):
    message = {"from": "49151", "group_id": "G1", "id": "wamid.1", "timestamp": str(int(at)),
               "type": "text", "text": {"body": "/privacy"}}  # fmt: skip
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": "555"},
             "contacts": [{"profile": {"name": "Ana"}, "wa_id": "49151"}],
             "messages": [message]}  # fmt: skip
    change = {"field": "messages", "value": value}
    return dumped({"object": "whatsapp_business_account", "entry": [{"changes": [change]}]})


def line_body(at):
    mention = {"mentionees": [{"index": 0, "length": 5, "isSelf": True}]}
    message = {"id": "5", "type": "text", "text": "@Shop any tea?", "mention": mention}
    event = {"type": "message", "mode": "active", "timestamp": int(at * 1000),
             "webhookEventId": "01HZ", "deliveryContext": {"isRedelivery": False},
             "source": {"type": "group", "groupId": "C1", "userId": "U1"}, "replyToken": "r",
             "message": message}  # fmt: skip
    return dumped({"destination": "U0", "events": [event]})


def wecom_call(crypto, message, at, *, is_json):
    encrypted, timestamp = crypto.seal(message), str(int(at))
    query = {
        "msg_signature": crypto.signature(timestamp, "nonce", encrypted),
        "timestamp": timestamp,
        "nonce": "nonce",
    }
    xml = f"<xml><ToUserName>c</ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    return {}, query, dumped({"encrypt": encrypted}) if is_json else xml.encode()


def signed(name, at):
    """(headers, query, body) of a genuine call that was made at a time."""
    timestamp = str(int(at))
    if name == "telegram":
        body = dumped(telegram_update("@shop any tea?", date=at))
        return telegram_headers(), {}, body
    if name == "whatsapp":
        body = whatsapp_body(at)
        return {"x-hub-signature-256": "sha256=" + hmac_hex(SECRET, body)}, {}, body
    if name == "wecom":
        message = (
            f"<xml><FromUserName>ana</FromUserName><CreateTime>{timestamp}</CreateTime>"
            "<MsgType>text</MsgType><Content>tea?</Content><MsgId>1</MsgId></xml>"
        )
        crypto = WecomCrypto("token", AES_KEY, CORPORATION)
        return wecom_call(crypto, message.encode(), at, is_json=False)
    if name == "wecom-bot":
        message = {"msgid": "m1", "chatid": "g", "chattype": "group", "from": {"userid": "ana"},
                   "msgtype": "text", "text": {"content": "@Shop tea?"}}  # fmt: skip
        return wecom_call(WecomCrypto("token", AES_KEY, ""), dumped(message), at, is_json=True)
    if name == "line":
        body = line_body(at)
        return {"x-line-signature": hmac_b64(SECRET, body)}, {}, body
    if name == "slack":
        event = {"type": "app_mention", "channel": "C1", "user": "U1", "text": "<@UBOT> tea?",
                 "ts": "1.2"}  # fmt: skip
        body = dumped({"type": "event_callback", "event_id": "Ev1", "event": event})
        signature = "v0=" + hmac_hex(SECRET, b"v0:" + timestamp.encode() + b":" + body)
        headers = {"x-slack-request-timestamp": timestamp, "x-slack-signature": signature}
        return headers, {}, body
    if name == "discord":
        data = {"name": "shop", "options": [{"name": "q", "value": "tea?"}]}
        body = dumped({"type": 2, "id": "1", "token": "t", "application_id": "9", "guild_id": "3",
                       "channel_id": "4", "member": {"user": {"id": "5"}, "permissions": "32"},
                       "data": data})  # fmt: skip
        signature = DISCORD_KEY.sign(timestamp.encode() + body).hex()
        return {"x-signature-timestamp": timestamp, "x-signature-ed25519": signature}, {}, body
    body = dumped({"id": "e1", "chat": {"id": "g", "is_group": True}, "is_to_us": True,
                   "member": {"id": "ana"}, "text": "tea?"})  # fmt: skip
    signature = hmac_hex(SECRET, timestamp.encode() + b"." + body)
    return {"x-livepitch-signature": f"t={timestamp},v1={signature}"}, {}, body


def call(parts, at=NOW, method="POST"):
    headers, query, body = parts
    return Call(method, headers, query, body, datetime.fromtimestamp(at, UTC))


NAMES = sorted(channels())


@pytest.mark.parametrize("name", NAMES)
def test_a_genuine_call_is_taken_and_read(name):
    channel = channels()[name]
    delivery = channel.receive(call(signed(name, NOW)))
    (pushed,) = delivery.pushed
    message = channel.read(pushed.body)
    assert message.is_to_us
    assert message.address.channel == name
    assert "tea" in message.text or message.text == "/privacy"
    assert "@" not in message.text
    assert "shop" not in message.text.lower()


@pytest.mark.parametrize("name", NAMES)
def test_one_changed_letter_of_the_body_is_refused(name):
    headers, query, body = signed(name, NOW)
    if name == "telegram":  # its body is not signed; the secret header is all there is
        headers = {**headers, "x-telegram-bot-api-secret-token": "wrong"}
    place = body.index(b"Encrypt") + 30 if name == "wecom" else len(body) // 2
    place = body.index(b'"encrypt"') + 40 if name == "wecom-bot" else place
    forged = bytearray(body)
    forged[place] = ord("B" if forged[place] == ord("A") else "A")  # of base64 too
    with pytest.raises(CallRefusedError) as caught:
        channels()[name].receive(call((headers, query, bytes(forged))))
    assert caught.value.status == 401


@pytest.mark.parametrize("name", NAMES)
def test_a_signature_of_another_secret_or_none_is_refused(name):
    headers, query, body = signed(name, NOW)
    nothing = dict.fromkeys(headers, "")
    wrong = {
        key: value if "timestamp" in key else value[:-2] + ("00" if value[-2:] != "00" else "11")
        for key, value in headers.items()
        if key != "content-type"
    }
    odd = {**query, "msg_signature": "ä" * 40} if query else query
    for shown in ((nothing, {}), (wrong, odd), ({}, {})):
        with pytest.raises(CallRefusedError) as caught:
            channels()[name].receive(call((*shown, body)))
        assert caught.value.status == 401


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("skew_s", [-8 * 86_400, +900, 8 * 86_400])
def test_a_stale_call_or_one_of_the_future_is_never_worked_on(name, skew_s):
    channel, parts = channels()[name], signed(name, NOW + skew_s)
    if channel.capabilities.clock_window_s is None:
        # What carries no signed time is answered, so that it is not sent again, and dropped.
        assert channel.receive(call(parts)).pushed == ()
        return
    with pytest.raises(CallRefusedError) as caught:
        channel.receive(call(parts))
    assert caught.value.status == 401


@pytest.mark.parametrize("name", [n for n in NAMES if channels()[n].capabilities.clock_window_s])
@pytest.mark.parametrize(
    ("skew_s", "is_taken"), [(-301, False), (-299, True), (299, True), (301, False)]
)
def test_the_clock_window_is_five_minutes_both_ways(name, skew_s, is_taken):
    parts = signed(name, NOW + skew_s)
    if is_taken:
        assert channels()[name].receive(call(parts)).pushed
    else:
        with pytest.raises(CallRefusedError):
            channels()[name].receive(call(parts))


@pytest.mark.parametrize("name", NAMES)
def test_a_repetition_carries_the_same_event_id(name):
    first = channels()[name].receive(call(signed(name, NOW))).pushed[0]
    again = channels()[name].receive(call(signed(name, NOW + 1))).pushed[0]
    if name == "wecom":
        assert first.event_id == again.event_id == "1"
    else:
        assert first.event_id == again.event_id


@pytest.mark.parametrize(
    "timestamp", ["", "abc", "-5", "1e9", " 1780000000", "١٧٨٠٠٠٠٠٠٠", "1" * 30]
)
def test_times_that_are_not_plain_digits_are_refused(timestamp):
    headers, query, body = signed("slack", NOW)
    with pytest.raises(CallRefusedError):
        channels()["slack"].receive(
            call(({**headers, "x-slack-request-timestamp": timestamp}, query, body))
        )


def test_slacks_own_verifier_agrees():
    from slack_sdk.signature import SignatureVerifier

    headers, _, body = signed("slack", time.time())
    theirs = SignatureVerifier(SECRET)
    assert theirs.is_valid(body, headers["x-slack-request-timestamp"], headers["x-slack-signature"])
    made = theirs.generate_signature(timestamp=str(NOW), body=body)
    shown = {"x-slack-request-timestamp": str(NOW), "x-slack-signature": made}
    assert channels()["slack"].receive(call((shown, {}, body))).pushed


def test_lines_own_verifier_agrees():
    from linebot.v3.webhook import SignatureValidator

    headers, _, body = signed("line", NOW)
    assert SignatureValidator(SECRET).validate(body.decode(), headers["x-line-signature"])


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::PendingDeprecationWarning")
def test_wechatpy_reads_what_we_encrypt_and_we_what_it_does():
    from wechatpy.crypto import PrpCrypto
    from wechatpy.enterprise.crypto import WeChatCrypto

    theirs = WeChatCrypto("token", AES_KEY, CORPORATION)
    ours = WecomCrypto("token", AES_KEY, CORPORATION)
    xml = theirs.encrypt_message("<xml><a>你好</a></xml>", "nonce", str(NOW))
    text = xml if isinstance(xml, str) else xml.decode()
    encrypted = text.split("<Encrypt><![CDATA[")[1].split("]]>")[0]
    signature = text.split("<MsgSignature><![CDATA[")[1].split("]]>")[0]
    assert ours.open(signature, str(NOW), "nonce", encrypted).decode() == "<xml><a>你好</a></xml>"
    sealed = ours.seal("你好, shop".encode())
    key = PrpCrypto(base64.b64decode(AES_KEY + "="))
    assert key.decrypt(sealed, CORPORATION) == "你好, shop"


def test_the_vector_that_wecom_publishes():
    crypto = WecomCrypto("QDG6eK", AES_KEY, CORPORATION)
    echo = (
        "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
    )
    signature = "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3"
    assert crypto.open(signature, "1409659589", "263014780", echo) == b"1616140317555161061"
    with pytest.raises(CallRefusedError) as caught:
        crypto.open(signature[:-1] + "4", "1409659589", "263014780", echo)
    assert caught.value.status == 401


@pytest.mark.parametrize("name", ["wecom", "wecom-bot"])
def test_wecoms_check_is_answered_with_the_bare_word(name):
    receiver = CORPORATION if name == "wecom" else ""
    crypto = WecomCrypto("token", AES_KEY, receiver)
    echo = crypto.seal(b"1616140317555161061")
    query = {"timestamp": str(NOW), "nonce": "n", "echostr": echo}
    query["msg_signature"] = crypto.signature(str(NOW), "n", echo)
    began = time.process_time()
    delivery = channels()[name].receive(call(({}, query, b""), method="GET"))
    assert time.process_time() - began < 1
    assert delivery.answer.content == b"1616140317555161061"
    assert delivery.pushed == ()


def test_wecom_text_for_another_corporation_is_refused():
    other = WecomCrypto("token", AES_KEY, "another")
    parts = wecom_call(other, b"<xml/>", NOW, is_json=False)
    with pytest.raises(CallRefusedError) as caught:
        channels()["wecom"].receive(call(parts))
    assert caught.value.status == 400


def test_entities_in_wecoms_xml_are_refused():
    crypto = WecomCrypto("token", AES_KEY, CORPORATION)
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><xml><MsgId>&a;</MsgId></xml>'
    with pytest.raises(CallRefusedError, match="entities"):
        channels()["wecom"].receive(call(wecom_call(crypto, bomb, NOW, is_json=False)))


def test_whatsapps_handshake():
    query = {"hub.mode": "subscribe", "hub.verify_token": "verify", "hub.challenge": "12345"}
    answer = channels()["whatsapp"].receive(call(({}, query, b""), method="GET")).answer
    assert answer.content == b"12345"
    for wrong in ({"hub.verify_token": "other"}, {"hub.mode": "unsubscribe"}):
        with pytest.raises(CallRefusedError) as caught:
            channels()["whatsapp"].receive(call(({}, {**query, **wrong}, b""), method="GET"))
        assert caught.value.status == 403


def test_slacks_question_and_discords_ping_are_answered():
    body = dumped({"type": "url_verification", "challenge": "abc"})
    signature = "v0=" + hmac_hex(SECRET, b"v0:" + str(NOW).encode() + b":" + body)
    shown = {"x-slack-request-timestamp": str(NOW), "x-slack-signature": signature}
    assert channels()["slack"].receive(call((shown, {}, body))).answer.content == b"abc"
    ping = dumped({"type": 1})
    signature = DISCORD_KEY.sign(str(NOW).encode() + ping).hex()
    shown = {"x-signature-timestamp": str(NOW), "x-signature-ed25519": signature}
    answer = channels()["discord"].receive(call((shown, {}, ping))).answer
    assert json.loads(answer.content) == {"type": 1}


def test_an_empty_batch_of_line_is_fine():
    body = dumped({"destination": "U0", "events": []})
    shown = {"x-line-signature": hmac_b64(SECRET, body)}
    delivery = channels()["line"].receive(call((shown, {}, body)))
    assert (delivery.answer.status, delivery.pushed) == (200, ())


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[1]", b"{", b"null", b"[" * 5000])
def test_signed_rubbish_is_told_in_one_line(body):
    shown = {"x-line-signature": hmac_b64(SECRET, body)}
    with pytest.raises(CallRefusedError) as caught:
        channels()["line"].receive(call((shown, {}, body)))
    assert caught.value.status == 400
    assert "\n" not in str(caught.value)


def test_keys_that_are_none_are_told_at_the_start():
    with pytest.raises(SettingsError, match="43 characters"):
        WecomBot("token", "short", client())
    with pytest.raises(SettingsError, match="64 hexadecimal"):
        Discord("zz", client())
    with pytest.raises(SettingsError, match="BotFather"):
        Telegram("no token", client())


def test_query_words_with_signs_survive_the_url():
    # A base64 echostr holds + and /, which a query carries escaped.
    assert dict(parse_qsl("echostr=a%2Bb%2F%3D"))["echostr"] == "a+b/="
