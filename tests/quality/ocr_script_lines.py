# ruff: noqa: RUF001 - letters that look alike are what this is about
"""Lines of ads in many scripts, and fonts that have their letters."""

from __future__ import annotations

from typing import NamedTuple

CJK = ("NotoSansCJK-Regular.ttc", "NotoSansCJK-Bold.ttc", "NotoSerifCJK-Bold.ttc")
DEJAVU = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf")
LATIN = "Latin"


class Script(NamedTuple):
    """Lines of one script; `fonts` are file names as in Debian's fonts-dejavu and fonts-noto, any of them will do.

    `reads`: whether the recogniser has its letters.
    """

    fonts: tuple[str, ...]
    reads: bool
    lines: tuple[str, ...]
    face: int = 0
    """Of a collection: which language's forms of the letters."""


SCRIPTS = {
    LATIN: Script(
        DEJAVU,
        True,
        (
            "Summer sale ends Sunday", "Free shipping over $50", "Up to 70% off everything", "Shop the collection",
            "Offer valid until 30 June", "Built to last a lifetime", "Les soldes d'été sont là", "Jetzt günstig kaufen",
            "Envío gratis a partir de 40 €", "SCONTI FINO AL 50%", "Ny kollektion i butik", "Zamów dzisiaj online",
        ),
    ),
    "Greek": Script(
        DEJAVU,
        True,
        (
            "Καλοκαιρινές εκπτώσεις", "Δωρεάν αποστολή", "Έως 70% έκπτωση", "Νέα συλλογή παπουτσιών",
            "Παράγγειλε σήμερα", "Προσφορά έως 30 Ιουνίου", "ΜΟΝΟ ΓΙΑ ΛΙΓΕΣ ΜΕΡΕΣ", "Δείτε τα νέα μοντέλα",
            "Ποιότητα που διαρκεί", "Κλείσε ραντεβού τώρα", "ΕΚΠΤΩΣΕΙΣ", "Το σπίτι των ονείρων σου",
        ),
    ),
    "Cyrillic": Script(
        DEJAVU,
        False,
        (
            "Летняя распродажа", "Бесплатная доставка", "Скидки до 70% на всё", "Новая коллекция обуви",
            "Закажите сегодня онлайн", "Только до 30 июня", "СКИДКА", "Качество на всю жизнь",
            "Подробности на сайте", "Безкоштовна доставка", "РАСПРОДАЖА", "Нова колекція взуття",
        ),
    ),
    "Chinese": Script(
        CJK,
        True,
        (
            "夏季大促销火热进行中", "全场包邮满五十元", "新品上市限时优惠", "立即购买享受折扣",
            "活动截止到六月三十日", "品质保证终身维修", "会员专享八折", "点击查看更多详情",
            "全館免運費", "買一送一限量搶購", "新款運動鞋上架", "今天下單明天到貨",
        ),
        face=2,
    ),
    "Japanese": Script(
        CJK,
        True,
        (
            "夏の大セール開催中", "送料無料キャンペーン", "今すぐ購入する", "新作スニーカー入荷",
            "最大70%オフ", "期間限定のお買い得", "詳しくはこちら", "会員登録で500円引き",
            "ずっと使える品質", "お電話でご注文ください", "ポイント10倍", "在庫がなくなり次第終了",
        ),
    ),
    "Korean": Script(
        CJK,
        False,
        (
            "여름 대세일 진행 중", "전 상품 무료 배송", "지금 바로 구매하세요", "신상품 출시 기념 할인",
            "최대 70% 할인", "오늘만 특가", "자세히 보기", "회원 가입 혜택",
            "평생 사용하는 품질", "새로운 운동화 컬렉션", "한정 수량", "6월 30일까지",
        ),
        face=1,
    ),
    "Arabic": Script(
        ("NotoNaskhArabic-Regular.ttf", "NotoNaskhArabic-Bold.ttf", "DejaVuSans.ttf"),
        False,
        (
            "تخفيضات الصيف الكبرى", "شحن مجاني لجميع الطلبات", "خصم يصل إلى النصف", "تسوق الآن",
            "مجموعة جديدة من الأحذية", "العرض ساري حتى نهاية الشهر", "جودة تدوم مدى الحياة", "اطلب اليوم",
            "لفترة محدودة فقط", "اكتشف المزيد", "هدية مع كل طلب", "أفضل الأسعار",
        ),
    ),
    "Hebrew": Script(
        ("NotoSansHebrew-Regular.ttf", "NotoSansHebrew-Bold.ttf", "DejaVuSans.ttf"),
        False,
        (
            "מבצע קיץ גדול", "משלוח חינם לכל הארץ", "עד שבעים אחוז הנחה", "קנו עכשיו",
            "קולקציה חדשה של נעליים", "המבצע בתוקף עד סוף החודש", "איכות לכל החיים", "הזמינו היום",
            "לזמן מוגבל בלבד", "לפרטים נוספים", "מתנה לכל קונה", "המחירים הטובים ביותר",
        ),
    ),
    "Thai": Script(
        ("NotoSansThai-Regular.ttf", "NotoSansThai-Bold.ttf", "NotoSerifThai-Regular.ttf"),
        False,
        (
            "ลดราคาครั้งใหญ่", "ส่งฟรีทั่วประเทศ", "ซื้อเลยวันนี้", "คอลเลกชันใหม่",
            "ลดสูงสุดเจ็ดสิบเปอร์เซ็นต์", "สินค้ามีจำนวนจำกัด", "คุณภาพที่คุณวางใจ", "ดูรายละเอียดเพิ่มเติม",
            "สมัครสมาชิกฟรี", "โปรโมชั่นพิเศษ", "รองเท้ากีฬารุ่นใหม่", "ราคาดีที่สุด",
        ),
    ),
    "Devanagari": Script(
        ("NotoSansDevanagari-Regular.ttf", "NotoSansDevanagari-Bold.ttf", "NotoSerifDevanagari-Regular.ttf"),
        False,
        (
            "गर्मियों की बड़ी सेल", "मुफ़्त डिलीवरी", "अभी खरीदें", "नया कलेक्शन",
            "सत्तर प्रतिशत तक छूट", "सीमित समय के लिए", "जीवन भर की गुणवत्ता", "आज ही ऑर्डर करें",
            "अधिक जानकारी के लिए क्लिक करें", "सबसे अच्छी कीमत", "हर खरीद पर उपहार", "नए जूते आ गए",
        ),
    ),
    "Georgian": Script(
        ("NotoSansGeorgian-Regular.ttf", "NotoSansGeorgian-Bold.ttf", "DejaVuSans.ttf"),
        False,
        (
            "ზაფხულის ფასდაკლება", "უფასო მიწოდება", "იყიდე ახლავე", "ახალი კოლექცია",
            "მხოლოდ ივნისის ბოლომდე", "საუკეთესო ფასი", "ხარისხი მთელი ცხოვრება", "შეუკვეთე დღეს",
        ),
    ),
}  # fmt: skip
