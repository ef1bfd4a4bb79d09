"""Adology's own taxonomies, each id with what it means in words. A changed id or meaning is a new version."""

from __future__ import annotations

from adology_labels.taxonomies.entries import Taxonomy, entries_of

VERSION = "1"

FORMAT = Taxonomy(
    name="format",
    version=VERSION,
    question="What kind of creative it is",
    entries=entries_of("""
image: one still picture
video: one video, or an animated picture
carousel: several cards to swipe through
multi_images: several pictures of which the platform chooses
multi_videos: several videos of which the platform chooses
multi_medias: pictures and videos of which the platform chooses
dco: put together per viewer from given parts (dynamic creative)
dpa: filled from a product catalogue (dynamic product ad)
collection: a cover above products of a catalogue
instant_experience: a full-screen page within the app
event: an invitation to an event on the platform
page_like: asks to like a page
text: text without a picture
"""),
)

HOOK = Taxonomy(
    name="hook",
    version=VERSION,
    question="How it wins attention, by what is seen or read first",
    entries=entries_of("""
question: asks the reader something
statistic: begins with a number that says how many or how much
bold_claim: a strong statement about the product
problem_agitation: names a problem and makes it felt
mistake_warning: warns of a mistake or tells to stop doing something
contrarian: says that the common opinion is wrong
curiosity_gap: holds back what one wants to know
pattern_interrupt: something unexpected that does not belong there
direct_address: speaks to one group of people by name
social_proof: many customers, ratings, awards or experts
testimonial: a customer's own words
demonstration: shows the product at work
before_after: before and after side by side
transformation_story: how somebody changed over time
unboxing: a parcel is opened
listicle: a numbered list of reasons, tips or mistakes
comparison: against another product or way
offer_first: a price, a discount or something free comes first
urgency: little time or few pieces are left
celebrity_creator: a famous person or creator
humour: a joke
how_to: shows how something is done
news: something is new, back or announced
brand_first: the brand's name or logo comes first
none: nothing that would win attention
"""),
)

ANGLE = Taxonomy(
    name="angle",
    version=VERSION,
    question="Which motive it argues with",
    most=2,
    entries=entries_of("""
pain: ends a pain or trouble
gain: brings something good: results, beauty, success
logic: facts, figures and reasons
emotion: feelings
fear: what may be lost or missed
status: standing among others, luxury
savings: costs less
convenience: easier or faster
quality: better made, lasts longer
safety: safe, tested, gentle
novelty: new
belonging: being part of a group
sustainability: good for the planet
authority: experts, studies, awards
guarantee: no risk: warranty, money back
"""),
)

OFFER = Taxonomy(
    name="offer",
    version=VERSION,
    question="What is offered besides the product",
    most=4,
    entries=entries_of("""
percent_off: a percentage off
amount_off: an amount of money off
bundle: several things for one price
bogo: buy some, get some
free_shipping: no charge for delivery
free_trial: try, sample or begin without paying
gift: something for nothing with it
loyalty: points or advantages for members
financing: pay in instalments or later
guarantee: money back or warranty
none: no offer
"""),
)

EMOTION = Taxonomy(
    name="emotion",
    version=VERSION,
    question="The feeling it conveys",
    entries=entries_of("""
joy: happy, festive
trust: reliable, caring
fear: worry, danger
surprise: astonishment
sadness: loss, pity
disgust: revulsion
anger: outrage
anticipation: looking forward, excitement
humour: funny
pride: proud of an achievement or origin
nostalgia: longing for the past
calm: peace, relaxation
neutral: matter-of-fact
"""),
)

FUNNEL = Taxonomy(
    name="funnel",
    version=VERSION,
    question="Which step of the way to a purchase it serves",
    entries=entries_of("""
awareness: makes a name or an idea known
consideration: informs, compares, collects a contact
conversion: asks to buy, book, order, donate or install
retention: speaks to existing customers
"""),
)

SCHWARTZ = Taxonomy(
    name="schwartz",
    version=VERSION,
    question="How much its reader is taken to know (Schwartz's stages of awareness)",
    entries=entries_of("""
unaware: knows of no problem
problem: feels a problem, knows no solution
solution: knows that there are solutions, not this product
product: knows the product, is not convinced
most_aware: knows and wants it, needs a deal
"""),
)

PRODUCTION = Taxonomy(
    name="production",
    version=VERSION,
    question="How it was made",
    entries=entries_of("""
ugc: filmed or photographed by a customer with a phone
creator: made by a creator who talks to the camera
studio: professional studio or film
animation: drawn or computer animation
motion_graphics: moving type and graphics
static_product: the product alone, still
lifestyle: people using it in everyday scenes
screen_recording: a screen is recorded
podcast: people talking into microphones
text_only: letters on a plain ground
ai_generated_suspected: looks as if a model made it
"""),
)

PERSONA = Taxonomy(
    name="persona",
    version=VERSION,
    question="Who is seen",
    entries=entries_of("""
founder: who made the company
expert: doctor, scientist, tradesman
customer: somebody who bought it
creator: talks to the camera as creators do
model: poses or acts
celebrity: a famous person
hands_only: hands without a face
none: nobody
"""),
)
