"""What the shop writes in chats, beside answers from the catalogue: short, plain, labelled."""

from typing import Literal

from sdk.messaging.messages import AI_LABEL

Moment = Literal[
    "norms", "privacy", "forgotten", "consent_given", "consent_taken", "consent_offer",
    "policy_changed", "only_admins", "host_set", "text_kept", "text_dropped", "approval_asked",
    "approved_nothing", "open", "also", "taken_back", "asked_after", "asked_too", "advice_arrived",
    "thanks", "review_kept", "review_returned", "recommend_what", "help", "live_lead",
    "live_lead_named", "news_flash", "news_joined", "news_formed", "news_settled", "news_failed",
    "news_more", "thread_on", "thread_off", "thread_none", "order_linked", "order_unknown",
    "order_in_private",
]  # fmt: skip

_LINES: dict[str, dict[Moment, str]] = {
    "en": {
        "norms": (
            "Hello! I am this shop's presenter, an AI. I speak only when you mention me, and keep "
            "to this group's rules: {rules}. {veto} × 👎 takes a pitch back. "
            "/privacy says what I keep, /policy shows the rules."
        ),
        "privacy": (
            "I read a message when it is addressed to me, and let its text go once it is answered. "
            "I keep hashed ids, the products shown here and the votes{texts}. Your name is neither "
            "spoken nor shown unless you write /consent on. /forget deletes what names you."
        ),
        "forgotten": "Done: what named you is deleted, and your former id leads nowhere.",
        "consent_given": "Thank you: I may name you when I answer. /consent off takes that back.",
        "consent_taken": "I will not name you.",
        "consent_offer": "Shall I write to you, once, how a purchase was? Write /consent on.",
        "policy_changed": "Changed. The rules are now: {rules}.",
        "only_admins": "Only this group's admins can do that.",
        "host_set": "Noted: you brought the shop here. Links say so.",
        "text_kept": "Messages of this group are kept from now on, as its admin allowed.",
        "text_dropped": "Messages of this group are not kept; what was kept is deleted.",
        "approval_asked": "{title}: shall I show it here? An admin writes /approve {number}.",
        "approved_nothing": "There is nothing with that number to approve.",
        "open": "See it live",
        "also": "Also: {titles}.",
        "asked_too": "{count} more of this group asked for it lately.",
        "advice_arrived": ("Thank you: {title}, which you recommended, has reached its buyer."),
        "taken_back": "Taken back, as this group voted.",
        "asked_after": (
            "You bought {title} some days ago. Do you keep it? Write keep or return, and one line "
            "for other buyers if you like: it may be shown, good or bad. I ask only this once."
        ),
        "thanks": "Thank you. Your line is shown as you wrote it.",
        "review_kept": "A buyer who kept it: “{words}”",
        "review_returned": "A buyer who returned it: “{words}”",
        "recommend_what": "Write /recommend and what it is, such as /recommend thermos flask.",
        "help": "Ask me for a product: {example}",
        "live_lead": "A question from our chat group.",
        "live_lead_named": "{name} asks from our chat group.",
        "news_flash": "{title}: {price} instead of {before} until {until}, {left} left.",
        "news_joined": "{title} together: {joined} of {target} have paid, until {until}.",
        "news_formed": (
            "{title} together: {joined} have paid, so it comes about. More may join until {until}."
        ),
        "news_settled": "{title} together: it came about, {joined} paid {price} each.",
        "news_failed": (
            "{title} together: it did not come about; all who paid get everything back."
        ),
        "news_more": "And {count} more on the page.",
        "thread_on": "From now on offers stand in this thread only. /thread off ends that.",
        "thread_off": "Offers stand where they are asked for again.",
        "thread_none": "Write /thread on inside the thread or topic that offers shall go to.",
        "order_linked": (
            "Noted: this order is yours. Three days after delivery I ask once, here, how it is. "
            "/consent off takes that back."
        ),
        "order_unknown": "I know no paid order with that number; copy it from your order's page.",
        "order_in_private": "Write that to me in private: the number is yours alone.",
    },
    "zh": {
        "norms": (
            "大家好！我是本店的 AI 主播。只有提到我时我才说话，并遵守本群规则：{rules}。"
            "{veto} 个 👎 即撤回推荐。/privacy 说明我保存什么，/policy 查看规则。"
        ),
        "privacy": (
            "我只读发给我的消息，回答后即不保留其文字。我保存加密后的编号、在此展示的商品和投票{texts}。"
            "除非您写 /consent on，否则不会说出或显示您的名字。/forget 删除与您有关的内容。"
        ),
        "forgotten": "已删除与您有关的内容，原编号不再指向您。",
        "consent_given": "谢谢：回答时可以称呼您。/consent off 可撤回。",
        "consent_taken": "不会称呼您。",
        "consent_offer": "购买后可以问您一次使用感受吗？请写 /consent on。",
        "policy_changed": "已修改。现行规则：{rules}。",
        "only_admins": "只有群管理员可以这样做。",
        "host_set": "已记录：是您把本店带到这里，链接上会注明。",
        "text_kept": "经管理员同意，从现在起保存本群消息。",
        "text_dropped": "不保存本群消息，已保存的已删除。",
        "approval_asked": "{title}：要在这里展示吗？管理员请写 /approve {number}。",
        "approved_nothing": "没有这个编号的待批推荐。",
        "open": "看直播",
        "also": "另有：{titles}。",
        "asked_too": "本群最近还有 {count} 位成员问过它。",
        "advice_arrived": "谢谢您：您推荐的{title}已送到买家手中。",
        "taken_back": "按本群投票已撤回。",
        "asked_after": (
            "您几天前买了{title}。留下还是退货？请回复“留下”或“退货”，也可以写一句给其他买家，"
            "好坏都会照原文展示。只问这一次。"
        ),
        "thanks": "谢谢，您的话会照原文展示。",
        "review_kept": "一位留下它的买家：“{words}”",
        "review_returned": "一位退货的买家：“{words}”",
        "recommend_what": "请写 /recommend 加商品，例如 /recommend 保温杯。",
        "help": "可以这样问我：{example}",
        "live_lead": "群里有朋友问。",
        "live_lead_named": "群里的{name}问。",
        "news_flash": "{title}：限时价 {price}（原价 {before}），至 {until}，仅剩 {left} 件。",
        "news_joined": "{title} 拼团：{joined}/{target} 人已付款，至 {until}。",
        "news_formed": "{title} 拼团：{joined} 人已付款，已成团，{until} 前仍可加入。",
        "news_settled": "{title} 拼团成功：{joined} 人，每件 {price}。",
        "news_failed": "{title} 拼团未成，已付款项全部退回。",
        "news_more": "页面上还有 {count} 件。",
        "thread_on": "从现在起，推荐只出现在本话题中。/thread off 可取消。",
        "thread_off": "推荐将重新出现在提问的地方。",
        "thread_none": "请在要放推荐的话题里写 /thread on。",
        "order_linked": (
            "已记录：这是您的订单。送达三天后我在这里问一次使用感受。/consent off 可撤回。"
        ),
        "order_unknown": "没有这个编号的已付订单，请从订单页面复制。",
        "order_in_private": "请私下发给我：这个编号只属于您。",
    },
    "es": {
        "norms": (
            "¡Hola! Soy la presentadora de esta tienda, una IA. Hablo solo cuando me mencionan y "
            "sigo las reglas del grupo: {rules}. {veto} × 👎 retiran una propuesta. "
            "/privacy dice qué guardo, /policy muestra las reglas."
        ),
        "open": "Verlo en directo",
        "also": "También: {titles}.",
        "asked_too": "{count} más de este grupo lo pidieron hace poco.",
        "advice_arrived": "Gracias: {title}, que usted recomendó, ya llegó a quien lo compró.",
        "taken_back": "Retirado, como votó el grupo.",
        "live_lead": "Una pregunta de nuestro grupo.",
        "live_lead_named": "{name} pregunta desde nuestro grupo.",
    },
    "pt": {
        "norms": (
            "Olá! Sou a apresentadora desta loja, uma IA. Falo só quando me mencionam e sigo as "
            "regras do grupo: {rules}. {veto} × 👎 retiram uma oferta. "
            "/privacy diz o que guardo, /policy mostra as regras."
        ),
        "open": "Ver ao vivo",
        "also": "Também: {titles}.",
        "asked_too": "Mais {count} deste grupo pediram isto há pouco.",
        "advice_arrived": "Obrigada: {title}, que você recomendou, já chegou a quem comprou.",
        "taken_back": "Retirado, como o grupo votou.",
        "live_lead": "Uma pergunta do nosso grupo.",
        "live_lead_named": "{name} pergunta do nosso grupo.",
    },
}
_EXAMPLES = {"en": "any moisturizer for dry skin?", "zh": "有没有适合干皮的保湿霜？"}


def line(language: str, moment: Moment, **facts: object) -> str:
    """One line, without the label; English where a language has none.

    Args:
        language: Of the chat.
        moment: Which line.
        facts: What its braces name.
    """
    short = language[:2]
    template = _LINES.get(short, {}).get(moment) or _LINES["en"][moment]
    return template.format(**facts)


def labelled(language: str, *lines: str) -> str:
    """A whole message: the AI label, then the lines that say something."""
    label = AI_LABEL.get(language[:2], AI_LABEL["en"])
    return "\n".join([label, *(one for one in lines if one)])


def example(language: str) -> str:
    """A question that shows how to ask."""
    return _EXAMPLES.get(language[:2], _EXAMPLES["en"])
