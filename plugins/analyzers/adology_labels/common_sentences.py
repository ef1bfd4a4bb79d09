# ruff: noqa: RUF001 - sentences in other languages
"""Sentences that any ad could hold: what texts have in common, which tells nothing of the product."""

from __future__ import annotations

COMMON: tuple[str, ...] = (
    "Shop now and save. Only this week.",
    "Discover our new collection today.",
    "Find out why thousands of customers love us.",
    "Simple, fast and reliable. Made for you.",
    "Sign up now and get started for free.",
    "Jetzt entdecken und sparen. Nur diese Woche.",
    "Erfahre, warum Tausende Kunden uns vertrauen.",
    "Einfach, schnell und zuverlässig. Für dich gemacht.",
    "Descubre nuestra nueva colección y ahorra.",
    "Miles de clientes ya confían en nosotros.",
    "Regístrate ahora y empieza gratis.",
    "Profitez de nos offres, cette semaine seulement.",
    "Découvrez pourquoi des milliers de clients nous adorent.",
    "Scopri le novità e risparmia subito.",
    "Iscriviti ora, è semplice e veloce.",
    "Aproveite as novidades e economize hoje.",
    "Milhares de clientes confiam em nós.",
    "Bestel nu en bespaar. Alleen deze week.",
    "Zamów teraz i oszczędzaj. Tylko w tym tygodniu.",
    "Покупайте сейчас и экономьте. Только на этой неделе.",
    "今すぐお得にお買い物。今週限定。",
    "毎日をもっと簡単に、もっと楽しく。",
    "立即购买，本周限时优惠。",
    "지금 바로 만나보세요. 이번 주 한정 혜택.",
    "تسوق الآن ووفر. هذا الأسبوع فقط.",
    "Handla nu och spara. Bara den här veckan.",
    "Hemen keşfet ve tasarruf et. Sadece bu hafta.",
    "अभी खरीदें और बचाएं। केवल इस सप्ताह।",
)
