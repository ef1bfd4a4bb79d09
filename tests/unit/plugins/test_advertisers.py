"""Candidates of a brand's handles, from ads that a search found."""

from __future__ import annotations

import pytest

from adology import Advertiser
from adology.advertisers import MOST, Sighting, bare, rank


def find(*seen: tuple[str, str, str], name: str = "Norvik Kaffe", domain: str = "norvik.example") -> list[Advertiser]:
    ads = [Sighting(handle=handle, name=own, domains=(place,) if place else ()) for handle, own, place in seen]
    return list(rank(ads, name=name, domain=domain, link=lambda handle: f"https://x.example/{handle}"))


def test_the_same_name_whose_ads_lead_there_is_the_likeliest() -> None:
    found = find(
        ("3", "Norvik Outlet", "outlet.example"),
        ("1", "NORVIK KAFFE AS", "shop.norvik.example"),
        ("1", "NORVIK KAFFE AS", "www.norvik.example"),
        ("2", "Norvik Kaffe", "other.example"),
    )
    assert [(one.handle, one.confidence) for one in found] == [("1", 0.95), ("2", 0.53), ("3", 0.03)]
    first = found[0]
    assert (first.name, first.ads, first.domains, first.link, first.verified) == (
        "NORVIK KAFFE AS", 2, ("shop.norvik.example", "norvik.example"), "https://x.example/1", None,
    )  # fmt: skip
    assert first.why == "the same name; 2 of 4 ads found; 2 of its 2 lead to norvik.example"
    assert found[2].why == "another name; 1 of 4 ads found; 0 of its 1 lead to norvik.example"


def test_without_a_domain_the_name_decides() -> None:
    for domain, place in (("", "norvik.example"), ("norvik.example", "")):
        found = find(("1", "Norvik", place), ("2", "Nørvik-Kaffe", place), ("3", "", place), domain=domain)
        assert [(one.handle, one.confidence) for one in found] == [("1", 0.55), ("2", 0.47), ("3", 0.07)]
        assert "lead to" not in found[0].why


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ("Café Solé", "CAFE SOLE S.A.", "the same name"),
        ("L'Oréal", "LOréal", "the same name"),
        ("コーヒー", "コーヒー", "the same name"),
        ("The Co", "the co", "the same name"),
        ("Nike", "Nike Football Club", "one name is part of the other"),
        ("Adidas", "Addidas", "nearly the same name"),
        ("Nike", "Puma", "another name"),
        ("!!!", "Puma", "no name to compare"),
    ],
)
def test_names_are_compared_as_people_do(one: str, other: str, words: str) -> None:
    (found,) = find(("1", other, ""), name=one)
    assert found.why.startswith(words)


def test_there_are_few_candidates_in_one_order_and_none_without_a_handle() -> None:
    found = find(*((f"{number:02}", "Norvik Kaffe", "") for number in range(30)), ("", "Norvik Kaffe", ""))
    assert [one.handle for one in found] == [f"{number:02}" for number in range(MOST)]
    assert find() == []


@pytest.mark.parametrize(
    "given", ["norvik.example", "www.Norvik.example.", "https://www.norvik.example/shop?a=1", " norvik.example:443 "]
)
def test_a_domain_is_bare(given: str) -> None:
    assert bare(given) == "norvik.example"
