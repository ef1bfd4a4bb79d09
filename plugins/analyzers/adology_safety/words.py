# ruff: noqa: RUF001 - words of other scripts
"""The phrases, by category and language: strong ones, then weak ones.

How they are written: phrases between bars; a star at the end stands for any ending; a space for
any separator, a hyphen for any or none. Accents and case do not count. "mul" is for words that
many languages share. A word that means something harmless in another listed language must not be
strong. The lists are short on purpose: each entry was thought over, and insults against groups
are left out (see the documentation). A changed list needs a new `VERSION`.
"""

from __future__ import annotations

from adology_safety.model import Category

VERSION = "2026-11"

RULES: dict[Category, dict[str, tuple[str, str]]] = {
    "adult": {
        "mul": ("porn|porno|pornhub|p0rn|onlyfans|hentai|milf|dildo*|vibrator*", "sex|sexy|xxx|erotic*|erotik*|erotiq*"),
        "en": (
            "pornograph*|escort service*|escort girl*|sex toy*|sex cam*|webcam girl*|cam girls|nude photos|nude pics"
            "|adult video*|adult dating|hot singles|sugar daddy|sugar baby|strip club*|sex chat|naked girls|sex shop",
            "naked|nudity|lingerie|seductive|sensual|kinky|hookup*|condom*|orgasm*|fetish*|topless",
        ),
        "es": ("pornograf*|juguete* sexual*|chicas escort|sexo en vivo|mujeres desnudas", "sexo|desnud*|lenceria|sensual"),
        "fr": ("pornograph*|jouet* sexuel*|plan cul|femmes nues|escorte girl*", "sexe|lingerie|sensuel*|coquin*"),
        "de": ("pornograf*|sexspielzeug*|sextreff*|nackte frauen|bordell*", "nackt*|dessous|sinnlich*"),
        "it": ("pornograf*|giocattoli erotici|sesso dal vivo|donne nude", "sesso|lingerie|sensual*"),
        "pt": ("pornograf*|brinquedo* sexua*|sexo ao vivo|mulheres nuas|acompanhantes de luxo", "sexo|lingerie|sensual"),
        "nl": ("pornograf*|seksspeeltje*|seksdate*", "seks|naakt*|lingerie"),
        "pl": ("pornograf*|zabawki erotyczne|sex randki", "seks|bielizna erotyczna"),
        "ru": ("порно*|секс игрушк*|интим услуг*|секс шоп", "секс|эротич*|голы*"),
        "ja": ("アダルト動画|エロ動画|風俗店|出会い系", "セクシー"),
        "zh": ("色情|成人视频|情趣用品|裸聊", "性感"),
    },
    "gambling": {
        "mul": ("casino*|poker|roulette|blackjack|sportsbook*|bookmaker*|lotto", "jackpot*|bingo|baccarat|tombola"),
        "en": (
            "sports betting|online betting|betting site*|place a bet|place your bet*|free bet*|slot machine*|online slots"
            "|lottery|lotteries|scratch card*|free spins|gambling|wager|wagers|wagering|betting odds|bookie*",
            "betting|slots|odds|gamble*|raffle*|bet now",
        ),
        "es": ("apuestas|apuesta deportiva|apostar|tragaperras|tragamonedas|loteria*|ruleta|giros gratis", "apuesta|sorteo*"),
        "fr": ("paris sportifs|pari sportif|machines a sous|machine a sous|loterie*|jeux d argent|tours gratuits", "parier"),
        "de": ("sportwette*|wettanbieter*|spielautomat*|glucksspiel*|freispiele|lotterie*|online wetten", "wette|wetten"),
        "it": ("scommesse|scommessa sportiva|slot machine|lotteria|giri gratis|gioco d azzardo|gratta e vinci", "scommessa|scommetti"),
        "pt": ("apostas|aposta esportiva|caca niqueis|loteria*|rodadas gratis|jogos de azar|raspadinha*", "aposta|aposte"),
        "nl": ("gokken|gokkast*|sportweddenschap*|loterij*|gratis spins", "wedden"),
        "pl": ("zaklady bukmacherskie|hazard|automaty do gier|loteria|bukmacher*", "zaklady"),
        "ru": ("казино|букмекер*|ставки на спорт|игровые автоматы|лотере*|покер", "ставки"),
        "ja": ("カジノ|スロット|パチンコ|宝くじ|競馬予想", "賭け"),
        "zh": ("赌场|博彩|彩票|老虎机|体育投注", "投注"),
    },
    "alcohol": {
        "mul": ("vodka|whisky|whiskey|tequila|mezcal|prosecco|sangria|aperol|gin tonic", "champagne|cognac|bourbon"),
        "en": (
            "beer|beers|red wine*|white wine*|fine wine*|wine tasting*|wine club*|bottle of wine|winery|wineries|brewery"
            "|breweries|distillery|distilleries|liquor*|hard seltzer*|alcoholic drink*|booze|craft gin",
            "wine|wines|cocktail*|alcohol|rum|ale|happy hour|spirits",
        ),
        "es": ("cerveza*|vino tinto|vino blanco|vinos|licores|bebida* alcoholica*|coctel*", "vino|alcohol|licor|bodega*"),
        "fr": ("biere|bieres|vin rouge|vin blanc|vins|spiritueux|boisson* alcoolisee*|pastis", "vin|alcool|aperitif*"),
        "de": ("bier|biere|rotwein*|weisswein*|schnaps|sekt|brauerei*|weingut*|likor*", "wein|weine|alkohol"),
        "it": ("birra|birre|vino rosso|vino bianco|vini|grappa|spumante|liquori", "vino|alcol"),
        "pt": ("cerveja*|vinho*|cachaca|caipirinha*|bebida* alcoolica*", "licor|alcool"),
        "nl": ("rode wijn|witte wijn|wijnen|jenever|brouwerij*", "wijn"),
        "pl": ("piwo|piwa|wodka|wodki|wino czerwone|browar*", "wino|alkohol"),
        "ru": ("водка|водки|пиво|пива|коньяк*|виски", "вино|алкогол*"),
        "ja": ("ビール|日本酒|焼酎|ウイスキー|ハイボール", "ワイン|お酒"),
        "zh": ("啤酒|白酒|葡萄酒|红酒|威士忌", "酒吧"),
    },
    "tobacco": {
        "mul": ("vape|vapes|vaping|snus|shisha|iqos", "nicotin*|nikotin*"),
        "en": ("cigarette*|cigar|cigars|tobacco|e-cigarette*|e-liquid*|e-juice|hookah*|nicotine pouch*", "smoking|smokers"),
        "es": ("cigarrillo*|cigarro*|tabaco|vaper|vapers|vapeador*|cachimba*", "fumar"),
        "fr": ("tabac|cigarette*|cigare*|vapoteuse*|e-liquide*", "fumer"),
        "de": ("zigarette*|zigarre*|tabak*|e-zigarette*", "rauchen"),
        "it": ("sigaretta|sigarette|sigaro|sigari|tabacco|svapo|sigaretta elettronica", "fumare"),
        "pt": ("cigarro*|tabaco|charuto*|cigarro eletronico", "fumar"),
        "nl": ("sigaret*|sigaar|sigaren|tabak", "roken"),
        "pl": ("papieros*|tyton*|e-papieros*", "palenie"),
        "ru": ("сигарет*|табак*|вейп*|кальян*", "курение"),
        "ja": ("タバコ|たばこ|葉巻", "喫煙"),
        "zh": ("香烟|电子烟|烟草|雪茄", "吸烟"),
    },
    "cannabis": {
        "mul": ("cannabis|marijuana|marihuana|thc|hashish", "cbd"),
        "en": ("buy weed|weed delivery|weed dispensary|delta 8|pre-rolls|kush", "dispensary|dispensaries|edibles|hemp"),
        "es": ("cannabis medicinal", "canamo|hierba medicinal"),
        "fr": ("haschisch|herbe legale", "chanvre"),
        "de": ("haschisch|gras legal", "hanf"),
        "it": ("erba legale|hascisc", "canapa"),
        "pt": ("maconha", "canhamo"),
        "nl": ("wiet|hasjiesj", "hennep"),
        "ru": ("марихуан*|каннабис*|гашиш*", "конопл*"),
        "ja": ("大麻", ""),
        "zh": ("大麻", ""),
    },
    "drugs": {
        "mul": ("mdma|lsd|fentanyl|cocain|crystal meth", "ketamin*"),
        "en": ("cocaine|heroin|methamphetamine*|magic mushroom*|psilocybin|ecstasy pills|illegal drugs", "opioid*|stoned"),
        "es": ("cocaina|metanfetamina*|setas alucinogenas|comprar drogas", "heroina|drogas"),
        "fr": ("cocaine|methamphetamine*|champignons hallucinogenes", "heroine|stupefiant*"),
        "de": ("kokain|methamphetamin*|zauberpilze|drogen kaufen", "drogen"),
        "it": ("metanfetamin*|funghi allucinogeni", "eroina|droga|droghe"),
        "pt": ("cogumelos magicos|comprar drogas", "drogas"),
        "nl": ("cocaine|paddo s|drugs kopen", "drugs"),
        "pl": ("kokaina|metamfetamin*|kupie narkotyki", "narkotyk*"),
        "ru": ("кокаин*|героин|наркотик*|метамфетамин*", ""),
        "ja": ("覚醒剤|コカイン|ヘロイン", "薬物"),
        "zh": ("可卡因|海洛因|冰毒|毒品", ""),
    },
    "weapons": {
        "mul": ("ar-15|glock|kalashnikov|ak-47", ""),
        "en": (
            "firearm*|handgun*|shotgun*|rifle|rifles|pistol*|ammo|ammunition|gun shop*|gun store*|gun show*|tactical knife"
            "|tactical knives|switchblade*|concealed carry|weapons",
            "gun|guns|weapon|bullet|bullets|silencer*|crossbow*|grenade*|explosives",
        ),
        "es": ("arma de fuego|armas de fuego|escopeta*|municion|municiones", "arma|armas|pistola*|fusil*"),
        "fr": ("arme a feu|armes a feu|fusil de chasse|carabine*", "arme|armes|pistolet*|fusil*|munitions"),
        "de": ("schusswaffe*|gewehr|gewehre|munition|jagdwaffe*|waffenhandel", "waffe|waffen|pistole*"),
        "it": ("arma da fuoco|armi da fuoco|fucile|fucili|munizioni", "arma|armi|pistola*"),
        "pt": ("arma de fogo|armas de fogo|espingarda*|municao|municoes", "arma|armas|pistola*"),
        "nl": ("vuurwapen*|munitie|geweer|geweren", "wapen*|pistool"),
        "pl": ("bron palna|amunicj*|karabin*", "bron|pistolet*"),
        "ru": ("огнестрельн*|винтовк*|боеприпас*|пистолет*", "оружи*|патроны"),
        "ja": ("拳銃|ライフル銃|弾薬", "武器"),
        "zh": ("枪支|手枪|步枪|弹药", "武器"),
    },
    "social_issue": {
        "en": (
            "abortion*|pro-life|pro-choice|gun control|gun rights|second amendment|immigration reform|border wall"
            "|same sex marriage|gay marriage|trans rights|transgender rights|death penalty|racial justice|systemic racism"
            "|police brutality|black lives matter|euthanasia|assisted suicide|critical race theory|vaccine mandate*"
            "|deport*|illegal immigra*|sanctuary cit*|reproductive rights|planned parenthood",
            "climate change|climate crisis|refugee*|immigrant*|immigration|gun violence|racism|lgbtq*|human rights",
        ),
        "es": ("aborto*|pena de muerte|eutanasia|matrimonio igualitario|deportaci*", "cambio climatico|inmigra*|refugiad*|racismo"),
        "fr": ("avortement*|peine de mort|euthanasie|mariage pour tous|expulsion des migrants", "immigration|migrant*|refugie*|racisme"),
        "de": ("abtreibung*|todesstrafe|sterbehilfe|ehe fur alle|abschiebung*", "klimakrise|einwanderung|fluchtling*|rassismus"),
        "it": ("aborto|pena di morte|eutanasia|unioni civili", "immigra*|migranti|rifugiat*|razzismo"),
        "pt": ("aborto|pena de morte|eutanasia|casamento homoafetivo", "imigra*|refugiad*|racismo"),
        "nl": ("abortus|doodstraf|euthanasie", "vluchteling*|immigratie|racisme"),
        "pl": ("aborcj*|kara smierci|eutanazj*", "uchodzc*|imigra*"),
        "ru": ("аборт*|смертная казнь|эвтанази*", "беженц*|мигрант*"),
    },
    "politics": {
        "en": (
            "register to vote|registered to vote|voter registration|your ballot*|polling place*|polling location*|election day"
            "|vote early|early voting|voting plan|plan to vote|re-elect|elect democrats|elect republicans|democratic party"
            "|republican party|presidential election|midterm election*|mail-in ballot*|absentee ballot*|vote by mail"
            "|president trump|donald trump|joe biden|super pac|voting early|voting in person|referendum*",
            "vote|voting|voters|election|elections|ballot|congress|senate|senator*|democrat*|republican*|president"
            "|candidate|parliament|governor|policy|petition",
        ),
        "es": ("elecciones|registrate para votar|campana electoral|partido politico", "vota|votar|candidat*|senador*|congreso"),
        "fr": ("elections|campagne electorale|parti politique", "votez|candidat*|depute*|parlement"),
        "de": ("bundestagswahl*|landtagswahl*|wahlkampf|wahlprogramm", "wahlen|kandidat*|bundestag"),
        "it": ("elezioni|campagna elettorale|partito politico", "vota|votate|candidat*|parlamento"),
        "pt": ("eleicoes|campanha eleitoral|partido politico", "vote em|candidat*|deputad*"),
        "nl": ("tweede kamerverkiezingen|verkiezingen", "stem op|kandidaat"),
        "pl": ("wybory|kampania wyborcza", "glosuj|kandydat*"),
        "ru": ("выборы президента|избирательн*", "голосуй*|кандидат*|депутат*"),
    },
    "hate": {
        "mul": ("heil hitler|sieg heil|white power", ""),
        "en": (
            "death to|kill all|exterminate the|ethnic cleansing|racial purity|subhuman*|go back to your country|master race",
            "white supremac*|hate crime*|genocide*|nazi*",
        ),
        "es": ("muerte a los|limpieza etnica|fuera inmigrantes", "supremacis*|genocidio"),
        "fr": ("mort aux|epuration ethnique|les etrangers dehors", "supremacis*|genocide*"),
        "de": ("tod den|auslander raus|ethnische sauberung|untermensch*", "volkermord"),
        "it": ("morte agli|pulizia etnica|fuori gli immigrati", "genocidio"),
        "pt": ("morte aos|limpeza etnica", "genocidio"),
        "pl": ("smierc wrogom|czystka etniczna", ""),
        "ru": ("смерть всем|этническая чистка", "геноцид"),
    },
    "obscenity": {
        "en": ("fuck|fucking|fucked|motherfuck*|bullshit|shit|shitty|asshole*|bitch|bitches|dickhead*", "damn|crap|wtf|bastard*|badass"),
        "es": ("mierda|joder|gilipollas|hijo de puta|cabron*", "puta"),
        "fr": ("merde|putain|connard*|salope*|encule*", "bordel"),
        "de": ("scheisse|arschloch|hurensohn|ficken|verfickt*", "verdammt*"),
        "it": ("cazzo|stronz*|vaffanculo", "merda"),
        "pt": ("caralho|foda-se|filho da puta", "porra|merda"),
        "nl": ("klootzak*|godverdomme", "kut"),
        "pl": ("kurwa|pierdol*", "cholera"),
        "ru": ("блядь|хуй|пизд*", "сука"),
    },
}  # fmt: skip

HARMLESS: dict[Category, str] = {
    "adult": "sex education|both sexes|same sex|unisex|safe sex|sex and the city|naked juice|naked wines|xxx-large",
    "gambling": "poker face|casino royale|against all odds|odds and ends|what are the odds|time slots|slots left"
                "|slots available|few slots|limited slots|slots are limited|responsible gambling",
    "alcohol": "alcohol-free|non-alcoholic|no alcohol|without alcohol|root beer|ginger beer|ginger ale|cocktail dress*"
               "|shrimp cocktail|rubbing alcohol|alcohol wipe*|wine red|champagne colou*|bourbon vanilla|vanilla bourbon"
               "|sans alcool|sin alcohol|alkoholfrei*|senza alcol|sem alcool|alcoholvrij*|bezalkoholow*"
               "|cetyl alcohol|cetearyl alcohol|high spirits|team spirits|baby rum",
    "tobacco": "quit smoking|stop smoking|give up smoking|non-smoking|no smoking|tobacco-free|nicotine-free"
               "|nicotine patch*|nicotine gum|cigarette pants|cigarette trousers|dejar de fumar|arreter de fumer"
               "|rauchen aufhoren|mit dem rauchen aufhoren|smettere di fumare|parar de fumar|stoppen met roken"
               "|non-fumeur*|smoking area|smoking hot|smoking deal*|smoking jacket*",
    "drugs": "drug-free|drug store*|say no to drugs",
    "weapons": "glue gun*|nail gun*|heat gun*|massage gun*|spray gun*|water gun*|staple gun*|grease gun*|caulking gun*"
               "|price gun*|bullet point*|bullet journal*|silver bullet*|guns n roses|guns and roses|top gun|secret weapon*"
               "|arma secreta|arme secrete|geheimwaffe|arma segreta|pistola de masaje|pistola de silicona"
               "|pistola de pintura|pistolet de massage|pistolet a peinture|bullet train*|nerf gun*|bath bomb*",
    "politics": "insurance policy|privacy policy|return policy|refund policy|cookie policy|return policies"
                "|vice president of|president of sales|presidents day|president s day|vote for your favorite|vote for your favourite"
                "|ideal candidate*|job candidate*|candidate experience",
    "obscenity": "damn good|shih tzu|cholera vaccin*",
}  # fmt: skip
"""Uses that only look like it: what they cover is not looked at by the rules of that category."""
