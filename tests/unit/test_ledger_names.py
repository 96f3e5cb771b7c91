"""Names: what people and shops may be called, and names and phones as strangers may see them."""
# ruff: noqa: RUF001 - signs that are taken for others are what it is about

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallet.ledger import characters
from wallet.ledger.names import initial, mask_phone, normal_name, shorten
from wallet.ledger.reserved_names import is_reserved


@pytest.mark.parametrize(
    "name",
    [
        "A",
        "Asha Rao",
        "O'Brien",
        "D’Souza",
        "M/s Rao & Sons (Mumbai)",
        "Café No. 7",
        "Łukasz Żółć",
        "Nguyễn Văn Ấn",
        "A.P.J.Abdul Kalam",
        "Dr.Rao",
        "M.K.Om",
        "Rao B.Com",
        "Pvt.Ltd",
        "Hotel 1947",
        "24x7 Store",
        "Shop 12, Sector 45, Gurgaon 122001",
        "आशा राव",
        "डॉ॰ राव",
        "शर्मा Stores",
        "क्‍ष",  # with a zero-width joiner behind a virama
        "ರ‍್ಯ",  # before one
        "അവന്‍",  # at the end of a word
        "ரா\u200cமன்",  # with a zero-width non-joiner
        "علی\u200cرضا",
        "নর্মদা ২",
        "ᱥᱟᱱᱛᱟᱲᱤ",
        "ꯃꯤꯇꯩ",
        "ชัย ใจดี",
        "李雷",
        "山田タロウ Yamada",
        "김철수 Kim",
        "Нина Петрова",
        "x" * 100,
        "नर्मदा " + "क\u093c\u094d\u0952\u0951",  # four marks on one letter
        "\U000323b0",  # a Chinese letter that no Python before 3.15 knows
        "李\U000323b0",
        "李\U0003fff0",  # one that nobody knows yet
    ],
)
def test_people_and_shops_are_called_what_they_are_called(name: str) -> None:
    assert normal_name(name) == name


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("  Asha ", "Asha"),
        ("Asha\n", "Asha"),
        ("Jose\N{COMBINING ACUTE ACCENT}", "José"),
        ("Asha  Rao", "Asha Rao"),
        ("Asha\N{NO-BREAK SPACE}Rao", "Asha Rao"),
        ("Ａｓｈａ\N{IDEOGRAPHIC SPACE}（Ｒａｏ）", "Asha (Rao)"),
        ("𝓐𝓼𝓱𝓪 ℝao", "Asha Rao"),
        ("ﾔﾏﾀﾞ", "ヤマダ"),
    ],
)
def test_a_name_is_kept_in_one_form(written: str, name: str) -> None:
    assert normal_name(written) == name


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("", id="nothing"),
        pytest.param("   ", id="blanks"),
        pytest.param("x" * 101, id="too long"),
        pytest.param("Asha\x00Rao", id="a NUL"),
        pytest.param("Asha\nRao", id="two lines"),
        pytest.param("Asha\tRao", id="a tab"),
        pytest.param("Asha\u2028Rao", id="a line's end of Unicode's"),
        pytest.param("Asha 🎉", id="an emoji"),
        pytest.param("Asha \U0001faea", id="an emoji of 2025"),
        pytest.param("Asha \U0001fbfe\U0001fafe", id="a place kept for emoji"),
        pytest.param("ⒶⓈⒽⒶ", id="circles"),
        pytest.param("Asha\ue000", id="private use"),
        pytest.param("Asha\uffff", id="a noncharacter"),
        pytest.param("Asha\ud800", id="half a pair"),
        pytest.param("...", id="signs alone"),
        pytest.param("'; DROP TABLE wallets; --", id="SQL"),
        pytest.param("<script>alert(1)</script>", id="a script"),
        pytest.param("=HYPERLINK(1)", id="a formula"),
        pytest.param("\u3164", id="a filler"),
        pytest.param("\uffa0", id="a narrow filler"),
        pytest.param("\u2800", id="blank Braille"),
        pytest.param("\U00013441", id="a blank hieroglyph"),
        pytest.param("Asha\u200bRao", id="a blank of no width"),
        pytest.param("Asha\u2065Rao", id="what will be invisible"),
        pytest.param("\u202eoaR ahsA", id="right to left"),
        pytest.param("\u200d\u200c", id="joiners alone"),
        pytest.param("A\u200dsha", id="a joiner in Latin"),
        pytest.param("Asha\u200d", id="a joiner behind Latin"),
        pytest.param("आ\u200d", id="a joiner behind a vowel"),
        pytest.param("क\u094d\u200d\u200dष", id="two joiners"),
        pytest.param("\u200dआ", id="a joiner before all"),
        pytest.param("\u0301a", id="a mark on nothing"),
        pytest.param("Asha \u0301Rao", id="a mark on a blank"),
        pytest.param("a" + "\u0316\u0317\u0318\u0319\u0301", id="five marks"),
        pytest.param("क" + "\u0902\u0901\u0951\u0952\u1cd0", id="five marks of Devanagari"),
        pytest.param("á\u0301", id="a mark twice"),
        pytest.param("A\u20dd", id="a frame"),
        pytest.param("аmazon", id="a Cyrillic a"),
        pytest.param("Αmazon", id="a Greek A"),
        pytest.param("Нина Petrova", id="Cyrillic beside Latin"),
        pytest.param("शर्माStores", id="two scripts in a word"),
        pytest.param("शर्मा ஷர்மா Sharma", id="three scripts"),
        pytest.param("शर्मा ஷர்மா", id="two scripts, none of them Latin"),
        pytest.param("1२", id="digits of two scripts"),
    ],
)
@pytest.mark.parametrize("approved", [False, True])
def test_what_nobody_is_called_is_no_name(name: str, *, approved: bool) -> None:
    with pytest.raises(ValueError, match=r"^(A|The|Those) .*\.$"):
        normal_name(name, approved=approved)


@pytest.mark.parametrize(
    "name",
    [
        "kyc-update.in/verify",
        "abc.zip",
        "example.museum",
        "➈➇➆➅➄➃➂",
        "㊈㊇㊆㊅㊄㊃㊂",
        "九八七六五四三",
        "amazon.com",
        "Pay at rao-store.shop",
        "RAO.CO.IN",
        "www rao",
        "www.rao",
        "https rao",
        "t.me/rao",
        "राव.भारत",
        "ｒａｏ．ｃｏｍ",
        "asha@okbank",
        "asha＠okbank",
        "98765 43210",
        "Asha +91 98765-43210",
        "call 9.8.7.6.5.4.3",
        "९८७६५४३२१०",
        "９８７６５４３２１０",
        "⁹⁸⁷⁶⁵⁴³²¹⁰",
        "1234567",
    ],
)
@pytest.mark.parametrize("approved", [False, True])
def test_a_name_is_no_address_and_no_number(name: str, *, approved: bool) -> None:
    with pytest.raises(ValueError, match="A name"):
        normal_name(name, approved=approved)


RESERVED = [
    "Razorpay Support",
    "HDFCBank",
    "Pay TM",
    "G Pay",
    "Supp ort",
    "Shree Supp ort Desk",
    "9support7",
    "s u p p o r t 2 u",
    "रेज़रपे",
    "razorpay",
    "RAZORPAY",
    "RazorpayCare",
    "Razor Pay",
    "R a z o r p a y",
    "R.a.z.o.r.p.a.y",
    "Rázorpay",
    "𝐑𝐚𝐳𝐨𝐫𝐩𝐚𝐲",
    "Cashfree Payments",
    "Wallet",
    "State Bank of India",
    "S.B.I.",
    "5BI",
    "Support",
    "Supp0rt",
    "SupportTeam",
    "support24x7",
    "OfficiaI",  # with a capital i
    "e-KYC",
    "Customer Care 24",
    "Government of India",
    "बैंक",
    "раураӏ",  # paypal, of Cyrillic letters all
]


@pytest.mark.parametrize("name", RESERVED)
def test_some_words_are_for_those_whom_an_operator_has_approved(name: str) -> None:
    with pytest.raises(ValueError, match="verified"):
        normal_name(name)
    assert normal_name(name, approved=True)


@pytest.mark.parametrize(
    "name",
    [
        "Uday Kotak",
        "Bhim Rao",
        "Banke Bihari",
        "Sarkar Traders",
        "Supriya",
        "Verity",
        "Sbiraj",
        "Wally",
        "Stripes Tailor",
        "Noor S Bi",
        "Pay Al",
        "½ Price Shop",
        "Shop ②",
        "三井",
    ],
)
def test_who_is_only_nearly_called_so_may_be(name: str) -> None:
    assert not is_reserved(name)
    assert normal_name(name) == name


@given(st.text(max_size=120))
def test_any_text_is_a_name_or_none_and_a_name_stays_one(text: str) -> None:
    try:
        name = normal_name(text)
    except ValueError:
        return
    assert normal_name(name) == name
    assert "i" not in characters.kinds_of("".join(sign for sign in name if sign not in characters.JOINERS))
    shorten(name, kind="personal")


def test_the_invisible_letters_and_marks_that_were_names_once_are_none() -> None:
    """All 269 that Unicode knows of, but for the two joiners where they join."""
    found = 0
    for code in range(0x110000):
        sign = chr(code)
        if characters.kind_of(sign) != "i":
            continue
        found += 1
        with pytest.raises(ValueError, match="A name"):
            normal_name(f"Asha{sign}Rao")
    assert found > 4_000


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Asha Rao", "Asha R."),
        ("Asha", "Asha"),
        ("Asha Devi Rao", "Asha D. R."),
        ("Kaveri Stores & Sons (Chennai)", "Kaveri S. S. C."),
        ("  Asha   Rao ", "Asha R."),
        ("आशा राव", "आशा रा."),
        ("आशा क्षत्रिय", "आशा क्ष."),
        ("ஆஷா ராவ்", "ஆஷா ரா."),
        ("José Ångström", "José Å."),
    ],
)
def test_a_persons_name_is_shortened_to_initials(name: str, short: str) -> None:
    assert shorten(name, kind="personal") == short


def test_a_shop_shows_its_whole_name() -> None:
    assert shorten("Chai Point Indiranagar", kind="merchant") == "Chai Point Indiranagar"


@pytest.mark.parametrize(("word", "first"), [("R", "R"), ("e\u0301a", "e\u0301"), ("क\u094d\u200dष", "क\u094d\u200dष")])
def test_an_initial_takes_along_what_belongs_to_it(word: str, first: str) -> None:
    assert initial(word) == first


def test_of_a_phone_three_digits_are_shown() -> None:
    assert mask_phone("+919876543210") == "••••• ••210"


@pytest.mark.parametrize(("word", "first"), [("XX", "X"), ("aX", "a"), ("Xa", "X")])
def test_a_plain_letter_binds_nothing(word: str, first: str) -> None:
    assert initial(word) == first
