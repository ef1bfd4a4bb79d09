# ruff: noqa: RUF001 - copy has typographic signs
from __future__ import annotations

import pytest

from adology_copy import counts, emoji, links, placeholders, tags
from adology_copy.cta import find_cta
from adology_copy.cta_table import FAMILY_OF, PHRASES
from adology_copy.model import Link, Piece


def pieces(*texts: str) -> tuple[Piece, ...]:
    return tuple(Piece(where="body", index=i, text=text) for i, text in enumerate(texts))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("See https://www.Example.com/shop?x=1.", [Link(url="https://www.Example.com/shop?x=1", domain="example.com")]),
        ("www.nike.com/fr, now", [Link(url="www.nike.com/fr", domain="nike.com")]),
        ("fb.me/x", [Link(url="fb.me/x", domain="fb.me")]),
        ("EXAMPLE.CO.UK", [Link(url="EXAMPLE.CO.UK", domain="example.co.uk")]),
        ("(https://a.de)", [Link(url="https://a.de", domain="a.de")]),
        ("https://münchen.de/straße", [Link(url="https://münchen.de/straße", domain="münchen.de")]),
        (
            "https://l.facebook.com/l.php?u=https%3A%2F%2Fshop.example.org%2Fa&h=AT0",
            [Link(url="https://shop.example.org/a", domain="shop.example.org")],
        ),
        ("Great deal.Now only", []),
        ("write to me@example.com", []),
        ("version 2.0 and U.S. troops", []),
        ("http://[broken", []),
    ],
)
def test_links_and_where_they_lead(text: str, found: list[Link]) -> None:
    blanked = links.MAIL.sub(lambda match: " " * len(match.group()), text)

    assert list(links.find(blanked)) == found


def test_blanking_keeps_positions() -> None:
    text = "a https://x.com/€5 b {{product.price}} me@x.com €7"

    blanked = placeholders.blank(links.blank(text))

    assert len(blanked) == len(text)
    assert blanked.split() == ["a", "b", "€7"]


@pytest.mark.parametrize(
    ("text", "hashtags", "mentions"),
    [
        ("#Sale #größe2024 ＃新品 #1 C# &#39; a#b", ["Sale", "größe2024", "新品"], []),
        ("Thanks @nike and @some.one_2. me@x.com @ 5", [], ["nike", "some.one_2"]),
        ("#BlackFriday!#Second", ["BlackFriday", "Second"], []),
    ],
)
def test_hashtags_and_mentions(text: str, hashtags: list[str], mentions: list[str]) -> None:
    assert tags.hashtags(text) == hashtags
    assert tags.mentions(text) == mentions


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("🔥🔥 ❤️", {"🔥": 2, "❤️": 1}),
        ("👨‍👩‍👧‍👦 👍🏽", {"👨‍👩‍👧‍👦": 1, "👍🏽": 1}),
        ("🇩🇪🇫🇷", {"🇩🇪": 1, "🇫🇷": 1}),
        ("1️⃣ 2️⃣", {"1️⃣": 1, "2️⃣": 1}),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", {"🏴󠁧󠁢󠁥󠁮󠁧󠁿": 1}),
        ("Nike® © 2024 ™ a → b", {}),
        ("☀️ but ☀", {"☀️": 1}),
        ("123 # *", {}),
    ],
)
def test_emoji_are_counted_as_people_do(text: str, found: dict[str, int]) -> None:
    assert dict(emoji.find(text)) == found


@pytest.mark.parametrize(
    ("text", "characters", "words", "sentences", "lines"),
    [
        ("", 0, 0, 0, 0),
        ("Hello, world!", 13, 2, 1, 1),
        ("It's new. Don't wait!\n\nShop-now", 31, 5, 3, 2),
        ("Only €1.50 today", 16, 3, 1, 1),
        ("新品上市。今すぐ!", 9, 7, 2, 1),
        ("👨‍👩‍👧 ok", 4, 1, 1, 1),
        ("e\u0301te\u0301", 3, 1, 1, 1),
        ("...", 3, 0, 0, 1),
    ],
)
def test_lengths(text: str, characters: int, words: int, sentences: int, lines: int) -> None:
    assert counts.characters(text) == characters
    assert counts.sentences(text) == sentences
    assert counts.lines(text) == lines
    if "e\u0301" not in text:
        assert counts.words(text) == words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Get {{product.name}} for {{product.price}}", ["{{product.name}}", "{{product.price}}"]),
        ("{KeyWord:Shoes} in {LOCATION(City)}", ["{KeyWord:Shoes}", "{LOCATION(City)}"]),
        ("%%SITE%% and [[first_name]]", ["%%SITE%%", "[[first_name]]"]),
        ("{not one} 50%% [1]", []),
    ],
)
def test_placeholders(text: str, found: list[str]) -> None:
    assert placeholders.find(text) == found


@pytest.mark.parametrize(
    ("button", "name", "family"),
    [
        ("SHOP_NOW", "shop_now", "purchase"),
        ("Shop Now", "shop_now", "purchase"),
        ("LEARN_MORE", "learn_more", "learn"),
        ("Mehr dazu", "learn_more", "learn"),
        ("En savoir plus", "learn_more", "learn"),
        ("Registrarse", "sign_up", "lead"),
        ("Gửi tin nhắn", "message_page", "message"),
        ("INSTALL_MOBILE_APP", "install_mobile_app", "app"),
        ("今すぐ購入", "shop_now", "purchase"),
        ("Скачать", "download", "app"),
        ("NEW_AI_THING", "other", "other"),
        ("Xyzzy", "other", "other"),
        ("Jetzt kaufen bei uns", "buy_now", "purchase"),
    ],
)
def test_buttons_have_one_name_in_all_languages(button: str, name: str, family: str) -> None:
    found = find_cta(button, ())

    assert found is not None
    assert (found.id, found.family, found.where, found.text) == (name, family, "cta", button)


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("Our best coffee. Order  now!", "order_now", "Order  now"),
        ("Profitez-en: s’inscrire\nEn savoir plus", "learn_more", "En savoir plus"),
        ("Subscribe!", "subscribe", "Subscribe"),
        ("Jetzt entdecken und sparen", "learn_more", "Jetzt entdecken"),
        ("新品はこちら。詳しくはこちら", "learn_more", "詳しくはこちら"),
    ],
)
def test_without_a_button_the_copy_is_searched(text: str, name: str, said: str) -> None:
    found = find_cta("NO_BUTTON", pieces("nothing here", text))

    assert found is not None
    assert (found.id, found.text, found.where) == (name, said, "body")


@pytest.mark.parametrize("text", ["Workshop nowadays", "nous aimons jouer dehors", "please download our report", ""])
def test_prose_is_no_call_to_action(text: str) -> None:
    assert find_cta("", pieces(text)) is None


def test_no_button_is_reported_when_nothing_else_is_said() -> None:
    found = find_cta("NO_BUTTON", pieces("Just words"))

    assert found is not None
    assert (found.id, found.family) == ("no_button", "none")


def test_every_phrase_leads_to_a_known_name_once() -> None:
    phrases = [" ".join(phrase.split()) for texts in PHRASES.values() for phrase in texts.split("|")]

    assert set(PHRASES) <= set(FAMILY_OF)
    assert [phrase for phrase in phrases if phrases.count(phrase) > 1 or phrase != phrase.lower() or not phrase] == []
