"""The phrases, by category and language: strong ones, then weak ones.

How they are written: phrases between bars; a star stands for any ending; a space for any
separator, a hyphen for any or none. Accents and case do not count. "mul" is for words that many
languages share. All lists are read whatever the ad's language: a word that means something
harmless in another of them must not stand here ("hazard" is gambling in Polish), or be weak. The
lists are short on purpose, and insults against groups are left out (see the documentation). A
changed list needs a new `VERSION`.
"""

from __future__ import annotations

from adology_safety.copy_model import Category

VERSION = "2026-11"

RULES: dict[Category, dict[str, tuple[str, str]]] = {
    "adult": {
        "mul": ("porn|porno|pornhub|p0rn|onlyfans|hentai|milf|dildo*", "sex|sexy|xxx|erotic*|erotik*|erotiq*"),
        "en": (
            ("pornograph*|escort service*|escort girl*|sex toy*|sex cam*|webcam girl*|cam girls|nude photos|nude pics"
             "|adult video*|adult dating|hot singles|sugar daddy|strip club*|sex chat|naked girls|sex shop"),
            ("naked|nudity|lingerie|seductive|sensual|kinky|hookup*|condom*|orgasm*|fetish*|topless|vibrator*"
             "|sugar baby"),
        ),
        "es": ("pornograf*|juguete* sexual*|chicas escort|sexo en vivo|mujeres desnudas", "sexo|desnud*|lenceria"),
        "fr": ("pornograph*|jouet* sexuel*|plan cul|femmes nues", "sexe|sensuel*"),
        "de": ("pornograf*|sexspielzeug*|sextreff*|nackte frauen|bordell*", "nackt*|sinnlich*"),
        "it": ("pornograf*|giocattoli erotici|sesso dal vivo|donne nude", "sesso|sensual*"),
        "pt": ("pornograf*|brinquedo* sexua*|sexo ao vivo|mulheres nuas|acompanhantes de luxo", "sensual"),
        "nl": ("pornograf*|seksspeeltje*|seksdate*", "seks|naakt*"),
        "pl": ("pornograf*|zabawki erotyczne|sex randki", "bielizna erotyczna"),
        "ru": ("порно*|секс игрушк*|интим услуг*|секс шоп", "секс|эротич*"),
        "ja": ("アダルト動画|エロ動画|風俗店|出会い系", "セクシー"),
        "zh": ("色情|成人视频|情趣用品|裸聊", "性感"),
    },
    "gambling": {
        "mul": ("casino*|poker|roulette|blackjack|sportsbook*|bookmaker*|lotto", "jackpot*|bingo|baccarat|tombola"),
        "en": (
            ("sports betting|online betting|betting site*|place a bet|place your bet*|free bet*|slot machine*"
             "|online slots|lottery|lotteries|scratch card*|free spins|gambling|wager|wagers|wagering|betting odds"
             "|bookie*"),
            "betting|slots|odds|gamble*|raffle*|bet now",
        ),
        "es": ("apuestas|apuesta deportiva|apostar|tragaperras|tragamonedas|loteria*|ruleta|giros gratis", "apuesta"),
        "fr": ("paris sportifs|pari sportif|machine* a sous|loterie*|jeux d argent|tours gratuits", "parier"),
        "de": ("sportwette*|wettanbieter*|spielautomat*|glucksspiel*|freispiele|lotterie*|online wetten", "wetten"),
        "it": ("scommesse|scommessa sportiva|lotteria|giri gratis|gioco d azzardo|gratta e vinci", "scommett*"),
        "pt": ("apostas|aposta esportiva|caca niqueis|rodadas gratis|jogos de azar|raspadinha*", "aposta|aposte"),
        "nl": ("gokken|gokkast*|sportweddenschap*|loterij*|gratis spins", "wedden"),
        "pl": ("zaklady bukmacherskie|automaty do gier|bukmacher*", "zaklady"),
        "ru": ("казино|букмекер*|ставки на спорт|игровые автоматы|лотере*|покер", ""),
        "ja": ("カジノ|スロット|パチンコ|宝くじ|競馬予想", "賭け"),
        "zh": ("赌场|博彩|彩票|老虎机|体育投注", "投注"),
    },
    "alcohol": {
        "mul": ("vodka|whisky|whiskey|tequila|mezcal|prosecco|sangria|aperol|gin tonic", "champagne|cognac|bourbon"),
        "en": (
            ("beer|beers|red wine*|white wine*|fine wine*|wine tasting*|wine club*|bottle of wine|winery|wineries"
             "|brewery|breweries|distillery|distilleries|liquor*|hard seltzer*|alcoholic drink*|booze|craft gin"),
            "wine|wines|cocktail*|alcohol|happy hour|spirits",
        ),
        "es": ("cerveza*|vino tinto|vino blanco|vinos|licores|bebida* alcoholica*", "vino|alcohol|licor|coctel*"),
        "fr": ("biere|bieres|vin rouge|vin blanc|vins|spiritueux|boisson* alcoolisee*|pastis", "alcool|aperitif*"),
        "de": ("bier|biere|rotwein*|weisswein*|schnaps|sekt|brauerei*|weingut*|likor*", "wein|weine|alkohol"),
        "it": ("birra|birre|vino rosso|vino bianco|vini|grappa|spumante|liquori", "alcol"),
        "pt": ("cerveja*|vinho*|cachaca|caipirinha*|bebida* alcoolica*", "alcool"),
        "nl": ("rode wijn|witte wijn|wijnen|jenever|brouwerij*", "wijn"),
        "pl": ("piwo|piwa|wodka|wodki|wino czerwone|browar*", "alkohol*"),
        "ru": ("водка|водки|пиво|пива|коньяк*|виски", "вино|алкогол*"),
        "ja": ("ビール|日本酒|焼酎|ウイスキー|ハイボール", "ワイン|お酒"),
        "zh": ("啤酒|白酒|葡萄酒|红酒|威士忌", "酒吧"),
    },
    "tobacco": {
        "mul": ("vape|vapes|vaping|snus|shisha|iqos", "nicotin*|nikotin*"),
        "en": ("cigarette*|cigar|cigars|tobacco|e-cigarette*|e-liquid*|e-juice|hookah*|nicotine pouch*", "smokers"),
        "es": ("cigarrillo*|cigarro*|tabaco|vaper|vapers|vapeador*|cachimba*", "fumar"),
        "fr": ("tabac|cigare*|vapoteuse*|e-liquide*", "fumer"),
        "de": ("zigarette*|zigarre*|tabak*|e-zigarette*", "rauchen"),
        "it": ("sigaretta*|sigarette|sigaro|sigari|tabacco|svapo", "fumare"),
        "pt": ("charuto*|cigarro eletronico", ""),
        "nl": ("sigaret*|sigaar|sigaren", "roken"),
        "pl": ("papieros*|tyton*|e-papieros*", ""),
        "ru": ("сигарет*|табак*|вейп*|кальян*", "курение"),
        "ja": ("タバコ|たばこ|葉巻", "喫煙"),
        "zh": ("香烟|电子烟|烟草|雪茄", "吸烟"),
    },
    "cannabis": {
        "mul": ("cannabis|marijuana|marihuana|thc|hashish", "cbd"),
        "en": ("buy weed|weed delivery|weed dispensary|delta 8|pre-rolls|kush", "dispensary|dispensaries|edibles|hemp"),
        "es": ("", "canamo|hierba medicinal"),
        "fr": ("haschisch", "chanvre"),
        "de": ("", "hanf"),
        "it": ("erba legale", "canapa"),
        "pt": ("maconha", "canhamo"),
        "nl": ("wiet", "hennep"),
        "ru": ("марихуан*|каннабис*|гашиш*", "конопл*"),
        "ja": ("大麻", ""),
    },
    "drugs": {
        "mul": ("mdma|lsd|fentanyl|crystal meth", "ketamin*"),
        "en": ("cocaine|heroin|methamphetamine*|magic mushroom*|psilocybin|ecstasy pills|illegal drugs", "opioid*"),
        "es": ("cocaina|metanfetamina*|setas alucinogenas|comprar drogas", "heroina|drogas"),
        "fr": ("champignons hallucinogenes", "stupefiant*"),
        "de": ("kokain|methamphetamin|zauberpilze|drogen kaufen", "drogen"),
        "it": ("funghi allucinogeni", "eroina|droga"),
        "pt": ("cogumelos magicos", ""),
        "nl": ("paddo s|drugs kopen", ""),
        "pl": ("kokaina|metamfetamin*", "narkotyk*"),
        "ru": ("кокаин*|героин|наркотик*|метамфетамин*", ""),
        "ja": ("覚醒剤|コカイン|ヘロイン", "薬物"),
        "zh": ("可卡因|海洛因|冰毒|毒品", ""),
    },
    "weapons": {
        "mul": ("ar-15|glock|kalashnikov|ak-47", ""),
        "en": (
            ("firearm*|handgun*|shotgun*|rifle|rifles|pistol|pistols|ammo|ammunition|gun shop*|gun store*|gun show*"
             "|tactical knife|tactical knives|switchblade*|concealed carry|weapons"),
            "gun|guns|weapon|bullet|bullets|silencer*|crossbow*|grenade*|explosives",
        ),
        "es": ("arma* de fuego|escopeta*|municion|municiones", "arma|armas|pistola*"),
        "fr": ("arme* a feu|fusil de chasse|carabine|carabines", "arme|armes|pistolet*|fusil*|munitions"),
        "de": ("schusswaffe*|gewehr|gewehre|munition|jagdwaffe*|waffenhandel", "waffe|waffen|pistole*"),
        "it": ("arma da fuoco|armi da fuoco|fucile|fucili|munizioni", "armi"),
        "pt": ("arma* de fogo|espingarda*|municao|municoes", ""),
        "nl": ("vuurwapen*|munitie|geweer|geweren", "wapen*|pistool"),
        "pl": ("bron palna|amunicj*|karabin|karabiny", ""),
        "ru": ("огнестрельн*|винтовк*|боеприпас*|пистолет*", "оружи*|патроны"),
        "ja": ("拳銃|ライフル銃|弾薬", "武器"),
        "zh": ("枪支|手枪|步枪|弹药", "武器"),
    },
    "social_issue": {
        "en": (
            ("abortion*|pro-life|pro-choice|gun control|gun rights|second amendment|immigration reform|border wall"
             "|same sex marriage|gay marriage|trans rights|transgender rights|death penalty|racial justice"
             "|systemic racism|police brutality|black lives matter|euthanasia|assisted suicide|critical race theory"
             "|vaccine mandate*|deportation*|deported|illegal immigra*|sanctuary cit*|reproductive rights"),
            "climate change|climate crisis|refugee*|immigrant*|immigration|gun violence|racism|lgbtq*|human rights",
        ),
        "es": ("aborto*|pena de muerte|eutanasia|matrimonio igualitario|deportaci*", "inmigra*|refugiad*|racismo"),
        "fr": ("avortement*|peine de mort|euthanasie|mariage pour tous", "migrant*|refugie*|racisme"),
        "de": ("abtreibung*|todesstrafe|sterbehilfe|ehe fur alle|abschiebung*", "klimakrise|fluchtling*|rassismus"),
        "it": ("pena di morte|unioni civili", "immigra*|migranti|rifugiat*|razzismo"),
        "pt": ("pena de morte|casamento homoafetivo", "imigra*"),
        "nl": ("abortus|doodstraf", "vluchteling*"),
        "pl": ("aborcj*|kara smierci|eutanazj*", "uchodzc*"),
        "ru": ("аборт*|смертная казнь|эвтанази*", "беженц*|мигрант*"),
    },
    "politics": {
        "en": (
            ("register to vote|registered to vote|voter registration|your ballot*|polling place*|polling location*"
             "|election day|vote early|early voting|voting early|voting in person|voting plan|plan to vote|re-elect"
             "|elect democrats|elect republicans|democratic party|republican party|presidential election"
             "|midterm election*|mail-in ballot*|absentee ballot*|vote by mail|president trump|donald trump|joe biden"
             "|super pac|referendum*"),
            "vote|voting|voters|election|elections|ballot|congress|senate|senator*|democrats|republicans|parliament",
        ),
        "es": ("elecciones|registrate para votar|campana electoral|partido politico", "vota|votar|senador*"),
        "fr": ("elections legislatives|election presidentielle|campagne electorale|parti politique", "votez|parlement"),
        "de": ("bundestagswahl*|landtagswahl*|wahlkampf|wahlprogramm", "bundestag"),
        "it": ("elezioni|campagna elettorale|partito politico", "votate|parlamento"),
        "pt": ("eleicoes|campanha eleitoral", "deputad*"),
        "nl": ("verkiezingen|tweede kamerverkiezingen", ""),
        "pl": ("kampania wyborcza|wybory parlamentarne|wybory prezydenckie", "glosuj"),
        "ru": ("выборы президента|избирательн*", "голосуй*|депутат*"),
    },
    "hate": {
        "mul": ("heil hitler|sieg heil", "nazi|nazis"),
        "en": (
            ("ethnic cleansing|racial purity|subhuman*|go back to your country|kill all immigrants|kill all muslims"
             "|kill all jews"),
            "death to|white power|white supremac*|hate crime*|genocide*|master race",
        ),
        "es": ("limpieza etnica|fuera inmigrantes", "muerte a los|supremacis*|genocidio"),
        "fr": ("epuration ethnique|les etrangers dehors|mort aux juifs|mort aux arabes", ""),
        "de": ("auslander raus|ethnische sauberung|untermensch*", "tod den|volkermord"),
        "it": ("pulizia etnica|fuori gli immigrati", "morte agli"),
        "pt": ("limpeza etnica", "morte aos"),
        "pl": ("czystka etniczna", ""),
        "ru": ("этническая чистка", "геноцид"),
    },
    "obscenity": {
        "en": (
            "fuck|fucking|fucked|motherfuck*|bullshit|shit|shitty|asshole*|bitch|bitches|dickhead*",
            "damn|crap|wtf|bastard*",
        ),
        "es": ("mierda|joder|gilipollas|hijo de puta|cabron*", "puta"),
        "fr": ("merde|putain|connard*|salope*|encule*", "bordel"),
        "de": ("scheisse|arschloch|hurensohn|ficken|verfickt*", "verdammt*"),
        "it": ("cazzo|stronz*|vaffanculo", "merda"),
        "pt": ("caralho|foda-se|filho da puta", "porra"),
        "nl": ("klootzak*|godverdomme", "kut"),
        "pl": ("kurwa|pierdol*", ""),
        "ru": ("блядь|хуй|пизд*", "сука"),
    },
}  # fmt: skip

HARMLESS: dict[Category, str] = {
    "adult": "sex education|both sexes|same sex|safe sex|sex and the city|naked juice|naked wines|concrete vibrator*",
    "gambling": (
        "poker face|casino royale|against all odds|odds and ends|what are the odds|time slots|slots left"
        "|slots available|few slots|limited slots|slots are limited|responsible gambling"
    ),
    "alcohol": (
        "alcohol-free beer*|alcohol-free wine*|alcohol-free|non-alcoholic beer*|non-alcoholic wine*|non-alcoholic"
        "|no alcohol|without alcohol|root beer|ginger beer|cocktail dress*|shrimp cocktail|rubbing alcohol"
        "|alcohol wipe*|cetyl alcohol|cetearyl alcohol|champagne colou*|bourbon vanilla|biere sans alcool|sans alcool"
        "|cerveza* sin alcohol|sin alcohol|alkoholfreie* bier*|alkoholfrei*|bier alkoholfrei|birra analcolica"
        "|senza alcol|cerveja* sem alcool|sem alcool|alcoholvrij* bier|alcoholvrij*|bezalkoholow*|high spirits"
    ),
    "tobacco": (
        "tobacco-free|cigarette pants|cigarette trousers|nicotine-free|nicotine patch*|nicotine gum|dejar de fumar"
        "|arreter de fumer|mit dem rauchen aufhoren|smettere di fumare|parar de fumar|stoppen met roken|prohibido fumar"
    ),
    "drugs": "drug-free|say no to drugs",
    "weapons": (
        "glue gun*|nail gun*|heat gun*|massage gun*|spray gun*|water gun*|staple gun*|grease gun*|caulking gun*"
        "|price gun*|nerf gun*|bullet point*|bullet journal*|bullet train*|silver bullet*|guns n roses|top gun"
        "|secret weapon*|arma secreta|arme secrete|arma segreta|pistola de masaje|pistola de silicona"
        "|pistola de pintura|pistolet de massage|pistolet a peinture"
    ),
    "politics": "vote for your favorite|vote for your favourite|vote for the best|voting opens|voting shares",
    "hate": "white power bank*|white power adapter*|white power cord*|white power suppl*",
    "obscenity": "damn good",
}
"""Uses that only look like it: what they cover is not looked at by the rules of that category."""
