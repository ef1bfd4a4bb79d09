"""IAB Tech Lab's Ad Product Taxonomy 2.0, tier one (CC-BY 3.0). Names and ids are IAB's, the descriptions ours.

The whole table is not shipped: `iab_table` reads the published file.
"""

from __future__ import annotations

from adology_labels.taxonomies.entries import Entry, Taxonomy

NAME = "iab_product"
VERSION = "2.0"

_TABLE = """
1000 Ad Safety Risk: scam, malware or fake prize; hate, terrorism, illegal drugs or piracy
1001 Adult Products and Services: sex toys, vibrators and erotic lingerie; pornography, adult cams and escorts
1002 Alcohol: beer, wine, whisky, vodka and cocktails; brewery, winery, distillery or bar
1008 Culture and Fine Arts: museum and art gallery; painting and sculpture exhibition
1010 Business and Industrial: industrial machines, factory and manufacturing equipment; services for companies: \
consulting, marketing agency, logistics, office cleaning, waste disposal; construction, mining, energy and \
biotech industry
1049 Cannabis: marijuana dispensary, edibles and flower; CBD oil, gummies and hemp
1058 Clothing and Accessories: clothes, dresses, shirts, jackets and jeans; shoes, sneakers, sandals and boots; \
handbags, jewelry, watches and sunglasses
1075 Collectables and Antiques: antiques and vintage collectibles; rare coins, stamps and trading cards
1082 Computer Software: software and cloud platform for business teams, accounting and project management; \
antivirus, utility, productivity or photo editing app
1088 Cosmetic Services: hair salon, barber and nail salon; beauty treatments, laser hair removal, botox and \
tattoo
1097 Consumer Electronics: mobile phone, laptop, tablet and computer; television, headphones, speaker and \
camera; video game console and smart home gadget
1123 Consumer Packaged Goods: skin care, makeup, shampoo, perfume and razors; groceries, snacks, coffee, soft \
drinks and meal kits; detergent, cleaning products, toilet paper and diapers; over-the-counter medicine, \
vitamins and supplements; pet food and cat litter
1259 Dating: dating app to meet singles; find a partner for a serious relationship
1262 Debated Sensitive Social Issue: abortion, gun control, immigration or racial justice campaign; petition on \
a controversial issue
1263 Durable Goods: furniture: sofa, dining table, chair, bookcase, mattress; household appliances: washing \
machine, fridge, vacuum cleaner; tools and hardware: drill, saw, kitchen knives; lamps, mirrors, luggage and \
garden products
1291 Dieting and Weightloss: lose weight with a diet plan; calorie counter and slimming programme
1295 Education and Careers: online course, university, degree or school; learn a language; job openings, hiring \
and recruitment
1315 Events and Performances: concert, festival, theatre and musical tickets; conference, webinar, trade fair or \
sports event; cinema and film premiere
1328 Family and Parenting: childcare, nanny and kids activities; genealogy and family tree; home for elderly \
parents
1335 Finance and Insurance: bank account, credit card, loan and mortgage; car, home, life or health insurance; \
investing, stock trading, retirement savings and tax
1355 Food and Beverage Services: restaurant, pizza, burger and fast food; food delivery, catering, bakery and \
cafe
1361 Gambling: online casino, slots and roulette; sports betting, free bets; lottery and sweepstakes
1368 Green/Eco: sustainable, plastic-free, zero-waste living; solar and renewable energy, reduce your carbon \
footprint
1371 Gifts and Holiday Items: flowers and bouquets; gift cards, gift baskets and greeting cards; party \
decorations for Christmas and birthdays
1378 Health and Medical Services: doctor, hospital, clinic or dentist; physical therapy, mental health \
counselling; eye care, hearing aids and fertility clinic
1396 Home and Garden Services: heating, air conditioning and HVAC installation and repair; plumber, electrician, \
roofing and window replacement; house cleaning, pest control, landscaping and lawn care; home security alarm
1416 Legal Services: lawyer, attorney and law firm; injury compensation claim, divorce or legal advice
1419 Media: streaming of series, films and music; podcast, radio, newspaper, magazine and news; books and \
audiobooks; mobile game and video game
1443 Metals: sell your gold, silver and platinum for cash; gold buyer and scrap jewelry
1448 Non-Fiat Currency: bitcoin, ethereum and crypto exchange; NFT and blockchain tokens
1452 Non-Profits: donate to charity, relief for refugees and children in need; volunteer with a non-profit; \
public service announcement
1460 Pet Ownership: adopt a dog or cat from a shelter; veterinarian, dog walking, pet sitting and grooming
1467 Personal/Consumer Telecom: mobile phone plan with unlimited data and calls; fibre internet, broadband and \
home phone contract
1473 Pharmaceuticals: prescription medicine, ask your doctor; drug tablets, dosage and side effects; \
pharmaceutical laboratory
1474 Politics: vote for the candidate in the election; political party, senator or campaign donation; ballot \
measure
1482 Real Estate: houses and apartments for sale or rent; real estate agent, property listing and office space
1487 Religion and Spirituality: church, worship, prayer and bible; horoscope, astrology and tarot
1494 Retail: supermarket or department store with thousands of items; shopping mall, outlet and online \
marketplace
1510 Fitness Activities: gym membership and personal trainer; yoga, pilates, dance and martial arts classes
1519 Sexual Health: condoms and contraception; erectile dysfunction treatment
1524 Sporting Goods: bicycles, tents, kayaks, skis and golf equipment; treadmill, dumbbells and home gym \
equipment
1529 Travel and Tourism: flights, airline and cheap holidays; hotel, resort and vacation rental; cruise, train \
journey, sightseeing tour
1544 Tobacco: cigarettes, cigars and tobacco; vape, e-cigarette and e-liquid
1551 Vehicles: new or used car, electric SUV, truck and motorcycle; test drive at the car dealer; tyres, car \
repair, rental and ride sharing
1576 Weapons and Ammunition: guns, rifles and pistols; ammunition, scopes and holsters
"""


def _entry(line: str) -> Entry:
    head, _, about = line.partition(": ")
    number, _, name = head.partition(" ")
    return Entry(id=number, name=name, about=about)


TIER_ONE = Taxonomy(
    name=NAME,
    version=VERSION,
    question="What is advertised",
    entries=tuple(_entry(line) for line in _TABLE.strip().splitlines()),
)
