"""Words that carry a message's purpose rather than its product, in English, Spanish, Portuguese
and Chinese. All are folded: lower case, no accents.
"""

import re

from commerce.recommendation import lexicon_asia as asia

# Harmless around a product's name: "the yoga mat for me please".
FUNCTION_WORDS = frozenset(
    """a an the of for with without in on at to from by and or any some this that these those it
    its one ones your you ya u please pls plz there here do does did is are am was be been can
    could would will shall should may might have has got get gets sell sells selling buy order
    what whats which where when how who whos much many more most other another else kind type
    me us we they them thing things stuff something anything item items product products
    price prices priced cost costs costing expensive cheap cheaper cheapest dear dearest budget
    new now today still also just really very good best nice great better recommend recommends
    recommendation recommendations suggest suggestion suggestions advise looking look search
    searching find show shop store available stock need needs want wants wanted wanna like
    interested if so not no yes ok hi hello hey sir madam dear bro sis guys
    un una unos unas el los las la lo de del al para por con sin en y o que cual cuales cuanto
    cuanta cuesta cuestan vale valen precio precios hay tienen tienes tiene teneis tendran busco
    buscando necesito quiero quisiera puedo algun alguna algo esto este esta estos estas ese esa
    es son mi tu su barato barata barato mas muy favor disponible disponibles queda quedan stock
    vende venden vendes recomienda recomiendas recomendacion sugieres
    um uma uns umas os as do da dos das no na nos nas com sem em e ou qual quais quanto quanta
    custa custam preco precos tem voces voce vcs vc procuro procurando preciso quero queria posso
    algum alguma isso isto esse essa estes sao meu minha seu sua mais muito favor disponivel
    disponiveis ainda vendem recomenda recomendam sugere me o a ao
    por left remaining color colors colour colours size sizes talla tallas cor cores tamanho
    tamanhos colores come comes made about tell describe what's whats who's where's how's
    it's that's there's don't doesn't isn't i'm i'd i'll you're let's let know worth use asap maybe
    quickly urgently today tonight""".split()  # noqa: SIM905
)

# Signs of talk rather than of a wish: "I love my lamp", "lol nice scarf".
CHATTER_WORDS = frozenset(
    """lol lmao rofl haha hahaha hehe jaja jajaja kkk kkkk rs wow omg damn bruh yay ooh aww ugh
    hmm thx thanks thank ty gracias obrigado obrigada love loved loves loving hate hated cool
    awesome amazing beautiful pretty cute funny boring i im ive my mine he she his her our their
    bought broke broken lost arrived received yesterday tomorrow everyone
    everybody friends guys first last again back always never hola ola oi bom boa tarde noche
    buenos buenas hello hi hey bye goodbye brb gg welcome congrats true same agree yeah yep nope
    ok okay sure maybe later soon time weather live stream robot""".split()  # noqa: SIM905
)

# In Chinese, a sentence about oneself or about what happened, rather than the name of a thing.
CHINESE_TALK = re.compile(
    "[我你他她谁咱俺了着过]|爱|[破碎坏漏掉丢]|上有|哈哈|谢谢|喜欢|好看|可爱|真的|太"
)

# Without a question or a wish these make a statement: "the zip was broken", "es muy bonito".
STATEMENT = re.compile(
    r"\b(?:was|were|is|are|am|been|being|had|came|comes|got|went|made|left|lost|not|never|very|so"
    r"|too|just|because|but|when|than|they|we|us|she|he|his|her|our|their|after|before|again|ago"
    r"|still|then|paid|sent|took|takes|turned|stopped|works|worked|smells?|tastes?|leaks?|shrank"
    r"|es|son|era|eran|fue|esta|estan|llego|foi|sao|estava|chegou|veio|nao)\b|n't\b"
)

# What is wrong with something bought already; no time to sell another.
COMPLAINT = re.compile(
    r"\b(?:broken?|broke|defective|faulty|damaged|refund(?:ed)?|scam|awful|terrible|horrible|worst"
    r"|disappoint(?:ed|ing)|never (?:again|arrived|came)|still waiting|money back|missing from"
    r"|fell apart|falling apart|stopped working|(?:wrong|too) (?:size|colou?r|small|big|expensive)"
    r"|rip.?off|waste of money|complain(?:t|ts|ed)?"
    r"|roto|rota|estafa|reembolso|pesimo|decepcionad[oa]|quebrad[oa]|golpe|pessimo)\b"
    r"|差评|坏了|退款|骗人|骗子|漏水|破了|碎的|掉色|充不进|没反应|不能用|不好用|根本|缩水|过敏|发错|没到|太差|投诉|敷衍|没人管|少了"
    r"|rusak|penipu|kecewa|壊れ|返金|不良品|고장|환불|불량|사기"
)

# Asked of people, about their lives; a shop is meant only where its own words are there too.
OF_PEOPLE = re.compile(
    r"\b(?:anyone|anybody|someone|somebody|everybody|whose|tomorrow|tonight|yesterday"
    r"|last (?:night|week|year)|this (?:morning|evening|weekend)|at my place|parking|password|meeting"
    r"|homework|lunch|dinner|remember|the (?:bus|train|station|game|party|trip)|on (?:mon|tues|wednes"
    r"|thurs|fri|satur|sun)days?|alguien|manana|ayer|alguem|amanha|ontem|besok|kemarin|siapa)\b"
    r"|^\W*(?:who|where) (?:is|are|has|have|was|left|can|'s)\b|谁|一起|有人|咱|几点|明天|明早|昨天|昨晚"
    r"|今晚|今天|周末|周[一二三四五六日]|密码|附近|怎么去|作业|在哪|下班|誰|明日|昨日|누구|내일|어제"
)
OF_SHOPS = re.compile(
    r"\b(?:sell|selling|buy|price|cost|stock|order|shop|available|under \S*\d|sizes?|vend|compr|precio"
    r"|preco|jual|beli|harga)|买|卖|多少钱|价|推荐|货|款|@|買|売|値段|在庫|가격|재고|사고"
)

# Praise is talk when nothing is asked ("nice scarf!"), and harmless in a question.
PRAISE = frozenset({"nice", "good", "great"})

COLOURS = frozenset(
    """black white red green blue yellow orange purple pink brown grey gray beige navy gold silver
    cream teal lilac rust sage sand negro negra blanco blanca rojo roja verde azul amarillo
    amarilla rosa marron gris preto preta branco branca vermelho vermelha amarelo amarela cinza
    黑色 白色 红色 绿色 蓝色 黄色 粉色 灰色""".split()  # noqa: SIM905
)

GREETINGS = re.compile(
    r"^\W*(?:hi|hello|hey|hiya|yo|good (?:morning|evening|afternoon|day)|hola|buen[oa]s|ola"
    r"|oi|bom dia|boa (?:tarde|noite)|你好|您好|大家好|嗨|哈喽|早上好|晚上好)\b"
    "|" + asia.GREETINGS
)

QUESTION = re.compile(
    r"[?？¿]|\btell me\b|\bdescribe\b|介绍|^\W*(?:what|which|where|when|how|who|is|are|do"
    r"|does|did|can|could|will|would|any|have|got|que|cual|cuales|cuanto|cuanta|cuantos|donde"
    r"|como|hay|tienen|tienes|qual|quais|quanto|onde|tem|voces)\b|吗|么|呢|多少|什么|哪|几"
    r"|怎么|有没有|是不是|能不能|可不可以"
    "|" + asia.QUESTION
)

# Said to a shop, these ask whether something is on its shelves.
STRONG_WISH = re.compile(
    r"\b(?:do|does|did) (?:you|u|ya|the shop|this shop|they) (?:guys )?(?:still )?(?:have"
    r"|sell|carry|stock|offer)|\b(?:you|u) (?:guys )?(?:have|got|sell) (?:a|an|any|some)\b"
    r"|\bhave you (?:got )?|\bgot any\b|^\W*got (?:a|an|some)\b"
    r"|^\W*any\b.*\?|\b(?:is|are) there (?:a|an|any|some)\b"
    r"|\blooking for\b|\bsearching for\b|\bwhere (?:can|do) i (?:buy|get|find)"
    r"|\bin search of\b|\b(?:anything|something) (?:for|under|below|less|cheaper|between"
    r"|around|over)\b|\b(?:tienen|tienes|teneis|tiene|busco|buscando|venden|vendes)\b"
    r"|^\W*hay\b|\bhay (?:algun|un)|\b(?:procuro|procurando|vendem)\b|\b(?:voces|voce"
    r"|vcs) tem\b|^\W*tem\b|有没有|有卖|有.{0,12}[吗么嘛]|卖.{0,8}吗|想找|求推荐|哪里买"
    "|" + asia.STRONG_WISH
)
WISH = re.compile(
    r"\b(?:i|we) (?:need|want|wanna|would like|am after)\b|\bi'?d (?:like|love|want)\b"
    r"|\bi'?m after\b|\b(?:show|give|find|get) me\b|\bcan i (?:buy|get|order|see|have)\b"
    r"|\binterested in\b|\bi'?ll take\b|\bneed (?:a|an|some|new)\b|\bwant (?:a|an|some"
    r"|to (?:buy|order|get))\b|\b(?:necesito|quiero|quisiera|preciso|quero|queria|gostaria)\b"
    r"|想要|想买|我要|需要|来一个|来个|买一|看看|求"
    "|" + asia.WISH
)

PRICE = re.compile(
    r"\bhow much\b|\bhow expensive\b|\bprices?\b|\bcosts?\b|\bwhat'?s it go for\b|\bcuanto\b"
    r"|\bcuesta|\bprecio|\bquanto (?:custa|e|sai|esta|fica)|\bpreco|多少钱|价格|什么价|几块"
    r"|几钱|怎么卖|贵吗"
    "|" + asia.PRICE
)
STOCK = re.compile(
    r"\bin stock\b|\bavailable\b|\bavailability\b|\bsold out\b|\bstill (?:have|got|there)\b"
    r"|\b(?:any|how many|some) (?:\w+ ){0,3}left\b|\bhow many\b.*\b(?:have|left)\b|\brestock"
    r"|\bdisponib|\bdisponiv|\bqueda[n]?\b|\bagotad|\bem estoque\b|\besgotad|\bainda tem\b"
    r"|\brestam\b|有货|现货|库存|还有吗|还有没有|还剩|卖完|没货"
    "|" + asia.STOCK
)
COLOUR = re.compile(
    r"\bcolou?rs?\b|\bshades?\b|\bcolores\b|\bcor(?:es)?\b|颜色|色号|\bcomes? in\b"
    r"|\bother versions?\b"
    "|" + asia.COLOUR
)
SIZE = re.compile(
    r"\bwhat sizes?\b|\bwhich sizes?\b|\bsizes\b|\bsize (?:chart|guide)|\btallas?\b"
    r"|\btamanhos?\b|尺码|尺寸|多大|码数"
    "|" + asia.SIZE
)
RECOMMEND = re.compile(
    r"\brecommend|\bsuggest|\bgift\b|\bgifts\b|\bpresent for\b|\bwhat should i (?:get|buy"
    r"|give)|\bwhich (?:one )?(?:is|would be|should) .*\b(?:best|better|choose|pick|get)\b"
    r"|\bbest ?sellers?\b|\bwhat'?s (?:good|popular|the best)\b|\brecomiend|\brecomend"
    r"|\bsugier|\bsuger|\bregalo|\bpresente|推荐|礼物|送礼|送给|送妈|送爸|送女|送男|买什么好"
    r"|哪个好"
    "|" + asia.RECOMMEND
)
ABOUT = re.compile(
    r"\bmade (?:of|from|in)\b|\bmaterial|\bwaterproof\b|\bwater.?resistant\b|\bwashable\b"
    r"|\bdishwasher|\bmicrowave|\bhow (?:long|big|heavy|large|tall|thick|wide|old|loud|bright"
    r"|warm|many|does|do i|to use)\b|\bwhat does\b|\bbattery\b|\bweight?\b|\bweighs?\b"
    r"|\bdimension|\bingredient|\bcaffeine|\bsmell|\bscent|\bvegan\b|\btell me (?:more|about)"
    r"|\bmore about\b|\bdescribe\b|\bwhat (?:is|are|kind|type)\b|\bis (?:it|this|that|the)\b"
    r"|\bare (?:they|these|those|the)\b|\bdoes (?:it|this|that|the)\b|\bdo (?:they|these"
    r"|those|the)\b|\bcan (?:it|this|that|i|you|the)\b|\bwill (?:it|this)\b|\bhas it\b"
    r"|\bwhat'?s\b|\bde que\b|\bcuantas? (?:horas|litros)\b|\bimpermeable\b|\bbateria\b"
    r"|\bes (?:bueno|de)\b|材质|什么做|防水|多久|多重|续航|怎么用|介绍|容量|成分|可以.{0,6}吗"
    r"|是什么"
)

POLICY = {
    "ordering": re.compile(
        r"\bhow (?:do|can|to|would) (?:i |we |you )?(?:order|buy|purchase|get it|check ?out)\b"
        r"|\bwhere (?:do|can) i (?:order|buy|get) (?:it|this|that|one)\b|\bcomo (?:lo )?compr"
        r"|\bcomo (?:puedo|posso|hago para|faco para) comprar|怎么买|怎么下单|哪里下单"
    ),
    "shipping": re.compile(
        r"\bship(?:s|ping|ped)?\b|\bdeliver(?:y|s|ed)?\b|\bpostage\b|\bcourier\b|\bcustoms\b"
        r"|\benvios?\b|\benviar|\benvia[ns]?\b|\bfrete\b|\bentrega[sr]?\b|\bdespach|发货|包邮"
        r"|运费|快递|邮费|几天到|多久到|配送|寄到"
    ),
    "returns": re.compile(
        r"\breturns?\b|\brefunds?\b|\bexchange\b|\bmoney back\b|\bdevol|\breembols|\btroca[r]?\b"
        r"|\bcambi(?:o|ar)\b|退货|退款|退换|换货"
    ),
    "warranty": re.compile(r"\bwarrant|\bguarantee|\bgarantia|保修|质保|保质"),
    "payment": re.compile(
        r"\bpay(?:ment|ments|ing|pal)?\b|\bcredit cards?\b|\bapple pay\b|\binstal|\bcash\b"
        r"|\bpix\b|\bpag(?:o|ar|amento)\b|\btarjeta|\bcartao|\bboleto\b|\bcuotas|\bparcela|支付"
        r"|付款|微信付|支付宝|分期|信用卡"
    ),
    "discount": re.compile(
        r"\bdiscount|\bcoupons?\b|\bpromo\b|\bpromotion|\bdeals?\b|\bon sale\b|\bdescuento"
        r"|\boferta|\bcupon|\bdesconto|\bcupom|\bpromocao|优惠|折扣|打折|便宜点|券|活动"
    ),
}  # fmt: skip

IDENTITY = re.compile(
    r"\bare (?:you|u) (?:a |an )?(?:real|human|ai|bot|robot|person|fake|machine)\b"
    r"|\bis (?:this|she|he) (?:a |an )?(?:real|ai|bot|robot|human)\b|\byou(?:'?re| are) (?:a "
    r"|an )?(?:ai|bot|robot)\b|\b(?:eres|es usted) (?:una? )?(?:real|humana?|robot|ia"
    r"|persona)|\b(?:voce|vc) e (?:uma? )?(?:real|humana?|robo|ia|pessoa)|(?:你|您"
    r"|主播)是(?:不是)?(?:真人|机器人|ai|人工智能|人)|真人吗"
)

REFERS_BACK = re.compile(
    r"\b(?:it|its|this|that|these|those|they|them|this one|that one)\b|\b(?:esto|este|esta"
    r"|eso|ese|esa|estos|estas|lo)\b|\b(?:isso|isto|esse|essa|ele|ela)\b|它|这个|这款|这件"
    r"|那个|这"
)

# The same question to a person, not to a shop.
PERSONAL = frozenset(
    """boyfriend girlfriend husband wife kids children family brother sister time plan plans idea
    clue name instagram number age birthday question questions problem problems minute second
    feelings soul fun news novio novia hijos hora namorado namorada filhos""".split()  # noqa: SIM905
)

CHEAPEST = re.compile(
    r"\bcheapest\b|\bleast expensive\b|\bmas barat|\bmais barat|最便宜" + "|" + asia.CHEAPEST
)
DEAREST = re.compile(
    r"\bmost expensive\b|\bdearest\b|\bmas car|\bmais car|最贵" + "|" + asia.DEAREST
)

# Cut out of Chinese before the words of the product are looked for, the longest first.
CHINESE_FILLER = """
    哈哈哈 多少钱 怎么卖 我想买 我想要 有没有 一下 一个 一些 一款 不错 主播 什么 价位 价格
    价钱 你们 你好 便宜 可以 哈哈 哪个 哪些 哪款 喜欢 多少 大家 好看 尺寸 尺码 左右 库存
    您好 想买 想要 我们 我要 推荐 有卖 比较 现货 的吗 看看 礼品 给我 老板 请问 谢谢 这个
    这款 适合 那个 需要 颜色 个 买 了 亲 他 件 你 元 几 卖 吗 吧 呀 呢 和 啊 在 块 太 她 好
    很 想 我 找 是 最 有 来 款 求 用 的 真 给 要 货 还 这 送 那 钱
""".split()  # noqa: SIM905
