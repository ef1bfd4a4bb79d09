# ruff: noqa: RUF001 - words of other languages
"""Words by which languages in Latin script are told apart: the commonest ones, and those of ads.

A word that several languages share counts less for each. Letters are listed where few
languages write them.
"""

from __future__ import annotations

WORDS: dict[str, str] = {
    "en": """the of and to in is you that it for was on are as with his they at be this have from or one had by but
        not what all were we when your can said there use an each which she do how their if will up other about out
        many then them these so some her would make like him into has look more see my our been who its now find than
        first get just over only new after most us free shop buy save off today sale try best every shipping order
        learn sign download need want why don't it's you're here right help any made any deal limited offer until
        start join delivery better enjoy love know""",
    "de": """der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er
        hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur
        bis mehr durch man sein wurde sei ich du wir ihr dein deine deinen dich dir uns unser unsere jetzt kaufen
        kostenlos gratis sparen rabatt angebot neu neue neuen heute hier entdecke entdecken bestellen versand ohne
        alle alles schon jeden jede ihre ihren ihrem mein wenn was keine kein gibt immer beim unter einfach
        kostenloser kostenlose""",
    "fr": """de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont la avec son
        ses mais ou nous vous votre vos notre nos on tout tous toute toutes aux cette ces été comme si sans leur fait
        même peut être très bien aussi dès jusqu'à chez c'est d'un d'une l'offre j'ai n'est qu'il maintenant gratuit
        gratuite livraison achetez profitez découvrez offre offres remise réduction nouveau nouvelle commandez
        aujourd'hui ici moi mon ma mes je tu elle où quand avez faire""",
    "es": """de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le ha me si sin
        sobre este ya entre cuando todo esta ser son dos también fue había era muy años hasta desde está mi porque qué
        sólo han yo hay vez puede todos así nos ni parte tiene él uno donde bien tu tus te tú ahora gratis envío compra
        descuento oferta ofertas nuevo nueva descubre ahorra aquí hoy mejor mejores cada nuestro nuestra quieres
        necesitas contra eso ese esto cómo solo tienda precio""",
    "it": """di e il la che in a per un è una non sono con si da del le i dei al ha come più della lo nel alla ma anche
        gli delle o se su ci questo ad dalla nella ne questa cui tra essere stato due dal solo suo sua loro hanno tutto
        tutti tutte degli perché chi mi ti tuo tua tuoi tue noi vi nostro nostra ora adesso gratis gratuita spedizione
        acquista sconto offerta offerte nuovo nuova scopri risparmia oggi qui subito ogni senza anni molto quando dove
        fino già vuoi cosa tua prezzo""",
    "pt": """de a o que e do da em um para é com não uma os no se na por mais as dos como mas foi ao ele das tem à seu
        sua ou ser quando muito há nos já está eu também só pelo pela até isso ela entre era depois sem mesmo aos ter
        seus quem nas me esse eles estão você tinha foram essa num nem suas meu às minha têm numa pelos agora grátis
        frete compre desconto oferta ofertas novo nova descubra aproveite hoje aqui melhor melhores cada nosso nossa
        seu teu tua compra então vai fazer loja preço""",
    "nl": """de het een en van ik te dat die in je is niet zijn op aan met als voor had er maar om hem dan zou of wat
        mijn men dit zo door over ze zich bij ook tot mij uit der daar haar naar heb hoe heeft hebben deze u want nog
        zal me zij nu ge geen omdat iets worden toch al waren veel meer doen toen moet ben zonder kan hun dus alles
        onder ja eens hier wie werd altijd wordt jouw onze ons bestel koop gratis korting aanbieding nieuwe nieuw
        vandaag ontdek bespaar verzending wij jij jullie elke beste vanaf""",
    "sv": """och i att det som en på är av för med till den har de inte om ett han men var jag sig från vi så kan man
        när år under också efter eller nu sin där vid mot ska skulle kommer ut får finns vara hade alla andra mycket än
        här då sedan över bara in blir upp även vad två vill ha dig du din ditt dina oss vår våra köp gratis rabatt
        erbjudande ny nya nytt idag spara frakt beställ upptäck handla hos allt utan bästa varje fri just""",
    "da": """og i at det er en til af på som for med den de ikke der var har et vi han kan jeg om fra men sig ud skal
        ved eller så blev også efter være nu over når mod sin meget alle bliver hvor være har havde kun op dig du din
        dit dine os vores hvad noget mere andre få gør ind her uden mange dem hvis må køb gratis rabat tilbud ny nye
        nyt i dag spar fragt bestil opdag lige selv blive hver bedste hos af""",
    "no": """og i det er på som en til for med av at ikke den har de et om han var jeg seg fra vi så men kan ut skal ved
        eller ble også etter være nå over når mot sin mye alle blir hvor hadde bare opp deg du din ditt dine oss våre
        hva noe mer andre få gjør inn her uten mange dem hvis må kjøp gratis rabatt tilbud ny nye nytt i dag spar
        frakt bestill oppdag bli ditt hver beste hos av vår selv dere""",
    "fi": """ja on ei se että oli hän joka mutta ovat kun myös niin kuin jos tai ole vain sen mitä nyt jo ne mukaan
        sekä vielä voi ollut olla kaikki hyvin siitä tämä minä sinä me te he sinun meidän teidän jotka sitä tässä ilman
        kanssa enemmän uusi uudet tilaa osta ilmainen ilmaiseksi alennus tarjous tänään säästä tutustu meiltä nopea
        toimitus heti lisää paras parhaat aina sinulle kaikille miten missä joten koko""",
    "pl": """i w na z do nie się to jest że o jak ale po co tak za od czy już tylko by być może jego dla przez są przy
        ma który która które był było ich jej ten ta te tego tej tym pod bez bardzo można oraz więc gdy jeszcze nas
        nam twój twoje twoja twoją ciebie cię my wy ty ja teraz kup darmowa darmowy rabat zniżki oferta nowy nowa nowe
        dziś odkryj sprawdź zamów dostawa wszystko każdy więcej już ze lub swój jesteś mamy nasze""",
    "cs": """a je se v na že to s z do o i ve jsem si jako za od po by ale jak které který která už nebo jsou pro jeho
        bylo být tak při byl jen více aby až také má před mezi své svůj ještě však pouze kde když proti bez nás vás
        vám tvůj vaše váš naše náš teď nyní kupte zdarma sleva slevy nabídka nový nová nové dnes objevte objednejte
        doprava všechno každý jste co podle může bude""",
    "sk": """a je sa v na že to s z do o aj vo som si ako za od po by ale keď ktoré ktorý ktorá už alebo sú pre jeho
        bolo byť tak pri bol len viac aby až tiež má pred medzi svoje svoj ešte však iba kde proti bez nás vás vám
        tvoj vaše váš naše náš teraz kúpte zadarmo zľava zľavy ponuka nový nová nové dnes objavte objednajte doprava
        všetko každý ste čo podľa môže bude nie""",
    "hu": """a az és hogy nem is egy ez van volt de meg csak ha már mint még el azt ki vagy lehet minden majd sem nagyon
        után akkor most olyan között ezt fel ezek aki ami mert több így jó nincs kell én te mi ti ők a te neked nekünk
        saját új most vásárolj ingyenes ingyen akció kedvezmény ajánlat ma fedezd rendelj szállítás itt legjobb
        minden azonnal nélkül akár forint mindig hogyan""",
    "ro": """de și în la a cu nu o pe că este un din care să mai sunt se ce ca pentru am al au fi dar ai lui fost sau ei
        era după prin cum tot până când fără doar foarte lor cea cel cele acest această acum ne noi voi tu tău ta tale
        te îți vă noastră nostru gratuit gratuită reducere reduceri ofertă oferta nou nouă noi azi descoperă comandă
        livrare cumpără toate toți fiecare aici cele mai bine poate""",
    "tr": """ve bir bu da de için ile çok ne olarak daha gibi o en var olan kadar sonra ama her değil mi ki ya veya hem
        ben sen biz siz sizin senin bizim şimdi yeni ücretsiz indirim indirimi fırsat fırsatı kaçırma hemen al satın
        bugün keşfet sipariş kargo tüm bütün ilk son kendi içinde göre önce büyük iyi olduğu oldu ise şey üzerinde
        diye hiç nasıl size sana yok varan""",
    "hr": """i u je na se da za su s od nije koji kao o koja koje ne po to sam iz ili ali što te do kako biti bio bila
        samo već sve može još uz prema nakon nego svoj svoje vas vam vaš vaše nas nam naš naše ti mi vi sada kupi
        kupite besplatno besplatna popust popusti ponuda novi nova novo danas otkrij otkrijte naruči dostava svaki bez
        više gdje kada ovo ove""",
    "ca": """de la el i a que en els les per un amb una no és al del es més com però s'ha seu seva són aquest aquesta
        també o si fins des ja tot tots molt hi ha ser sense quan on què perquè dels nostre nostra teu teva ara gratis
        enviament compra descompte oferta nou nova descobreix avui aquí millor cada vostre aconsegueix""",
    "id": """yang dan di itu dengan untuk tidak ini dari dalam akan pada juga saya ke karena bisa ada mereka lebih kita
        kami anda kamu atau oleh sudah telah dapat adalah seperti hanya semua banyak harus saat lagi bagi tersebut agar
        sekarang gratis ongkir beli diskon promo baru hari ini dapatkan pesan belanja terbaik setiap tanpa sampai
        hingga jangan yuk cek harga murah kok buat""",
    "vi": """và của là có cho không được một những các trong với người này đã để khi đến cũng như từ nhiều ra về bạn
        tôi chúng ta vào sẽ hay hơn thì lại phải còn làm nhất đang ngay miễn phí giảm giá mua hàng mới hôm nay khuyến
        mãi sản phẩm chỉ tại đặt ưu đãi giao tất cả mỗi""",
}

LETTERS: dict[str, str] = {
    "de": "äöüß",
    "fr": "éèêëàâçîïôûùœ",
    "es": "ñáéíóú¿¡",
    "it": "àèìòù",
    "pt": "ãõçáéíóúâêô",
    "nl": "ë",
    "sv": "åäö",
    "da": "æøå",
    "no": "æøå",
    "fi": "äö",
    "pl": "ąćęłńóśźż",
    "cs": "ěřůáéíýčšžďťň",
    "sk": "ľĺŕôäáéíýčšžďťňú",
    "hu": "őűáéíóöüú",
    "ro": "ăâîșțşţ",
    "tr": "ğışçöü",
    "hr": "čćđšž",
    "ca": "çàèéíòóú·",
    "vi": "ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉĩịọỏốồổỗộớờởỡợụủũứừửữựỳỵỷỹàáãèéìíòóõùúý",
}
