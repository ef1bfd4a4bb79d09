# ruff: noqa: RUF001 - words of other languages
"""Phrases that tell a hook, an offer, an angle or a step of the funnel; see `phrases` for how they are written.

A changed phrase changes results: raise VERSION. They were made with the ads of `label_texts.TUNE`
before the eyes, and with what ads in these languages commonly say.
"""

from __future__ import annotations

VERSION = "1"

HOOKS: dict[str, str] = {
    # The order decides where several fit.
    "transformation_story": """
        ^how i lost _|^how i _|my journey|i used to be|my transformation|so habe ich _|asi perdi|cosi ho perso
        |comment j'ai""",
    "listicle": """
        ^# _ reasons|^# reasons|^# _ ways|^# ways|^# _ tips|^# tips|^# mistakes|^# _ mistakes|^# things
        |^# _ things|^# signs|^# secrets|^top #|^# grunde|^# _ grunde|^# tipps|^# fehler|^# razones|^# consejos
        |^# errores|^# trucos|^# raisons|^# conseils|^# erreurs|^# astuces|^# motivi|^# consigli|^# errori
        |^# motivos|^# dicas|^# erros|^# redenen|^# powodow|^# причин*|^# совет*|つの理由|つの方法|个理由|个方法""",
    "how_to": """
        ^how to|^here's how to|^so geht|^so gelingt|^so wird|^wie du _|^wie sie _|^wie man _|^como elegir
        |^como hacer|^como _|^aprende a|^comment _|^voici comment|^come scegliere|^come fare|^come _|^zo kun je
        |^hoe je _|^jak _|^как _|^如何|^怎么|の方法""",
    "before_after": """
        before and after|before & after|before/after|vorher-nachher|vorher nachher|vorher und nachher
        |antes y despues|avant/apres|avant apres|avant et apres|prima e dopo|antes e depois|voor en na
        |до и после|ビフォーアフター|使用前后""",
    "mistake_warning": """
        ^stop _|^don't buy|^don't _ until|^never buy|mistake|mistakes|^avoid _|dieser fehler|diese fehler
        |kauf nicht|^nie wieder _ ohne|no cometas|error que|errores que|este error|evita _ error*|n'achetez pas
        |l'erreur|erreurs a eviter|non comprare|errore|erros que|nao compre|deze fout|fouten|nie kupuj|ошибк*""",
    "contrarian": """
        forget everything|everything you know about|is a myth|myths|is dead|you don't need|the truth about
        |nobody needs|unpopular opinion|vergiss alles|vergessen sie alles|brauchst du nicht|mythos|olvida todo
        |olvidate de|es un mito|oubliez tout|oubliez ce que|dimentica tutto|esqueca tudo|vergeet alles
        |забудьте все""",
    "comparison": """
        vs|versus|compared to|compared with|unlike other*|better than|smoother than|cheaper than|faster than
        |instead of|im vergleich|besser als|gunstiger als|statt|comparado con|mejor que|mieux que|mieux qu'un
        |compare a|contre|meglio di|rispetto a|melhor que|melhor do que|beter dan|lepszy niz|лучше чем
        |лучше, чем""",
    "problem_agitation": """
        tired of|sick of|fed up|struggling with|struggle with|stop losing|are you losing|hate when|cansado de
        |cansada de|harto de|harta de|marre de|fatigue de|en peligro|leid|genervt von|schluss mit|nie wieder
        |stanco di|stanca di|stufo di|cansou de|cansado de|moe van|masz dosc|masz dosyc|надоел*|устали от
        |もう悩まない|でお悩み""",
    "urgency": """
        only today|today only|tonight only|one night only|this week only|this weekend only|last chance
        |last tickets|last days|final days|final hours|ends today|ends tonight|ends tomorrow|ends sunday
        |ends soon|ends in #|# hours left|# days left|only # left|while stocks last|while supplies last
        |limited time|limited spots|before it's gone|hurry|don't miss|don't wait|selling fast|almost gone
        |early bird|black friday|nur heute|nur noch|nur bis|letzte chance|letzte plaetze|letzte tage
        |solange der vorrat|nur kurze zeit|nicht verpassen|endet heute|solo hoy|solo hasta|solo esta semana
        |ultimas plazas|ultimas unidades|ultimos dias|ultima oportunidad|no te lo pierdas|por tiempo limitado
        |aujourd'hui seulement|derniers jours|dernieres places|derniere chance|jusqu'au #|offre limitee
        |ne manquez pas|ne ratez pas|solo oggi|solo per oggi|ultimi giorni|ultimi posti|ultima occasione
        |non perdere|fino al #|so hoje|somente hoje|ultimos dias|ultimas vagas|nao perca|alleen vandaag
        |laatste kans|laatste dagen|op is op|tylko dzis|ostatnie dni|ostatnia szansa|только сегодня
        |последние дни|последний шанс|успей*|election day|今だけ|本日限り|期間限定|本日最終日|仅限今天|限时
        |最后一天|오늘만|마감임박|اليوم فقط""",
    "testimonial": "",
    "social_proof": """
        trusted by|loved by|recommended by|recommend _|recommends _|as seen on|as seen in|# customers
        |# happy customers|# _ customers|# reviews|# _ reviews|# five-star reviews|# stars|# people trust
        |# million people|# drivers|# users|# _ users|# members|# families|# athletes|join #|over # people
        |more than # people|bestseller*|best-selling|best seller|award-winning|award winning
        |everyone talks about|everyone is talking|number one in|rated #|# kunden|# zufriedene|# bewertungen
        |von # empfohlen|testsieger|empfohlen von|aus der werbung bekannt|# clientes|# opiniones|recomiendan
        |recomendado por|# de cada #|# clients|# avis|recommande par|recommandee par|plebiscite*|# clienti
        |# recensioni|consigliato da|raccomandato da|# avaliacoes|recomendado por|# klanten|aanbevolen door
        |# klientow|polecany przez|# отзывов|# клиентов|рекомендуют|人が選んだ|満足度|万人的选择|好评|년 연속""",
    "news": """
        introducing|now available|just launched|just landed|new arrival*|is back|are back|is here|are here
        |coming soon|all-new|brand new|brand-new|meet the new|^new _|^new:|opens this|new gallery|our newest
        |our new|our smallest|our latest|now in _|now delivers|now open|we are hiring|we're hiring|in stock|^neu
        |der neue _|die neue _|das neue _|jetzt neu|ab sofort|wieder da|neueroffnung|nuevo|nueva|ya disponible
        |ya esta aqui|llega _|nouveau|nouvelle|nouveaute*|disponible des maintenant|jamais expos*|arrive enfin
        |nuovo|nuova|nuovi|novita|e arrivato|novo|nova|chegou|novidade*|nieuw|nieuwe|nu verkrijgbaar|nowosc|nowy
        |nowa|новинка|новый|новая|уже в продаже|新発売|新登場|新商品|全新|新品上市|신제품|출시|جديد""",
    "curiosity_gap": """
        the secret|secrets of|nobody tells you|no one tells you|you won't believe|what happened next|here's why
        |this is why|guess which|guess what|find out why|see why|found in an attic|little-known|this one trick
        |you've never|das geheimnis|niemand sagt dir|wetten, dass|darum _|el secreto|nadie te cuenta
        |descubre por que|le secret|personne ne vous dit|decouvrez pourquoi|il segreto|nessuno ti dice
        |scopri perche|o segredo|ninguem te conta|descubra por que|het geheim|sekret|секрет*""",
    "direct_address": """
        ^attention _|calling all|^dear _|welcome back|^hey _|^to all _|if you are a|if you're a|^you left
        |ask your doctor|^achtung _|^liebe _|^an alle _|schon, dass du|danke, dass du|wieder da bist
        |consulte a su medico|^querid* _|^cher* _|demandez a votre medecin|^cari _|^caro _|^ola _
        |bem-vindo de volta|bienvenido de nuevo""",
    "demonstration": """
        watch how|see how it works|see it in action|so funktioniert|mira como|regardez comment|guarda come
        |veja como""",
    "unboxing": "unboxing|unbox|what's in the box|auspacken",
}
"""Said at the beginning of the text."""

OFFERS: dict[str, str] = {
    "bogo": """
        buy one get one|buy one, get one|buy two get one|buy two, get one|buy # get #|buy #, get #|bogo|2 for 1
        |two for one|2-for-1|second one free|1+1 gratis|1 + 1 gratis|3x2|2x1|2 x 1|3 fur 2|2 fur 1
        |zwei zum preis von einem|kauf 2|le deuxieme offert|le 2e offert|# achete* # offert*|# achetes, # offert
        |prendi # paghi #|paghi 1|leve # pague #|leve 3|compre # leve #|买一送一|買一送一|1個買うともう1個
        |원 플러스 원|1+1""",
    "bundle": """
        for both|one price|bundle|value pack|family pack|combo|starter kit|# sessions for|# for $|# for €
        |# for £|pack of #|set of #|im set|sparpaket|vorteilspack|pack ahorro|lote de #|pack de #|coffret
        |lot de #|pacchetto|confezione da #|kit de #|voordeelpakket|套餐|セット""",
    "free_shipping": """
        free shipping|free delivery|ships free|free returns and shipping|no delivery fee|free postage
        |versandkostenfrei|kostenloser versand|gratis versand|gratisversand|kostenlose lieferung|envio gratis
        |envio gratuito|envios gratis|livraison gratuite|livraison offerte|frais de port offerts
        |spedizione gratuita|spedizione gratis|consegna gratuita|frete gratis|envio gratis|gratis verzending
        |gratis bezorg*|darmowa dostawa|darmowa wysylka|бесплатная доставка|送料無料|包邮|免费送货|免運|무료배송
        |무료 배송|شحن مجاني|توصيل مجاني""",
    "free_trial": """
        free trial|free #-day trial|free # day trial|#-day free trial|# day free trial|try it free|try for free
        |try free|start for free|try it for free|risk-free trial|free sample*|first class is free
        |first class free|first walk is free|first month free|first month is free|first week free
        |first week is free|first lesson free|first visit free|# days free|# nights trial|#-night trial
        |sample pack|free demo|free for # days|first meal box free|kostenlos testen|gratis testen
        |gratis probieren|probemonat|# tage kostenlos|# tage gratis|# tage testen|erste kochbox ist gratis
        |kostenlose probe*|prueba gratis|prueba gratuita|pruebalo gratis|primera clase es gratis
        |primera clase gratis|primer mes gratis|# dias gratis|# noches de prueba|muestra gratis|essai gratuit
        |essayez gratuitement|essayer gratuitement|premier mois offert|premier cours offert|# jours gratuits
        |echantillon gratuit|prova gratis|prova gratuita|prima lezione e gratuita|prima lezione gratuita
        |primo mese gratis|# giorni gratis|experimente gratis|teste gratis|primeiro mes gratis
        |primeira aula gratis|# dias gratis|gratis proberen|gratis proefles|proefperiode|# dagen gratis
        |za darmo przez|bezplatny okres|wyprobuj za darmo|попробуйте бесплатно|первый урок бесплатно
        |пробный период|無料体験|お試し無料|免费试用|免費試用|무료 체험""",
    "gift": """
        free gift|a free _ with|with two free|gift with purchase|free with _|in free bets|free bets|free bet
        |free spins|bonus gift|get a free _|welcome bonus|sign-up bonus|gratis dazu|gratis-geschenk
        |geschenk dazu|startguthaben|pramie|de regalo|regalo gratis|regalo con|tiradas gratis|giros gratis
        |# tiradas|bono de bienvenida|cadeau offert|en cadeau|offertes|offerts|in omaggio|omaggio|giri gratis
        |brinde|de presente|rodadas gratis|cadeau bij|gratis cadeau|w prezencie|gratis do|в подарок|プレゼント
        |赠品|免费赠送|사은품|هدية مجانية""",
    "loyalty": """
        double points|earn points|reward points|bonus points|loyalty|rewards members|members only|member price
        |members get|members save|cashback|cash back|treuepunkte|punkte sammeln|bonuspunkte|sammelst du
        |als mitglied|puntos|programa de fidelidad|points de fidelite|carte de fidelite|programme de fidelite
        |punti fedelta|raccolta punti|programa de pontos|pontos|spaarpunten|program lojalnosciowy|бонусы за
        |баллы за|ポイント|会员积分|积分|적립""",
    "financing": """
        financing|# apr|#% apr|0% apr|instalment*|installment*|pay later|buy now pay later|pay over time
        |pay in # payments|interest-free|interest free|no interest|no money down|finanzierung|ratenzahlung
        |in raten|# raten|financiacion|financiamos|meses sin intereses|en cuotas|cuotas sin interes|a plazos
        |financement|paiement en #|payez en #|sans frais en #|finanziamento|a rate|tasso zero|financiamento
        |parcele|parcelas|em ate #x|gespreid betalen|achteraf betalen|na raty|raty 0|рассроч*|в кредит|分割払い
        |分期|할부|تقسيط""",
    "guarantee": """
        money back|money-back|or we refund|full refund|satisfaction guarantee*|guaranteed or|lifetime warranty
        |# year warranty|#-year warranty|warranty|no win no fee|no win, no fee|risk free|risk-free|geld zuruck
        |geld-zuruck|zufriedenheitsgarantie|jahre garantie|lebenslange garantie|te devolvemos el dinero
        |devolucion garantizada|garantia de devolucion|anos de garantia|satisfait ou rembourse|garantie a vie
        |ans de garantie|remboursement garanti|soddisfatti o rimborsati|anni di garanzia|dinheiro de volta
        |anos de garantia|niet goed geld terug|jaar garantie|zwrot pieniedzy|lat gwarancji|вернем деньги
        |гарантия возврата|лет гарантии|返金保証|不满意退款|包退|환불 보장""",
}

FREE = """
    free|gratis|kostenlos*|gratuit*|gratuito|offert*|omaggio|bezplatn*|darmow*|бесплатн*|無料|免费|免費|무료
    |مجاني|discount*|deal|deals|offer|rabatt*|angebot*|descuento*|oferta*|remise|reduction|promo*|sconto|sconti
    |offerta|desconto*|korting|aanbieding|znizk*|скидк*|割引|折扣|优惠|할인|خصم|%|sale|coupon|code
"""
"""Words after which "no offer" cannot be said."""

ANGLES: dict[str, str] = {
    "savings": """
        save _|saved _|saves _|cheaper|cheapest|half price|low prices|lowest price*|affordable|cut your bill
        |for less|best price*|cost less|sparen|spare _|gunstig*|billiger|ahorra*|barato|economisez|moins cher
        |risparmia*|economize|bespaar|goedkoop|oszczedz*|эконом*|お得|省钱|절약""",
    "convenience": """
        in # minutes|# minutes a day|in minutes|in one minute|within # hours|in # hours|in an hour|# clicks
        |in a few clicks|one app|all in one|no contract|cancel any time|cancel anytime|delivered to your door
        |at your door|to your door|same-day|same day|easy|easily|effortless|hassle-free|simple|online in
        |no cv needed|switch in|keep your number|keeps every team|no paperwork|in # minuten|# minuten am tag
        |schnell|einfach|bequem|nach hause geliefert|ohne aufwand|mit einem klick|alles unter einem dach
        |en # minutos|# minutos al dia|facil|rapido|en tu casa|las # horas|sin compromiso|en # minutes
        |en quelques clics|en un clic|facile*|rapidement|a domicile|in # minuti|facile|veloce|comodamente
        |em # minutos|rapido|sem complicacoes|in # minuten|gemakkelijk|snel|za # minut|szybko|latwo|за минуту
        |за # минут|просто|легко|быстро|簡単|かんたん|すぐに|方便|快速|간편""",
    "quality": """
        handmade|hand-made|handcrafted|hand-rolled|built to last|last generations|lasts a lifetime
        |last a lifetime|premium|finest|highest quality|solid oak|tested on|single-origin|craftsmanship
        |removes tough|long-lasting|better made|rested for|handgefertigt|handgemacht|handgerollt|hochwertig*
        |beste qualitat|langlebig|artesan*|elaborad*|alta calidad|calidad|hecho a mano|fait main|haute qualite
        |qualite|fatto a mano|alta qualita|qualita|alta qualidade|feito a mao|handgemaakt|hoge kwaliteit
        |wysoka jakosc|recznie robion*|высокое качество|ручной работы|高品質|品质|고품질|oled""",
    "safety": """
        lab-tested|lab tested|clinically tested|dermatologically tested|safety|safe for|safely|gentle on
        |checked references|background checks|protects your|secure|protected|sicher per|sicherheit|sicher
        |schutz vor|dermatologisch getestet|seguridad|segur*|protege|securite|protegez|sicurezza|sicuro
        |seguranca|protege|antivirus*|veilig|bezpiecz*|безопас*|安心|安全|안전""",
    "novelty": """
        introducing|all-new|brand new|brand-new|new episodes|opens this|our newest|our new|our smallest
        |jetzt neu|der neue|die neue|das neue|nuevo|nueva|nouveau|nouvelle|jamais expos*|nuovo|nuova|novo|nova
        |nieuwe|новый|новая|новинка|新発売|新登場|全新|출시""",
    "belonging": """
        everyone is welcome|join us|join our community|our community|together we|be part of|belong
        |people like you|real relationship|gemeinschaft|gemeinsam|werde teil|comunidad|juntos|unete|communaute
        |ensemble|rejoignez|comunita|insieme|comunidade|junte-se|gemeenschap|samen|razem|вместе|присоединяйтесь
        |みんなで|一起""",
    "sustainability": """
        planet|plastic-free|zero-waste|zero waste|sustainable|sustainability|carbon footprint|carbon neutral
        |recycled|eco-friendly|renewable|climate|nachhaltig*|umweltfreundlich|plastikfrei|klimaneutral|okostrom
        |sostenible*|ecologico|energia verde|empreinte carbone|energie * verte|#% verte|durable pour|ecologique
        |recycle*|sostenibil*|ecologic*|sustentave*|duurza*|ekologiczn*|экологич*|エコ|サステナブル|环保|친환경""",
    "authority": """
        doctors recommend|recommended by doctors|dermatologist*|vets recommend|made by vets|made by dietitians
        |made by doctors|experts|clinically proven|scientifically|studies show|award-winning|years of experience
        |licensed|ask your doctor|certified|arzte|experten|klinisch|jahre erfahrung|studien|zertifiziert
        |dermatolog*|medico*|expertos|anos de experiencia|clinicamente|medecins|experts|ans d'experience
        |expertise*|certifie*|dermatologi|esperti|anni di esperienza|especialistas|anos de experiencia|artsen
        |deskundigen|lekarz*|ekspert*|врачи|эксперт*|医師|専門家|专家|의사""",
    "guarantee": """
        money back|money-back|satisfaction guarantee*|lifetime warranty|warranty or|no win no fee|risk-free
        |geld zuruck|zufriedenheitsgarantie|te devolvemos el dinero|satisfait ou rembourse
        |soddisfatti o rimborsati|dinheiro de volta|niet goed geld terug|zwrot pieniedzy|вернем деньги|返金保証
        |환불 보장""",
    "fear": """
        before it's too late|don't miss|last chance|last tickets|at risk|in danger|gun violence|costs the most
        |waiting until winter|don't lose|threat*|bevor es zu spat|nicht verpassen|letzte chance|gefahr
        |en peligro|no te lo pierdas|solo hasta|en danger|ne manquez pas|in pericolo|non perdere|em perigo
        |nao perca|in gevaar|mis het niet|nie przegap|опасн*|не упустите|今だけ""",
    "pain": """
        tired of|sick of|fed up|struggling|pain keeping|knee pain|back pain|pain relief|not cooling|stop losing
        |injured|dry skin|headache*|stress|leaks|broken|schmerz*|leiden sie|genervt|probleme mit|dolor
        |cansado de|fugas|atascos|problema con|douleur*|mal de dos|marre de|dolore|mal di schiena|multa ingiusta
        |stanco di|dores|dor nas|pijn|last van|bol plecow|боль|болит|痛み|悩み|疼痛|통증""",
    "status": """
        luxury|luxurious|exclusive|vip|prestige|first class|luxus*|exklusiv*|lujo|exclusiv*|luxe|prestigieu*
        |lusso|esclusiv*|luxo|luxe|luksus*|люкс|эксклюзив*|高級|奢华|럭셔리""",
    "gain": """
        lose weight|weight loss|earn money|earn more|into cash|look younger|get fit|results in|win up to
        |grow your|glowing|abnehmen|geld verdienen|mehr umsatz|adelgaza*|gana dinero|gagnez|perdre du poids
        |perdi peso|dimagri*|guadagna|emagre*|ganhe|afvallen|verdien|schudnij|zarabiaj|похуд*|заработ*|痩せ|减肥
        |赚钱|다이어트""",
    "emotion": """
        for a child|will you help|your child deserves|mother's day|thank you with|love of your life
        |family memories|homeless|refugee*|ein zuhause|verliebt|tu donacion|pasan frio|familias|vos ancetres
        |votre don|fete des meres|la tua donazione|sua doacao|refugiad*|refugie*|rifugiat*|jouw donatie
        |twoja pomoc|ваша помощь|母の日|爱心""",
}

RETENTION = """
    welcome back|your cart|in your cart|we miss you|we've missed you|as a member|as a loyal|your last order
    |your points|renew your|reorder|wieder da bist|als mitglied|dein warenkorb|im warenkorb|bienvenido de nuevo
    |tu carrito|te echamos de menos|votre panier|vous nous manquez|bentornat*|il tuo carrello|bem-vindo de volta
    |seu carrinho|welkom terug|winkelmand|twoj koszyk|с возвращением|ваша корзина|カートに|购物车
"""
FIRST_PERSON = (
    "i|i'm|i've|my|me|mi|yo|me|ich|mein*|mir|je|j'ai|mon|ma|io|mio|mia|ho|eu|meu|minha|ik|mijn|moj|я|мой|моя|мне|私|我"
)
QUOTES = '"“«„「『'
