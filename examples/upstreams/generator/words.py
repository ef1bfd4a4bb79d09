"""What the ads say: invented brands, products and phrases in several languages."""

# ruff: noqa: RUF001 - the phrases are Greek and Ukrainian on purpose
from __future__ import annotations

import random
from typing import Literal

import msgspec

Shape = Literal["bottle", "box", "cup", "ring", "bag"]
LANGUAGES = ("en", "de", "fr", "es", "el", "uk")
COUNTRY = {"en": "GB", "de": "DE", "fr": "FR", "es": "ES", "el": "GR", "uk": "UA"}
_WEIGHTS = (9, 6, 4, 4, 2, 1)


class Trade(msgspec.Struct, frozen=True):
    """What a brand sells, by language, and what it looks like."""

    names: tuple[str, ...]
    shape: Shape
    product: dict[str, str]


TRADES = (
    Trade(("Norvik", "Altmark Audio", "Sonelle"), "ring", {
        "en": "headphones", "de": "Kopfhörer", "fr": "casques", "es": "auriculares",
        "el": "ακουστικά", "uk": "навушники",
    }),
    Trade(("Kaffa Lane", "Morgenrot", "Tostado"), "cup", {
        "en": "coffee", "de": "Kaffee", "fr": "café", "es": "café", "el": "καφές", "uk": "кава",
    }),
    Trade(("Solea", "Brightwell", "Maris & Moss"), "bottle", {
        "en": "skin care", "de": "Hautpflege", "fr": "soins", "es": "cosmética", "el": "φροντίδα", "uk": "догляд",
    }),
    Trade(("Velomont", "Tern & Tide", "Fjellpack"), "bag", {
        "en": "backpacks", "de": "Rucksäcke", "fr": "sacs à dos", "es": "mochilas",
        "el": "σακίδια", "uk": "рюкзаки",
    }),
    Trade(("Oatbridge", "Kornblume", "La Huerta"), "box", {
        "en": "granola", "de": "Müsli", "fr": "muesli", "es": "granola", "el": "γκρανόλα", "uk": "гранола",
    }),
)  # fmt: skip

HEADLINES: dict[str, tuple[str, ...]] = {
    "en": (
        "Half price this weekend", "New season, new {p}", "Made to last a lifetime", "Free shipping until Sunday",
        "The {p} everyone talks about", "Your morning starts here", "Last days of the summer sale",
        "Loved by 20,000 customers", "Two for one: all {p}", "Give the gift of {p}",
    ),
    "de": (
        "Nur dieses Wochenende halber Preis", "Neue Saison, neue {p}", "Gemacht für ein ganzes Leben",
        "Gratis Versand bis Sonntag", "{p}, über die alle reden", "Dein Morgen beginnt hier",
        "Letzte Tage im Sommerschlussverkauf", "20.000 Kunden sind begeistert", "Zwei zum Preis von einem",
        "Das schönste Geschenk: {p}",
    ),
    "fr": (
        "Moitié prix ce week-end", "Nouvelle saison, nouveaux {p}", "Conçu pour durer toute une vie",
        "Livraison offerte jusqu'à dimanche", "Tout le monde en parle", "Votre matinée commence ici",
        "Derniers jours des soldes d'été", "Adopté par 20 000 clients", "Deux pour le prix d'un", "Offrez nos {p}",
    ),
    "es": (
        "A mitad de precio este fin de semana", "Nueva temporada, nuevos {p}", "Hecho para toda la vida",
        "Envío gratis hasta el domingo", "Todo el mundo habla de ello", "Tu mañana empieza aquí",
        "Últimos días de rebajas de verano", "20.000 clientes encantados", "Dos por uno en {p}", "Regala {p}",
    ),
    "el": (
        "Μισή τιμή το Σαββατοκύριακο", "Νέα σεζόν, νέα {p}", "Φτιαγμένο για μια ζωή",
        "Δωρεάν αποστολή έως Κυριακή", "Όλοι μιλούν γι' αυτό", "Το πρωινό σου αρχίζει εδώ",
        "Τελευταίες μέρες εκπτώσεων", "20.000 ευχαριστημένοι πελάτες", "Δύο στην τιμή του ενός", "Χάρισε {p}",
    ),
    "uk": (
        "Пів ціни на вихідних", "Новий сезон, нові {p}", "Зроблено на все життя",
        "Безкоштовна доставка до неділі", "Про це говорять усі", "Твій ранок починається тут",
        "Останні дні розпродажу", "20 000 задоволених клієнтів", "Два за ціною одного", "Подаруй {p}",
    ),
}  # fmt: skip
"""Row by row the same thing in each language."""

BODIES: dict[str, tuple[str, ...]] = {
    "en": (
        "We spent two years on {p} that simply work. Try them for 30 days, send them back if you do not agree.",
        "Small batches, honest prices. {n} {p} are back in stock.",
        "Only until Sunday: {p} by {n} at our best price of the year.",
    ),
    "de": (
        "Zwei Jahre Arbeit stecken in unserer Auswahl: {p}, 30 Tage zum Testen, Rückgabe kostenlos.",
        "Kleine Auflagen, ehrliche Preise. {n} {p} sind wieder da.",
        "Nur bis Sonntag: {p} von {n} zum besten Preis des Jahres.",
    ),
    "fr": (
        "Deux ans de travail pour des {p} qui tiennent leurs promesses. 30 jours d'essai, retour gratuit.",
        "Petites séries, prix honnêtes. Les {p} {n} sont de retour.",
        "Jusqu'à dimanche seulement : les {p} {n} au meilleur prix de l'année.",
    ),
    "es": (
        "Dos años de trabajo para {p} que cumplen. Pruébalos 30 días; la devolución es gratis.",
        "Series pequeñas, precios honestos. Vuelven los {p} de {n}.",
        "Solo hasta el domingo: {p} de {n} al mejor precio del año.",
    ),
    "el": (
        "Δύο χρόνια δουλειάς για {p} που απλώς λειτουργούν. Δοκίμασέ τα για 30 μέρες.",
        "Μικρές παρτίδες, τίμιες τιμές. {n}: {p} ξανά διαθέσιμα.",
        "Μόνο έως Κυριακή: {p} από {n} στην καλύτερη τιμή της χρονιάς.",
    ),
    "uk": (
        "Два роки роботи заради речей, що просто працюють: {p}. 30 днів на пробу, повернення безкоштовне.",
        "Малі партії, чесні ціни. {n}: {p} знову в наявності.",
        "Лише до неділі: {p} від {n} за найкращою ціною року.",
    ),
}

BUTTONS: dict[str, tuple[str, ...]] = {
    "en": ("Shop now", "Learn more", "Get offer"),
    "de": ("Jetzt kaufen", "Mehr erfahren", "Angebot sichern"),
    "fr": ("Acheter", "En savoir plus", "J'en profite"),
    "es": ("Comprar", "Más información", "Lo quiero"),
    "el": ("Αγόρασε", "Μάθε περισσότερα", "Το θέλω"),
    "uk": ("Купити", "Дізнатися більше", "Хочу"),
}


def pick_language(rng: random.Random) -> str:
    """A language, the frequent ones more often."""
    return rng.choices(LANGUAGES, _WEIGHTS)[0]


def fill(template: str, trade: Trade, brand: str, language: str) -> str:
    """A phrase with the product and the brand in it, beginning with a capital letter."""
    text = template.format(p=trade.product[language], n=brand)
    return text[0].upper() + text[1:]


def price(rng: random.Random, language: str) -> str:
    """A price as it is written where the language is spoken."""
    euros, cents = rng.randint(4, 240), rng.choice((0, 49, 90, 95, 99))
    if language == "en":
        return f"£{euros}.{cents:02d}"
    if language == "uk":
        return f"{euros * 40} грн"
    return f"{euros},{cents:02d} €"
