# ruff: noqa: RUF001 - phrases of other languages
"""Calls to action: Meta's names, their families, and the phrases that say them.

Names: `CallToActionType` of Meta's Marketing API, in lower case. It grows; unknown ones count as
"other".
"""

from __future__ import annotations

from adology_copy.model import CtaFamily

FAMILIES: dict[CtaFamily, str] = {
    "purchase": """shop_now buy buy_now buy_tickets buy_via_message order_now add_to_cart view_cart view_in_cart
        view_product browse_shop see_shop purchase_gift_cards start_order pay_to_access swipe_up_product swipe_up_shop
        sell_now send_a_gift send_gift_money shop_with_ai try_on_with_ai""",
    "learn": """learn_more find_out_more see_more get_details visit_website open_link find_your_groups find_a_group
        visit_pages_feed view_channel get_directions""",
    "lead": """sign_up subscribe apply_now get_started ask_for_more_info confirm request_time sotto_subscribe""",
    "quote": "get_quote get_a_quote inquire_now",
    "contact": "contact contact_us call call_me call_now audio_call video_call get_in_touch ask_about_services",
    "message": """message_page whatsapp_message chat_now chat_with_us start_a_chat ask_us ask_a_question
        send_updates""",
    "book": "book_now book_travel book_a_consultation make_an_appointment get_showtimes",
    "app": """install_app install_mobile_app download mobile_download use_app use_mobile_app update_app
        open_instant_app try_demo""",
    "offer": "get_offer get_offer_view get_promotions refer_friends",
    "media": """watch_more watch_video watch_live_video listen_now listen_music record_now join_live_video
        video_annotation""",
    "event": "event_rsvp",
    "donate": "donate donate_now raise_money woodhenge_support",
    "follow": "like_page follow_page follow_user follow_news_storyline join_channel share say_thanks",
    "game": "play_game play_game_on_facebook",
    "none": "no_button",
}
FAMILY_OF: dict[str, CtaFamily] = {name: family for family, names in FAMILIES.items() for name in names.split()}

PHRASES: dict[str, str] = {
    "shop_now": """
        shop now | shop today | shop the collection | shop the sale | jetzt shoppen | zum shop | jetzt einkaufen |
        acheter maintenant | achetez maintenant | comprar ahora | compra ahora | compra ya | acquista ora |
        compra ora | comprar agora | compre agora | koop nu | shop nu | nu kopen | handla nu | köp nu | køb nu |
        kjøp nå | osta nyt | kup teraz | koupit nyní | kupte nyní | kúpte teraz | vásárolj most | vásároljon most |
        cumpără acum | hemen al | satın al | kupi sada | compra ara | beli sekarang | mua ngay | 今すぐ購入 |
        立即购买 | 立即購買 | 지금 구매 | 지금 구매하기 | تسوق الآن | اشتري الآن | קנו עכשיו | купить сейчас |
        купить | купити | αγοράστε τώρα | ซื้อเลย | अभी खरीदें""",
    "buy_now": """
        buy now | buy today | jetzt kaufen | purchase now""",
    "order_now": """
        order now | order today | order yours | jetzt bestellen | commander maintenant | commandez maintenant |
        pedir ahora | pide ahora | pide ya | ordina ora | ordina subito | peça agora | peça já | bestel nu |
        nu bestellen | beställ nu | bestil nu | bestill nå | tilaa nyt | tilaa heti | zamów teraz | objednat |
        objednejte | objednajte | rendeld meg | comandă acum | sipariş ver | naruči | pesan sekarang |
        đặt hàng ngay | অর্ডার করুন | заказать | замовити""",
    "learn_more": """
        learn more | find out more | discover more | read more | see how | mehr dazu | mehr erfahren | mehr infos |
        jetzt entdecken | en savoir plus | découvrir | découvrez | más información | saber más | descubre más |
        scopri di più | per saperne di più | saiba mais | meer informatie | lees meer | ontdek meer | läs mer |
        lær mere | læs mere | finn ut mer | les mer | lue lisää | dowiedz się więcej | více informací |
        zjistit více | viac informácií | tudj meg többet | află mai multe | daha fazla bilgi | saznaj više |
        més informació | selengkapnya | pelajari selengkapnya | tìm hiểu thêm | 詳しくはこちら | 了解更多 |
        瞭解詳情 | 더 알아보기 | معرفة المزيد | اعرف المزيد | מידע נוסף | подробнее | дізнатися більше |
        μάθετε περισσότερα | เรียนรู้เพิ่มเติม | अधिक जानें""",
    "see_more": """
        see more | view more | mehr ansehen | voir plus | ver más | vedi altro | ver mais | bekijk meer""",
    "sign_up": """
        sign up | register now | register today | join now | join today | join us | add your name |
        jetzt registrieren | registrieren | jetzt anmelden | s'inscrire | inscrivez-vous | regístrate |
        registrarse | inscríbete | iscriviti | registrati | cadastre-se | inscreva-se | registe-se | meld je aan |
        schrijf je in | registrera dig | anmäl dig | tilmeld dig | meld deg på | rekisteröidy | zarejestruj się |
        zaregistrujte se | zaregistrujte sa | regisztrálj | înscrie-te | kaydol | hemen kaydol | prijavi se |
        daftar sekarang | đăng ký ngay | 登録する | 立即注册 | 立即註冊 | 가입하기 | سجل الآن | הירשמו |
        зарегистрироваться | зареєструватися | εγγραφείτε | สมัครเลย | साइन अप करें""",
    "subscribe": """
        subscribe | subscribe now | jetzt abonnieren | abonnieren | s'abonner | abonnez-vous | suscríbete |
        abbonati | assine agora | abonneer je | prenumerera | abonner nå | подписаться""",
    "download": """
        download now | download the app | get the app | download | jetzt herunterladen | télécharger |
        téléchargez | descargar | descárgala | descarga | scarica ora | scarica | baixe agora | baixar |
        transferir | ladda ner | lataa | pobierz | stáhnout | letöltés | descarcă | indir | unduh | tải ngay |
        ダウンロード | 立即下载 | 立即下載 | 다운로드 | حمل الآن | скачать | завантажити""",
    "install_mobile_app": """
        install now | install the app | jetzt installieren | installer | instalar | installa""",
    "get_offer": """
        get offer | get the offer | claim offer | claim your discount | claim yours | redeem now |
        angebot sichern | zum angebot | jetzt sichern | profiter de l'offre | obtenir l'offre | profitez-en |
        obtener oferta | aprovecha la oferta | ottieni l'offerta | approfitta | aproveite | ver oferta |
        aanbieding bekijken | hämta erbjudande | skorzystaj z oferty""",
    "get_quote": """
        get a quote | get quote | get your quote | free quote | angebot anfordern | demander un devis |
        devis gratuit | solicitar presupuesto | pide presupuesto | richiedi un preventivo | peça um orçamento |
        offerte aanvragen | få offert | få et tilbud""",
    "book_now": """
        book now | book today | book your | reserve now | reserve your | jetzt buchen | termin buchen | réserver |
        réservez | reserva ahora | reservar | prenota ora | prenota | reserve agora | boek nu | nu boeken |
        boka nu | book nu | bestill time | varaa nyt | zarezerwuj | rezervovat | foglalj most | rezervă acum |
        rezervasyon yap | rezerviraj | đặt ngay | 予約する | 立即预订 | 예약하기 | احجز الآن | забронировать |
        забронювати | จองเลย""",
    "contact_us": """
        contact us | get in touch | kontaktiere uns | kontaktieren sie uns | jetzt kontaktieren | contactez-nous |
        nous contacter | contáctanos | contattaci | entre em contato | fale connosco | neem contact op |
        kontakta oss | kontakt os | kontakt oss | ota yhteyttä | skontaktuj się | kontaktujte nás | bize ulaşın |
        hubungi kami | liên hệ ngay | お問い合わせ | 联系我们 | اتصل بنا | связаться с нами""",
    "call_now": """
        call now | call today | jetzt anrufen | appelez maintenant | llama ahora | chiama ora | ligue agora | bel nu""",
    "apply_now": """
        apply now | apply today | jetzt bewerben | postuler | postulez | candidatez | solicita ahora |
        candidati ora | candidate-se | solliciteer nu | ansök nu | søk nå | søg nu | hae nyt | aplikuj""",
    "get_started": """
        get started | start now | start today | start your free trial | start free trial | try it free |
        try for free | try now | jetzt starten | jetzt testen | kostenlos testen | commencer | commencez |
        essayer gratuitement | essayez gratuitement | empieza ahora | comienza ahora | prueba gratis | inizia ora |
        prova gratis | prova gratuita | comece agora | experimente grátis | begin nu | probeer gratis | kom igång |
        kom i gang | aloita nyt | zacznij teraz | vyzkoušejte zdarma | próbáld ki | hemen başla | începe acum""",
    "watch_more": """
        watch now | watch the video | watch more | jetzt ansehen | video ansehen | regarder | regardez |
        ver ahora | ver vídeo | guarda ora | guarda il video | assista agora | bekijk de video | se nu | titta nu |
        se nå | obejrzyj | смотреть""",
    "listen_now": """
        listen now | jetzt anhören | écouter | escuchar | ascolta ora | ouça agora | luister nu | lyssna nu""",
    "donate_now": """
        donate now | donate today | donate | give today | chip in | jetzt spenden | faire un don | faites un don |
        dona ahora | donar | dona ora | doe agora | doneer nu | skänk | doner nå | lahjoita | пожертвовать""",
    "message_page": """
        send message | message us | send us a message | nachricht senden | envoyer un message | enviar mensaje |
        envíanos un mensaje | invia messaggio | enviar mensagem | stuur een bericht | skicka meddelande |
        send besked | kirim pesan | gửi tin nhắn | nhắn tin | inbox""",
    "whatsapp_message": """
        chat on whatsapp | whatsapp us | per whatsapp | chatta su whatsapp""",
    "get_directions": """
        get directions | route anzeigen | obtenir l'itinéraire | cómo llegar | indicazioni stradali""",
    "play_game": """
        play now | play for free | jetzt spielen | jouer | jouez | juega ahora | gioca ora | jogue agora | speel nu |
        game spelen""",
    "visit_website": """
        visit website | visit our website | visit us at | website besuchen | visiter le site | visita il sito""",
    "buy_tickets": """
        get tickets | buy tickets | tickets sichern | tickets kaufen | réserver des billets | compra tus entradas |
        acquista i biglietti""",
}
"""Name → phrases between bars, in lower case, as buttons and copy have them."""
