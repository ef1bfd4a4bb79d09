# ruff: noqa: RUF001 - sentences of other languages
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adology_copy.language import detect
from adology_copy.wordlists import LETTERS, WORDS

SAMPLES: dict[str, tuple[str, ...]] = {
    "en": ("Upgrade your morning routine with our award-winning coffee maker.", "Get 20% off your first order!"),
    "de": ("Entdecke unsere neue Kollektion und spare bis zu 50 %.", "Mehr Leistung für weniger Geld, nur kurze Zeit."),
    "fr": ("Découvrez notre nouvelle collection de printemps.", "Profitez de -20% sur tout le site jusqu'à dimanche"),
    "es": ("Compra ahora y ahorra hasta un 40 %", "Los mejores zapatos para correr este verano"),
    "it": ("Scopri la nuova collezione", "Spedizione gratuita per ordini superiori a 50 euro"),
    "pt": ("Aproveite o frete grátis em todo o site", "As melhores ofertas da semana estão aqui"),
    "nl": ("Bestel nu en krijg gratis verzending", "De beste matras voor een goede nachtrust"),
    "sv": ("Upptäck vår nya kollektion", "Allt du behöver för ditt hem"),
    "da": ("Opdag vores nye kollektion", "Alt hvad du har brug for til dit hjem"),
    "no": ("Oppdag vår nye kolleksjon", "Kjøp nå og få gratis frakt"),
    "fi": ("Osta nyt ja säästä jopa 50 %", "Ilmainen toimitus yli 50 euron tilauksiin, tilaa heti"),
    "pl": ("Odkryj naszą nową kolekcję", "Nie czekaj, oferta jest ważna tylko dziś"),
    "cs": ("Objevte naši novou kolekci", "Vše, co potřebujete pro váš domov"),
    "sk": ("Objavte našu novú kolekciu", "Všetko, čo potrebujete pre váš domov"),
    "hu": ("Fedezd fel az új kollekciónkat", "Minden, amire az otthonodban szükséged van"),
    "ro": ("Descoperă noua noastră colecție", "Tot ce ai nevoie pentru casa ta"),
    "tr": ("Yeni koleksiyonumuzu keşfet", "Eviniz için ihtiyacınız olan her şey"),
    "hr": ("Otkrijte našu novu kolekciju", "Besplatna dostava za sve narudžbe"),
    "ca": ("Descobreix la nostra nova col·lecció", "Enviament gratuït amb la teva primera compra"),
    "id": ("Dapatkan diskon hingga 50% sekarang juga", "Belanja kebutuhan rumah kamu di sini"),
    "vi": ("Mua ngay hôm nay để nhận ưu đãi", "Sản phẩm tốt nhất cho gia đình bạn"),
    "ja": ("今すぐ購入して50%オフ", "Apple の新しい iPhone"),
    "zh": ("立即购买,享受五折优惠", "全場免運費"),
    "ko": ("지금 구매하고 50% 할인 받으세요", "Nike 신상품 출시"),
    "ar": ("اشتري الآن واحصل على خصم 50%", "توصيل مجاني"),
    "fa": ("همین حالا خرید کنید و تخفیف بگیرید",),
    "he": ("קנו עכשיו וקבלו 50% הנחה",),
    "ru": ("Купите сейчас и получите скидку 50%", "Это новая коллекция"),
    "uk": ("Купуйте зараз та отримайте знижку 50%", "Безкоштовна доставка по всій Україні"),
    "bg": ("Купете сега и вземете 50% отстъпка",),
    "el": ("Αγοράστε τώρα και κερδίστε έκπτωση 50%",),
    "th": ("ซื้อเลยวันนี้ ลด 50%",),
    "hi": ("अभी खरीदें और 50% की छूट पाएं",),
    "bn": ("আজই অর্ডার করুন",),
}


@pytest.mark.parametrize(("code", "text"), [(code, text) for code, texts in SAMPLES.items() for text in texts])
def test_a_sentence_of_an_ad_is_recognised(code: str, text: str) -> None:
    found = detect(text)

    assert found.code == code
    assert 0.3 <= found.confidence <= 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "123 456",
        "🔥🔥🔥",
        "IKEA",
        "Nike Air Max 90",
        "Samsung Galaxy S24 Ultra",
        "AO Shape Pilot | AO 05",
        "x",
    ],
)
def test_names_and_numbers_are_no_language(text: str) -> None:
    assert (detect(text).code, detect(text).confidence) == ("und", 0.0)


def test_more_text_is_surer() -> None:
    short = detect("The best coffee for your home")
    long = detect("The best coffee for your home. You will love it from the first cup, and that is what we want.")

    assert short.code == long.code == "en"
    assert long.confidence > short.confidence


def test_a_mixed_text_is_less_sure_than_a_pure_one() -> None:
    pure = detect("Купите сейчас и получите скидку")
    mixed = detect("Купите сейчас и получите скидку Samsung Galaxy Ultra Tab")

    assert pure.code == mixed.code == "ru"
    assert mixed.confidence < pure.confidence


def test_cyrillic_without_telling_letters_is_only_guessed() -> None:
    assert detect("нова реклама").confidence <= 0.6


def test_every_listed_language_is_found_by_its_own_list() -> None:
    wrong = [code for code, words in WORDS.items() if detect(words).code != code]

    assert wrong == []
    assert set(LETTERS) < set(WORDS)


@given(st.text())
def test_any_text_has_a_verdict(text: str) -> None:
    found = detect(text)

    assert 0 <= found.confidence <= 1
    assert (found.code == "und") == (found.confidence == 0) or found.confidence < 0.01
