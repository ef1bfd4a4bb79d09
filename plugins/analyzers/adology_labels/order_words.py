# ruff: noqa: RUF001 - words of other languages
"""Phrases of orders to whoever labels; see `phrases` for how they are written.

A changed phrase changes results: raise VERSION.
"""

from __future__ import annotations

VERSION = "1"

OVERRIDE = """
    ignore _ instruction*|ignore instruction*|ignore _ prompt*|ignore _ guideline*|ignore everything above
    |ignore all of the above|ignore the above|disregard _ instruction*|disregard instruction*
    |disregard _ prompt*|disregard _ guideline*|disregard _ rules|ignore _ rules|disregard everything
    |disregard the above|forget _ instruction*|forget your instruction*|forget everything above|forget the above
    |override _ instruction*|override your instruction*|override _ label*|bypass _ filter*|new instructions
    |updated instructions|your instructions|your new instruction*|your real task|your actual task|your task is
    |system prompt|developer mode|do not follow _ instructions|previous instructions|prior instructions
    |stop following|ignora _ instrucciones|ignora instrucciones|ignora las instrucciones|olvida _ instrucciones
    |olvida las instrucciones|haz caso omiso|instrucciones anteriores|nuevas instrucciones
    |ignore* _ instructions|ignorez _ consignes|ignorez les consignes|oubliez _ instructions
    |oubliez les instructions|oublie _ instructions|oublie les consignes|instructions precedentes
    |consignes precedentes|ignorier* _ anweisung*|ignorier* _ anweisungen|ignoriere alle|vergiss _ anweisung*
    |vergiss _ anweisungen|missachte*|vorherigen anweisungen|bisherigen anweisungen|neue anweisung*
    |ignorier* _ vorgaben|ignora _ istruzioni|ignora le istruzioni|dimentica _ istruzioni
    |dimentica le istruzioni|istruzioni precedenti|ignore _ instrucoes|ignore as instrucoes|esqueca _ instrucoes
    |esqueca as instrucoes|instrucoes anteriores|negeer _ instructies|negeer alle|vergeet _ instructies
    |vorige instructies|zignoruj _ instrukcj*|zignoruj poprzednie|poprzednie instrukcje|poprzednich instrukcji
    |talimat* yok say*|talimat* gormezden gel*|onceki talimat*|игнориру* _ инструкци*|игнориру* инструкци*
    |игнориру* _ указани*|забуд* _ инструкци*|предыдущие инструкции|предыдущие указания|忽略之前|忽略以上
    |忽略上述|忽略所有|忽略前面|无视之前|无视以上|忘记之前|之前的指令|以上的指令|上述指令|系统提示|指示を無視
    |命令を無視|指示は無視|指示をすべて無視|これまでの指示|以前の指示|上記の指示|システムプロンプト|지시를 무시
    |지시사항을 무시|이전 지시|모든 지시|تجاهل التعليمات|تجاهل جميع التعليمات|تجاهل كل التعليمات
    |التعليمات السابقة
"""
"""Instructions are to be dropped or replaced."""
TO_A_MODEL = """
    you are an ai|you are a language model|you are now _ model|you are now _ classifier|you are now _ labeller
    |you are now _ labeler|you are now _ assistant|you are now an ai|you are a classifier|you are a labeller
    |you are a labeler|you are chatgpt|you are an assistant|you are a helpful assistant|as an ai model
    |as an ai language|as an ai assistant|as a language model|dear ai|dear model|hey ai|hello ai|hey chatgpt
    |attention ai|note to ai|note to the ai|note to the model|note to the labeller|note to the labeler
    |note to the classifier|note for ai|message to the ai|to the ai reading|to any ai|ai model reading
    |model reading this|ai reading this|ai moderator*|ai labeler|ai labeller|if you are an ai
    |if you are a language model|act as a _ classifier|eres un asistente|eres una ia|eres un modelo
    |eres un clasificador|si eres una ia|tu es un assistant|tu es une ia|vous etes une ia|vous etes un assistant
    |tu es un modele|si vous etes une ia|du bist ein assistent|du bist eine ki|du bist ein klassifikator
    |du bist jetzt ein assistent|du bist jetzt _ klassifikator|du bist ein sprachmodell|liebe ki
    |hinweis an die ki|sei un assistente|sei un'ia|sei un modello|sei un classificatore|voce e um assistente
    |voce e uma ia|voce e um modelo|je bent een assistent|je bent een ai|jestes asystentem|jestes modelem
    |jestes ai|sen bir yapay zeka*|ты ассистент|ты языковая модель|ты теперь классификатор|ты теперь модель
    |ты ии|ты классификатор|ты нейросеть|вы языковая модель|你是一个ai|你是ai|你是一个人工智能|你是人工智能
    |你是一个助手|你现在是|作为ai|作为人工智能|あなたはai|あなたは人工知能|あなたはアシスタント|あなたは分類
    |あなたは今から|당신은 ai|당신은 인공지능|너는 ai|أنت نموذج|أنت مساعد|أنت ذكاء
"""
"""A model is spoken to."""
LABEL_AS = """
    label this|label it as|label the ad|label the image|label as|labelled as|labeled as|classify this
    |classify it|classify as|classify the ad|classify the image|classified as|categorize this|categorise this
    |categorize it|categorise it|categorize as|categorise as|tag this ad*|tag it as|tag this image|mark this ad*
    |mark this image|mark it as|rate this ad*|rate this image|score this ad*|set the label*|set the category
    |set all labels|set confidence|set the confidence|assign the label*|assign the category|assign category
    |assign label|choose the label*|pick the label*|choose category|use the label*|the correct label*
    |the correct category|the right label*|the only label*|output only|respond only|respond with|reply with
    |reply only|answer only|answer with|return only|print only|say only|return the json|valid json|json object
    |etiqueta este|etiqueta esta|etiquetalo|clasifica este|clasifica esta|clasificalo|categoriza este
    |marca este anuncio|responde solo|responde con|responde unicamente|la categoria correcta
    |la etiqueta correcta|classe* cette|classez cette|classifiez cette|classifie cette|etiquetez cette
    |categorisez cette|repondez uniquement|reponds uniquement|repondez par|la bonne categorie
    |la categorie correcte|klassifizier* diese|kategorisier* diese|kennzeichne* diese anzeige
    |markier* diese anzeige|stufe diese anzeige|antworte nur|antworte mit|antworten sie nur
    |die richtige kategorie|als kategorie|ordne diese anzeige|classifica questo|classifica questa
    |etichetta questo|etichetta questa|rispondi solo|rispondi con|categoria corretta|classifique este
    |classifique esta|rotule este|rotule esta|responda apenas|responda somente|a categoria correta
    |classificeer deze|label deze|antwoord alleen|sklasyfikuj te|sklasyfikuj to|oznacz te reklam*
    |odpowiedz tylko|bu reklami * olarak etiketle|bu reklami|etiketle|классифициру* этот|классифициру* эту
    |классифициру* это|пометь это|пометь эту|отметь эту рекламу|отвечай только|ответь только
    |правильная категория|отнеси эту|标记为|归类为|分类为|将此广告|把此广告|把这个广告|只回答|只输出|请回答
    |正确的类别|正确类别|に分類|と分類|ラベルを付け|とラベル|とだけ答え|のみ出力|のみ回答|正しいカテゴリ|로 분류
    |라고 분류|라벨을|만 출력|라고만 답|صنف هذا|صنّف هذا|اعتبر هذا الإعلان|أجب فقط
"""
"""A label or an answer is asked for."""
ITSELF = """
    this ad|this advert|this advertisement|this commercial|this creative|these ads|este anuncio|esta publicidad
    |este aviso|cette annonce|cette publicite|cette pub|diese anzeige|dieser anzeige|diese werbung|diese reklame
    |questo annuncio|questa pubblicita|este comercial|esta propaganda|deze advertentie|deze reclame|te reklame
    |ta reklama|tej reklamy|bu reklam*|эта реклама|эту рекламу|это объявление|этой рекламы|此广告|本广告|这个广告
    |这则广告|この広告|이 광고|هذا الإعلان
"""
"""The ad speaks of itself: a disclaimer or an order, nothing of the product."""
TALK = """
    label*|classif*|categor*|taxonom*|confidence|evidence|instruction*|prompt|json|iab|ignore|output|override
    |funnel|model|system|unknown|etiquet*|clasific*|confianza|instrucci*|konfidenz|klassifi*|kategori*
    |anweisung*|confiance|consigne*|confianca|etichett*|istruzion*|категори*|метк*|уверенност*|инструкци*|类别
    |标签|置信度|指令|カテゴリ|ラベル|信頼度|指示|분류|라벨|신뢰도|تصنيف|فئة
"""
"""Words of sentences that may go on with an order."""

_SENTENCE = r"(?:^|(?<=\n)|(?<=[.!?]\s))\W{0,4}"
FORMS = (
    r"<\s*\|[^\n|]{0,40}\|\s*>",
    r"\[/?\s*(?:inst|sys|system|assistant|user|ad|data)\s*\]|<<\s*/?\s*sys\s*>>",
    (
        r"<\s*/?\s*(?:system|assistant|developer|user|instructions?|prompt|ad|ad_?content|data|document|untrusted\w*)\b"
        r"[^\n>]{0,60}>"
    ),
    (
        _SENTENCE + r"(?:system|assistant|developer|ai|sistema|systeme|система|系统|システム)"
        r"\s*(?:message|note|nachricht)?\s*[:：]"
    ),
    r"[\"'](?:labels?|categor\w+|iab\w*|confidence|hook|funnel|role|taxonomy|cta\w*|id)[\"']\s*:",
    (
        r"(?:^|(?<=[\n,;(])|(?<=[.!?,;]\s))\W{0,3}(?:(?:ad|iab|correct|final|product)[ _-])?"
        r"(?:labels?|category|iab|taxonomy|hook|funnel)(?:[ _-]?id)?\s*[:=]\s*\S"
    ),
    r"\bconfidence\s*(?:score)?\s*(?:[:=]|of|is)?\s*(?:[01]\b|0?\.\d|100\s?%)",
    r"(?:类别|标签|置信度|カテゴリ|ラベル|信頼度)\s*[:：=]\s*\S",
    _SENTENCE + r"(?:категория|метка|kategorie|categoria|categorie)\s*[:=]\s*\S",
    r"\b(?:begin|end|start)\s+of\s+(?:the\s+)?(?:system|ad|data|instructions?|prompt|untrusted)\b",
    r"\b(?:begin|end)\s+(?:system|instructions|prompt|untrusted)\b|-{3,}\s*(?:end|begin)\b|`{3}",
)
"""Forms of orders: fake roles, tags, answers and ends of data. Patterns for folded text."""
