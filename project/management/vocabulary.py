"""The words that names of columns are made of, and what they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from itertools import chain
from typing import TypeVar

Meaning = TypeVar("Meaning")


def by_word(meanings: Iterable[tuple[str, Meaning]]) -> dict[str, Meaning]:
    """Return what each word means, of lines that say which words mean the same."""
    return {word: meaning for several, meaning in meanings for word in several.split()}


def words(text: str) -> frozenset[str]:
    """Return the words of a text, for sets of them."""
    return frozenset(text.split())


def in_order(text: str) -> tuple[str, ...]:
    """Return the words of a text, the usual one first."""
    return tuple(text.split())


# What some write for a word, or for several.
SAME = by_word(
    (f"{others} {word}", word)
    for word, others in {
        "address": "addr adr addresse address_line addr_line addressline street_address_line",
        "account": "acct acc",
        "amount": "amt",
        "average": "avg",
        "balance": "bal acctbal",
        "birth_date": "dob birthdate birthday bday born born_on born_at dateofbirth date_of_birth date_birth",
        "category": "cat categ",
        "city": "town municipality",
        "code": "cd",
        "color": "colour",
        "comment": "cmt comm",
        "country": "ctry cntry",
        "customer": "cust",
        "date": "dt",
        "death_date": "dod dateofdeath date_of_death date_death",
        "department": "dept dep",
        "description": "desc descr",
        "email": "mail emailaddress email_address e_mail mail_address email_addr email_adr",
        "employee": "emp empl",
        "first_name": "fname firstname f_name first_nm forename given_name givenname frst_nm frst_name",
        "full_name": "fullname full_nm",
        "identifier": "ident",
        "ip_address": "ip ipaddress ipaddr ip_addr ip_adr",
        "language": "lang",
        "last_name": "lname lastname l_name last_nm surname family_name familyname lst_nm lst_name",
        "latitude": "lat",
        "longitude": "lng lon",
        "mac_address": "mac macaddress",
        "manager": "mgr",
        "manufacturer": "mfr mfgr",
        "maximum": "max",
        "message": "msg",
        "middle_name": "mname middlename m_name middle_nm othernames other_names",
        "minimum": "min",
        "mobile": "cell cellphone mobilephone mobile_phone cell_phone gsm",
        "name": "nm",
        "number": "no num nr nbr numb",
        "organization": "organisation org",
        "password": "passwd pwd passwort pass_word",
        "percent": "pct percentage perc prct",
        "phone": "tel telephone telephon phonenumber phone_number",
        "picture": "pic photo img image foto",
        "position": "pos posn",
        "postcode": "zip zipcode zip_code postal_code postalcode post_code plz pincode pin_code",
        "price": "prc",
        "province": "prov",
        "quantity": "qty qnty",
        "reference": "ref refno",
        "registration": "reg",
        "salary": "sal",
        "subtotal": "sub_total",
        "temperature": "temp",
        "text": "txt",
        "timezone": "tz time_zone",
        "transaction": "txn trx trans",
        "url": "uri href hyperlink",
        "user": "usr",
        "username": "user_name userid loginname login_name user_login uname",
        "weight": "wt",
        "year": "yr",
    }.items()
)
# What stands before names in some schemas, and says only of what type they are.
_TYPES = {"tbl", "str", "txt", "int", "dec", "dbl", "flt", "chr", "vc", "fld", "col", "fk", "pk"}

_DIGESTS = ("sha256", "sha1", "md5", "hex16", "hex8")
# Texts: the Faker providers whose values a column holds by the last words of its name; the first one that suits it.
TEXTS = by_word(
    [
        ("full_name contact_name author contact recipient signatory signed_by issued_by", ("name",)),
        ("sort_name name_sort", ("sort_name",)),
        ("first_name middle_name nick_name given given_names", ("first_name",)),
        ("last_name maiden_name family", ("last_name",)),
        ("username login nickname nick handle screen_name login_id user skype twitter instagram github telegram",
         ("user_name",)),
        ("phone mobile fax landline hotline whatsapp contact_number contact_no emergency_contact_number "
         "phone_number mobile_number fax_number", ("phone_number", "e164")),
        ("e164 phone_e164 msisdn", ("e164", "phone_number")),
        ("email", ("email",)),
        ("address mailing_address postal_address", ("address",)),
        ("street address_1 line1 line_1 street_address street_1 address_street", ("street_address",)),
        ("address_2 address_3 line2 line_2 line3 secondary_address street_2 apartment apt unit_number suite",
         ("secondary_address",)),
        ("street_name road", ("street_name",)),
        ("building building_name house_name stadium stadium_name venue venue_name", ("hall_name",)),
        ("street_type street_suffix", ("street_suffix",)),
        ("street_number house_number building_number street_no housenumber", ("building_number",)),
        ("city birthplace birth_place place_of_birth hometown home_town place capital branch home_branch", ("city",)),
        ("state province state_name", ("state", "state_abbr")),
        ("region county district", ("state", "state_abbr", "city")),
        ("state_code province_code state_abbreviation", ("state_abbr", "state")),
        ("region_code", ("state_abbr",)),
        ("postcode", ("postcode",)),
        ("country country_name nation nationality citizenship country_of_birth country_of_origin",
         ("country", "country_code", "country_code_3")),
        ("country_region_code", ("country_code", "country_code_3")),
        ("country_code iso_code iso iso2 alpha2 country_iso iso_3166 iso_alpha_2 iso_code_2 country_iso2",
         ("country_code", "country_code_3")),
        ("iso3 alpha3 iso_code_3 iso_alpha_3 country_code_3 country_iso3", ("country_code_3",)),
        ("calling_code dial_code phone_code country_calling_code", ("country_calling_code",)),
        ("company company_name organization employer vendor supplier manufacturer publisher brand make insurer "
         "workplace bank_name organization_name vendor_name supplier_name", ("company",)),
        ("job occupation profession position job_title jobtitle contact_title designation job_name", ("job",)),
        ("website homepage link url web web_site home_page webpage site endpoint webhook callback repository repo",
         ("url",)),
        ("picture avatar logo thumbnail icon_url cover_image cover thumb banner picture_url "
         "avatar_url logo_url thumbnail_url cover_url banner_url", ("image_url",)),
        ("ip_address ipv4", ("ipv4",)),
        ("ipv6", ("ipv6",)),
        ("mac_address", ("mac_address",)),
        ("user_agent useragent browser_agent comment_agent http_agent", ("user_agent",)),
        ("headline slogan tagline subtitle subject catchphrase motto", ("catch_phrase",)),
        ("product_name item_name product", ("product_name", "catch_phrase")),
        ("label", ("word",)),
        ("book_title series_title uniform_title series", ("book_title",)),
        ("course_name course_title", ("course_title",)),
        ("color color_name", ("color_name", "hex_color")),
        ("color_code hex_code hex_color color_hex hex rgb background_color text_color", ("hex_color",)),
        ("currency currency_code currency_iso", ("currency_code",)),
        ("currency_symbol", ("currency_symbol",)),
        ("language mother_tongue native_language", ("language_name", "language_code")),
        ("language_code language_iso language_id iso_639", ("language_code",)),
        ("locale culture", ("locale",)),
        ("filename file_name file attachment document_name original_name", ("file_name",)),
        ("path filepath file_path directory folder picture_path", ("file_path",)),
        ("file_extension extension ext suffix_file", ("file_extension",)),
        ("mimetype mime_type content_type media_type mime", ("mime_type",)),
        ("timezone", ("timezone",)),
        ("barcode ean gtin ean13 ean_13", ("ean13", "ean8")),
        ("upc", ("upc_a",)),
        ("isbn isbn13 isbn_13 isbn_number", ("isbn13", "isbn10")),
        ("isbn10 isbn_10", ("isbn10",)),
        ("issn eissn issn_number", ("issn",)),
        ("doi", ("doi",)),
        ("iban bank_account iban_number", ("iban", "bban")),
        ("bic swift swift_code bic_code", ("swift",)),
        ("account_number bank_account_number", ("bban",)),
        ("uuid guid uid external_id public_id", ("uuid4",)),
        ("domain domain_name", ("domain_name",)),
        ("host hostname server server_name dnsname dns_name fqdn common_name", ("hostname",)),
        ("commit revision git_commit git_sha", ("sha1", "hex8")),
        ("json", ("json_object",)),
        ("html", ("html_text",)),
        ("setting_key config_key", ("slug",)),
        ("coordinates coordinate latitude_longitude latlng lat_lng gps location_coordinates geo", ("coordinates",)),
        ("latitude", ("latitude",)),
        ("longitude", ("longitude",)),
        ("salutation honorific name_prefix title_of_courtesy courtesy_title", ("prefix",)),
        ("name_suffix", ("suffix",)),
        ("slug permalink", ("slug",)),
        ("version app_version release", ("version",)),
        ("password_hash password_digest hashed_password password encrypted_password pass_hash passhash "
         "crypted_password password_crypt", ("password_hash", *_DIGESTS)),
        ("hash digest checksum fingerprint signature token secret nonce etag sha salt hashed api_key apikey secret_key "
         "access_key public_key private_key session_key session_id trace_id udid sha256 commit_hash "
         "commit_sha commit_id", _DIGESTS),
        ("sha1", ("sha1",)),
        ("md5", ("md5",)),
        ("license_plate plate plate_number number_plate licence_plate registration_plate", ("license_plate",)),
        ("vin chassis_number", ("vin",)),
        ("ssn social_security_number", ("ssn",)),
        ("card_number credit_card credit_card_number card", ("credit_card_number",)),
        ("card_type credit_card_type", ("credit_card_provider",)),
        ("card_expiry card_expiration card_expire expiry_date_card", ("credit_card_expire",)),
        ("cvv cvc security_code", ("credit_card_security_code",)),
        ("month month_name", ("month_name",)),
        ("weekday day_of_week day_name", ("day_of_week",)),
        ("bank", ("company",)),
        ("imei", ("imei",)),
        ("composer artist singer actor instructor teacher lecturer doctor physician nurse driver manager owner "
         "created_by updated_by approved_by reviewer editor translator illustrator assignee reporter supervisor "
         "emergency_contact next_of_kin guardian spouse father mother beneficiary director photographer author_name",
         ("name",)),
    ]
)  # fmt: skip
# Columns with less room than this hold no value of a provider, but its code.
LEAST_ROOM = {"language_name": 11, "state": 3, "country": 4, "address": 12}
# These mean it only where they are all of a name.
ALONE = {
    "user", "card", "plate", "position", "bank", "place", "server", "site", "release", "product", "unit", "digest",
    "capital", "series", "contact", "handle", "login", "subject", "month", "geo", "hex", "iso", "extension",
    "format", "relationship", "method", "device", "key", "revision", "repo", "suite", "manager", "owner",
    "doctor", "driver", "artist", "teacher", "road", "web", "banner",
}  # fmt: skip
# Texts in sentences.
SENTENCES = words(
    "description body comment comments note notes remark remarks summary bio biography content message text abstract "
    "about details excerpt review reason feedback caption instructions synopsis overview memo observation observations "
    "diagnosis symptoms allergies quote question answer explanation story disclaimer terms reply"
)
# Whom nothing is done by: what stands before `by` where it is a column, and no person.
NOBODY = words("sort sorted order ordered group grouped filter filtered multiply divide increment step stand powered")
# What says of a name only how it is used.
OF_NAMES = words("display official legal short common preferred public known trade trading brand local")
# What may stand behind the words that say what something is, and says of which kind or how many it is.
QUALIFIERS = words(
    "home work private office mobile primary secondary alternate alternative alt pro personal business main other old "
    "new current permanent temporary raw original text string value field line en de fr es evening day emergency"
)

# Texts that are one of a few words: as long as there is room for.
_LEVELS = (("low", "medium", "high", "critical"), ("low", "mid", "high"), ("L", "M", "H"))
_WORKFLOW = (("new", "active", "done"),)
OPTIONS: dict[str, tuple[tuple[str, ...], ...]] = by_word(
    [
        ("status state", _WORKFLOW),
        ("gender", (("female", "male", "non-binary"), ("female", "male", "other"), ("F", "M", "X"))),
        ("sex gender_code", (("female", "male"), ("F", "M"))),
        ("blood_type blood_group", (("A+", "A-", "B+", "B-", "AB+", "AB-", "0+", "0-"), ("A", "B", "AB", "0"))),
        ("eye_color", (("brown", "blue", "green", "hazel", "grey"),)),
        ("hair_color", (("black", "brown", "blond", "red", "grey"),)),
        ("season", (("spring", "summer", "autumn", "winter"),)),
        ("semester term", (("Spring 2026", "Autumn 2025", "Autumn 2026"), ("spring", "autumn"), ("S1", "S2"))),
        ("priority severity urgency importance impact risk", _LEVELS),
        ("difficulty skill_level level", (("beginner", "intermediate", "advanced"), ("easy", "medium", "hard"))),
        ("marital_status civil_status", (("single", "married", "divorced", "widowed"), ("S", "M", "D", "W"))),
        ("payment_method payment_type pay_method", (("card", "bank transfer", "cash", "PayPal"), ("card", "cash"))),
        ("payment_status", (("pending", "paid", "failed", "refunded"),)),
        ("http_method request_method method", (("GET", "POST", "PUT", "PATCH", "DELETE"),)),
        ("role user_role", (("admin", "editor", "member", "guest"), ("admin", "user"))),
        ("tier plan subscription_plan membership", (("free", "basic", "premium", "enterprise"), ("basic", "pro"))),
        ("type kind class", (("standard", "basic", "premium", "other"), ("basic", "other"), ("A", "B", "C"))),
        ("visibility", (("public", "private", "unlisted"),)),
        ("size shirt_size clothing_size", (("S", "M", "L", "XL"),)),
        ("unit uom unit_of_measure units", (("piece", "kg", "l", "m", "box"), ("pcs", "kg", "l", "m"))),
        ("genre", (("Fiction", "Mystery", "Romance", "Science Fiction", "Fantasy", "History", "Biography"),
                   ("Drama", "Comedy", "Action"))),
        ("category segment", (("Electronics", "Books", "Clothing", "Home & Garden", "Sports", "Toys", "Food"),
                              ("Books", "Food", "Toys", "Sports"))),
        ("department division", (("Sales", "Marketing", "Finance", "Human Resources", "Engineering", "Support",
                                  "Legal", "Operations"), ("Sales", "IT", "HR", "Legal"))),
        ("continent", (("Africa", "Antarctica", "Asia", "Europe", "North America", "Oceania", "South America"),
                       ("AF", "AN", "AS", "EU", "NA", "OC", "SA"))),
        ("relationship kinship", (("spouse", "parent", "child", "sibling", "friend"),)),
        ("platform os operating_system", (("Windows", "macOS", "Linux", "Android", "iOS"),)),
        ("browser", (("Chrome", "Firefox", "Safari", "Edge"),)),
        ("device device_type", (("desktop", "mobile", "tablet"),)),
        ("edition", (("1st edition", "2nd edition", "3rd edition"), ("1st", "2nd", "3rd"))),
        ("format", (("Hardcover", "Paperback", "E-book", "Audiobook"),)),
        ("shift", (("morning", "afternoon", "night"),)),
        ("religion", (("none", "Christian", "Muslim", "Hindu", "Buddhist", "Jewish", "other"),)),
        ("software_license", (("MIT", "Apache-2.0", "GPL-3.0", "BSD-3-Clause", "MPL-2.0"), ("MIT", "GPL"))),
        ("protocol proto", (("http", "https", "tcp", "udp"), ("tcp", "udp"))),
        ("side order_side trade_side", (("buy", "sell"),)),
        ("algorithm signing_algorithm", (("RS256", "ES256", "HS256"),)),
        ("source_branch target_branch default_branch base_branch head_branch git_branch git_ref",
         (("main", "develop", "feature/search", "fix/login", "release/2.1"), ("main", "develop"))),
        ("scope scopes", (("read", "write", "read write", "openid profile email"), ("read", "write"))),
        ("cron cron_expression crontab",
         (("0 * * * *", "*/5 * * * *", "0 0 * * *", "30 6 * * 1-5", "0 0 1 * *"), ("0 0 * * *",))),
        ("card_brand", (("Visa", "Mastercard", "American Express", "Discover"), ("visa", "amex"))),
        ("hobby", (("reading", "hiking", "cooking", "painting", "chess", "swimming"),)),
        ("grade letter_grade", (("A", "B", "C", "D", "F"),)),
        ("environment", (("production", "staging", "development"), ("prod", "dev"))),
        ("tags keywords tag keyword", (("new", "sale", "new,sale", "popular", "featured,popular"), ("new", "sale"))),
    ]
)  # fmt: skip
# Codes and numbers that are texts: what they are like, the longest there is room for.
LIKE = by_word(
    [
        ("code sku reference serial", ("AAA-000000", "AA-0000", "A0000")),
        ("number serial_number batch lot", ("00000000", "000000", "00000")),
        ("extension", ("0000", "000")),
        ("last4 last_4 last_four", ("0000",)),
        ("imsi", ("000000000000000",)),
        ("iccid", ("8900000000000000000",)),
        ("puk puk1 puk2", ("00000000",)),
        ("reg_no registration_no registration_number", ("AA-000-AA", "AA0000", "A000")),
        ("vat vat_id vat_number", ("EU000000000", "000000000")),
        ("ein tax_id tax_number tin", ("00-0000000", "000000000")),
        ("routing_number aba", ("000000000",)),
        ("passport passport_number", ("A00000000", "A0000000")),
        ("room room_number", ("A-000", "A000", "000", "00")),
        ("seat seat_number gate", ("00A",)),
        ("shelf rack bin locker aisle", ("A-00", "A00", "00")),
        ("call_number", ("AA 000.0 A000", "AA000 A00")),
        ("otp pin", ("000000", "0000")),
        ("iata airport_code", ("AAA",)),
        ("airline_code carrier_code", ("AA",)),
        ("sort_code", ("00-00-00", "000000")),
        ("icao", ("AAAA",)),
        ("ticker symbol", ("AAAA", "AAA")),
        ("flight_number", ("AA0000", "AA000")),
        ("model model_number", ("AA-000", "A000")),
        ("national_id id_number license driver_license driving_license", ("A00000000", "00000000")),
        ("initials", ("A.A.", "AA", "A")),
        ("lccn", ("2000000000", "00000000")),
        ("isrc", ("AAAAA0000000",)),
        ("post_office_box po_box", ("00000", "0000")),
    ]
)

# Numbers: from and to.
NUMBERS: dict[str, tuple[int, int]] = by_word(
    [
        ("age", (18, 90)),
        ("month", (1, 12)),
        ("day", (1, 28)),
        ("hour", (0, 23)),
        ("minute", (0, 59)),
        ("quantity", (1, 100)),
        ("stock", (0, 500)),
        ("count", (0, 100)),
        ("number", (1, 1000)),
        ("capacity", (10, 500)),
        ("price cost amount", (1, 1000)),
        ("total", (1, 5000)),
        ("subtotal", (1, 5000)),
        ("fee tax", (0, 200)),
        ("balance", (0, 10_000)),
        ("salary income", (30_000, 120_000)),
        ("wage", (15, 80)),
        ("budget", (1_000, 500_000)),
        ("discount", (0, 50)),
        ("tax_rate vat_rate tax_percent vat_percent", (0, 25)),
        ("exchange_rate", (1, 3)),
        ("percent rate vat humidity", (0, 100)),
        ("ratio fraction probability confidence share", (0, 1)),
        ("commission margin", (0, 40)),
        ("weekday day_of_week", (0, 6)),
        ("rating stars", (1, 5)),
        ("score", (0, 100)),
        ("gpa", (1, 4)),
        ("priority", (1, 5)),
        ("level", (1, 10)),
        ("position rank order sequence seq ordinal display_order sort_order line_number", (1, 100)),
        ("weight", (1, 200)),
        ("height width depth length", (1, 250)),
        ("size", (1, 100)),
        ("file_size bytes size_bytes filesize", (1_000, 10_000_000)),
        ("duration minutes", (1, 240)),
        ("milliseconds millis", (1_000, 600_000)),
        ("response_time_ms latency_ms elapsed_ms", (1, 2_000)),
        ("hours", (1, 24)),
        ("days", (1, 30)),
        ("vcpus cpus cores", (1, 64)),
        ("memory_mb ram ram_mb", (512, 65_536)),
        ("leverage", (1, 20)),
        ("nights stay min_stay max_stay", (1, 14)),
        ("weeks", (1, 52)),
        ("months", (1, 36)),
        ("years experience experience_years years_of_experience", (0, 40)),
        ("age_years", (18, 90)),
        ("seconds", (1, 3600)),
        ("pages number_of_pages page_count", (20, 900)),
        ("page", (1, 900)),
        ("volume chapter", (1, 40)),
        ("latitude", (-90, 90)),
        ("longitude", (-180, 180)),
        ("altitude elevation", (0, 3000)),
        ("temperature", (-10, 40)),
        ("floor", (0, 20)),
        ("floors bedrooms bathrooms rooms", (1, 6)),
        ("children guests adults passengers", (0, 6)),
        ("seats", (2, 60)),
        ("doors", (2, 5)),
        ("wheels", (2, 6)),
        ("active enabled deleted visible hidden locked featured verified", (0, 1)),
        ("street_number house_number building_number", (1, 200)),
        ("room room_number", (1, 400)),
        ("credits", (1, 10)),
        ("port", (1024, 65535)),
        ("version", (1, 20)),
        ("likes", (0, 1000)),
        ("views view_count", (0, 10_000)),
        ("attempts retries retry_count", (0, 5)),
        ("http_status status_code", (200, 504)),
        ("square_feet sqft", (400, 4000)),
        ("area acres hectares", (10, 500)),
        ("mileage odometer", (0, 200_000)),
        ("horsepower", (60, 400)),
        ("population", (1_000, 1_000_000)),
        ("postcode", (10_000, 99_999)),
        ("phone mobile fax", (2_000_000_000, 9_999_999_999)),
    ]
)
IN_PERCENT = words("discount commission margin tax_rate vat_rate tax_percent vat_percent")
# What a number is counted in, behind what it is of.
UNITS = words(
    "kg g lb lbs cm mm m km usd eur gbp minutes mins min seconds secs sec hours hrs days ms percent bytes kb mb gb c f "
    "sqm sqft cents minor"
)
PARTS = {**dict.fromkeys(("cents", "cent", "minor", "pence", "pennies"), 100), "ms": 1000}  # of it there are in one
OF_BODIES = {"weight_kg": (45, 120), "height_cm": (150, 200)}
MONEY = words("price cost amount total subtotal fee tax balance salary income wage budget discount")

# Of a table with one of these in its columns' names a state is a part of a country, else it is how far something is.
OF_ADDRESSES = {"city", "zip", "postcode", "postal", "country", "street", "address", "addresses", "states"}
PEOPLE = words(
    "person people user student pupil teacher employee customer client author member patient doctor nurse player "
    "artist actor contact staff guest driver owner parent instructor professor lecturer manager agent attendee "
    "participant reader writer singer friend profile account_holder borrower worker candidate applicant speaker "
    "director passenger pilot coach child human citizen subscriber recipient sender seller buyer mayor tutor mentor "
    "trainer musician composer editor reviewer visitor tenant_user patron lender billing bill shipping ship cardholder "
    "holder assignee reporter lead supervisor signer physician consignee sales_rep to from receiver beneficiary payee "
    "payer claimant insured policyholder dependent"
)
# Columns that only people have.
OF_PEOPLE = words(
    "email first_name last_name birth_date age gender sex username password phone mobile salary hired_on hire_date "
    "job_title"
)
# What the rows of a table are called, where it says of what kind their names are.
NAMES_OF = by_word(
    [
        ("company organization supplier vendor manufacturer publisher brand employer shop store restaurant hotel bank "
         "shipper carrier airline agency insurer operator", "company"),
        ("city airport station", "city"),
        ("country nation", "country"),
        ("state province region county", "state"),
        ("color", "color_name"),
        ("language", "language_name"),
        ("currency", "currency_name"),
        ("job", "job"),
        ("file attachment document", "file_name"),
        ("product item", "product_name"),
        ("project event campaign", "catch_phrase"),
        ("course class lesson", "course_title"),
        ("book album movie film biblio publication novel song track playlist", "book_title"),
        ("post article blog news story page topic thread question", "headline"),
        ("team club", "city"),
        ("category", "product_category"),
        ("department", "company_department"),
        ("street stop", "street_name"),
        ("building stadium venue", "hall_name"),
        ("branch library", "city"),
    ]
)  # fmt: skip
# What happens to few: a column called deleted_at is empty in most rows.
RARE = words(
    "deleted voided archived cancelled canceled discontinued discontinue removed disabled banned blocked suspended "
    "revoked rejected terminated died death deceased retired termination dissolved fired resigned refunded withdrawn "
    "expelled reversed"
)
# What whole numbers, as well as flags, say of a row with 0 or 1.
FLAGS = words(
    "complete completed paused archived compressed cancelled canceled approved published closed banned blocked "
    "confirmed processed pinned anonymous resolved deleted"
)
# What flags say of few rows, beside that, and of most.
OF_FEW = words(
    "admin superuser staff root spam hidden locked default test bot sensitive pinned sticky flagged failed expired "
    "urgent vip internal required"
)
OF_MOST = words("active enabled verified visible available approved confirmed valid")
MORE = words(
    "biblio borrower branch item patron card user file name number code type title serial invoice billing shipping "
    "unit stock order payment profile cover series publication copyright expiry expiration last seen first date time "
    "street home work personal publisher seller contact emergency sales purchase product account customer employee "
    "total start end created updated modified issue return due loan hire birth enrolled accessioned"
)
# Words that end, or begin, like two, and are one.
WHOLE = words(
    "update candidate mandate validate username filename barcode unicode passcode keynote footnote microphone "
    "smartphone headphone prototype archetype datatype database subtitle hostname nickname surname forename postcode "
    "zipcode keycode rename domain phonetic consolidate accommodate liquidate invalidate antidate backdate predate "
    "weekend weekday titles names codes numbers dates dateline datetime timestamp entitle mimetype genotype phenotype"
)
# A word that is written behind, or before, another one without anything between: branchcode, dateexpiry.
_ENDS = ("number", "code", "name", "date", "title", "phone", "email", "notes", "note", "image", "price", "address")
_STARTS = ("date", "email", "phone")
_SHORT = {"of", "id", "no", "url", "zip", "tax", "pro", "age", "pin", "per", "day", "at", "on", "ip", "tel", "fax"}
_LEAST = 3  # letters that are left of a word without another one


def words_of(name: str) -> str:
    """Return a name in the words that are known here, with underscores: BillingZip is billing_postcode.

    Words that are written together are taken apart, and what stands before all of them for a type is left out.
    """
    return _words_of(name)


@cache
def _words_of(name: str) -> str:
    parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|\W+", "_", name).lower().strip("_").split("_")
    found = [word for part in filter(None, parts) for word in _apart(part)]
    while len(found) > 1 and found[0] in _TYPES:
        found = found[1:]
    return _in_known_words(found)


def _in_known_words(found: list[str]) -> str:
    """Return a name in which each word, or run of words, that is another spelling is the usual one."""
    made: list[str] = []
    while found:
        size = next((size for size in (3, 2, 1) if "_".join(found[:size]) in SAME), 0)
        made.append(SAME["_".join(found[:size])] if size else found[0])
        found = found[size or 1 :]
    return "_".join(made)


def _apart(word: str) -> list[str]:
    """Return the words that are written together in one."""
    known = _vocabulary()
    if word in known:
        return [word]
    found = re.fullmatch(r"([a-z]+?)(\d{1,2})", word)
    if found is not None:
        return [*_apart(found[1]), found[2]]
    if (several := _segments(word, known)) is not None:
        return several
    for end in _ENDS:
        if word.endswith(end) and len(word) - len(end) >= _LEAST:
            return [*_apart(word.removesuffix(end)), end]
    for start in _STARTS:
        if word.startswith(start) and len(word) - len(start) >= _LEAST:
            return [start, *_apart(word.removeprefix(start))]
    return [word]


def _segments(word: str, known: frozenset[str]) -> list[str] | None:
    """Return the fewest known words that a word is made of; None where it is not."""
    best: list[list[str] | None] = [[]]
    for end in range(1, len(word) + 1):
        ways = [
            [*before, word[start:end]]
            for start, before in enumerate(best)
            if before is not None and word[start:end] in known and (end - start > 3 or word[start:end] in _SHORT)
        ]
        best.append(min(ways, key=len) if ways else None)
    return best[-1]


@cache
def _vocabulary() -> frozenset[str]:
    tables: list[Iterable[str]] = [SAME, TEXTS, OPTIONS, LIKE, NUMBERS, NAMES_OF, SENTENCES, MONEY, OF_ADDRESSES]
    tables += [PEOPLE, OF_PEOPLE, RARE, MORE, WHOLE, UNITS, PARTS, _SHORT, _TYPES]
    return frozenset("_".join(chain.from_iterable(tables)).split("_"))
