"""What only a person can say about a dataset in the catalogue: the one list of these fields.

`Listing.terms` holds them, by key: text, or a list of texts where a field takes several. What a machine can
count (subjects, studies, sexes, ages, modalities, scanners, body parts, labels) has no field here.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_noop as _

from network.dcat import plain

type Terms = dict[str, str | list[str]]

ENTRIES_MAX = 20
SEMANTIC_CODE = re.compile(r"(?:CLIN|IMG|BP|COM|SPEC)\d{4,12}")

EHDS = "http://data.europa.eu/eli/reg/2025/327/oj"


@dataclass(frozen=True)
class Choice:
    """A value that a field may take. `key` is stored, pages show `title` (in English, translated there)."""

    key: str
    title: str


@dataclass(frozen=True)
class Field:
    """One thing to say.

    `kind` is one of text, lines, address, mail, date, code, choice; or choices, words, addresses: a list.
    """

    key: str
    title: str
    kind: str
    help: str = ""
    choices: tuple[Choice, ...] = ()
    length_max: int = 200
    is_needed: bool = False  # the imaging profile asks for it, and nothing else can fill it


@dataclass(frozen=True)
class Group:
    title: str
    fields: tuple[Field, ...]


LANGUAGES = tuple(
    Choice(*pair)
    for pair in (
        ("en", _("English")), ("bg", _("Bulgarian")), ("cs", _("Czech")), ("da", _("Danish")),
        ("de", _("German")), ("el", _("Greek")), ("es", _("Spanish")), ("et", _("Estonian")),
        ("fi", _("Finnish")), ("fr", _("French")), ("ga", _("Irish")), ("hr", _("Croatian")),
        ("hu", _("Hungarian")), ("it", _("Italian")), ("lt", _("Lithuanian")), ("lv", _("Latvian")),
        ("mt", _("Maltese")), ("nl", _("Dutch")), ("pl", _("Polish")), ("pt", _("Portuguese")),
        ("ro", _("Romanian")), ("sk", _("Slovak")), ("sl", _("Slovenian")), ("sv", _("Swedish")),
    )
)  # fmt: skip

TIERS = (
    Choice("1", _("Tier 1: listed in the catalogue")),
    Choice("2", _("Tier 2: can be searched across nodes")),
    Choice("3", _("Tier 3: can be processed across nodes")),
)

HEALTH_CATEGORIES = (  # of article 51 of Regulation (EU) 2025/327, those that images come from
    Choice("EHRS", _("Electronic health records")),
    Choice("MRMR", _("Medical registries")),
    Choice("PHDR", _("Registries of a population's health")),
    Choice("EHCT", _("Clinical trials, studies and investigations")),
    Choice("RQSH", _("Research cohorts, questionnaires and surveys")),
)

COLLECTION_METHODS = (
    Choice("case-control", _("Case-control")),
    Choice("cohort", _("Cohort")),
    Choice("cross-sectional", _("Cross-sectional")),
    Choice("longitudinal", _("Longitudinal")),
    Choice("disease-specific", _("Disease-specific")),
    Choice("population-based", _("Population-based")),
    Choice("quality-control", _("Quality control")),
    Choice("other", _("Other")),
)

ACCESS_CONDITIONS = (
    Choice("DOWNLOAD", _("Download, once access is granted")),
    Choice("IN_SITU_PROCESSING", _("Seen and processed on this node")),
    Choice("REMOTE_PROCESSING", _("Questions only: no one sees the images")),
)

LEGAL_BASES = (  # classes of the Data Privacy Vocabulary
    Choice("Consent", _("Consent of the people")),
    Choice("PublicInterest", _("Public interest")),
    Choice("LegalObligation", _("Legal obligation")),
    Choice("LegitimateInterest", _("Legitimate interest")),
)

GROUPS = (
    Group(
        _("In words"),
        (
            Field(
                "language", _("Language of its name and description"), "choice", choices=LANGUAGES
            ),
            Field(
                "title_en", _("Name in English"), "text",
                _("Needed where the name above is not in English: harvesters ask for it."),
            ),
            Field(
                "description_en", _("Description in English"), "lines",
                _("Needed where the description is not in English."), length_max=5000,
            ),
            Field(
                "population", _("Whom it is about"), "lines",
                _("Disease, treatment, place and years, as one would say them in a paper."), length_max=2000,
            ),
            Field(
                "provenance", _("Where it comes from"), "lines",
                _("How the images were collected and chosen, from which sources: the profile asks for it."),
                length_max=5000, is_needed=True,
            ),
            Field(
                "keywords", _("Keywords"), "words",
                _("One a line. Organ, modalities, body parts and labels stand there already."),
                length_max=80,
            ),
            Field(
                "documentation", _("More about it"), "address",
                _("The address of a page or a paper: https://…"),
            ),
            Field(
                "citation", _("How to cite it"), "lines",
                _("Left empty, the catalogue makes one of name, organisation, year and version."),
                length_max=1000,
            ),
        ),
    ),
    Group(
        _("Whom to ask"),
        (
            Field("contact_mail", _("E-mail address for questions"), "mail",
                  _("Of an office, not of a person: anyone can read it.")),
            Field("contact_page", _("Page for questions"), "address",
                  _("The e-mail address, this page, or both: the profile asks for one.")),
            Field("publisher_mail", _("E-mail address of the organisation"), "mail",
                  _("Left empty, the one for questions stands there.")),
            Field("publisher_page", _("Page of the organisation"), "address"),
        ),
    ),
    Group(
        _("How it came about"),
        (
            Field(
                "tier", _("Interoperability tier"), "choice", _("The profile asks for it."),
                choices=TIERS, is_needed=True,
            ),
            Field(
                "health_categories", _("Category of health data"), "choices",
                _("Of article 51 of the European Health Data Space Regulation. The profile asks for one."),
                choices=HEALTH_CATEGORIES, is_needed=True,
            ),
            Field(
                "collection_methods", _("How it was collected"), "choices", _("The profile asks for one."),
                choices=COLLECTION_METHODS, is_needed=True,
            ),
            Field(
                "condition_code", _("Code of the cancer condition"), "code",
                _("A code of the initiative's hyper-ontology, such as CLIN1000065, if you know it. Left "
                  "empty, what clinical facts count most stands there, or the place of the primary tumour."),
                length_max=16,
            ),
        ),
    ),
    Group(
        _("Rights"),
        (
            Field(
                "conditions", _("What those with access may do"), "choices",
                _("Left empty, it follows from who gets access."), choices=ACCESS_CONDITIONS,
            ),
            Field(
                "legislation", _("Laws that it is kept under"), "addresses",
                _("One address a line. Left empty: the European Health Data Space Regulation."),
            ),
            Field("legal_basis", _("Legal basis"), "choices", choices=LEGAL_BASES),
            Field("purpose", _("What it was collected for"), "lines", length_max=1000),
            Field("retention_start", _("Available from"), "date"),
            Field("retention_end", _("Available until"), "date"),
        ),
    ),
    Group(
        _("Health data access body"),
        (
            Field(
                "access_body", _("Its official name"), "text",
                _("The body that the country named for this dataset. Leave it empty until one is named: "
                  "nothing stands in for it."),
            ),
            Field("access_body_page", _("Its page"), "address"),
            Field("access_body_mail", _("Its e-mail address"), "mail"),
        ),
    ),
)  # fmt: skip

FIELDS = {field.key: field for group in GROUPS for field in group.fields}


def clean(said: object) -> Terms:
    """`said` as it may be stored: known fields, well formed, empty ones left out.

    Raises ValidationError with a sentence a field. Unknown fields are refused, too.
    """
    if not isinstance(said, Mapping):
        raise ValidationError("The terms of a dataset are a list of fields and what they say.")
    kept: Terms = {}
    errors: dict[str, str] = {}
    for key, value in said.items():
        field = FIELDS.get(key) if isinstance(key, str) else None
        if field is None:
            errors[plain.text(key, length_max=40) or "?"] = "The catalogue knows no such field."
            continue
        try:
            found = _cleaned(field, value)
        except ValueError as error:
            errors[field.key] = str(error)
        else:
            if found:
                kept[field.key] = found
    errors |= {key: sentence for key, sentence in _together(kept).items() if key not in errors}
    if errors:
        raise ValidationError(errors)
    return kept


def kept_of(said: object) -> Terms:
    """What is well formed of another node's terms: the rest is left out, whatever it holds."""
    if not isinstance(said, Mapping):
        return {}
    kept: Terms = {}
    for key, field in FIELDS.items():
        try:
            found = _cleaned(field, said.get(key))
        except ValueError:
            continue
        if found:
            kept[key] = found
    for key in _together(kept):
        kept.pop(key, None)
    return kept


def missing(terms: Mapping[str, object]) -> list[str]:
    """Titles of what the imaging profile asks of a person and nobody has said yet, in order.

    The health data access body is not among them: it may stay empty until one is named.
    """
    wanting = [field.title for field in FIELDS.values() if field.is_needed and not terms.get(field.key)]
    if not (terms.get("contact_mail") or terms.get("contact_page")):
        wanting.append(_("Whom to ask"))
    if terms.get("language", "en") != "en":
        wanting += [FIELDS[key].title for key in ("title_en", "description_en") if not terms.get(key)]
    return wanting


def _cleaned(field: Field, value: object) -> str | list[str]:
    """One field's value; raises ValueError with what is wrong with it."""
    if value is None or value == "" or value == []:
        return ""
    if field.kind in ("choices", "words", "addresses"):
        entries = value.splitlines() if isinstance(value, str) else value
        if not isinstance(entries, Iterable) or isinstance(entries, Mapping):
            raise ValueError("It must be a list.")
        return _entries(field, list(entries))
    if not isinstance(value, str):
        raise ValueError("It must be text.")
    return _single(field, value)


def _entries(field: Field, entries: list[object]) -> list[str]:
    if len(entries) > ENTRIES_MAX * 2:
        raise ValueError(f"No more than {ENTRIES_MAX} entries.")
    if not all(isinstance(entry, str) for entry in entries):
        raise ValueError("Every entry must be text.")
    if field.kind == "choices":
        known = [choice.key for choice in field.choices]
        unknown = [entry for entry in entries if entry not in known]
        if unknown:
            raise ValueError(f"“{plain.text(unknown[0], length_max=40)}” is none of its choices.")
        return [key for key in known if key in entries]
    single = Field(field.key, field.title, "address" if field.kind == "addresses" else "text",
                   length_max=field.length_max)  # fmt: skip
    found = [_single(single, str(entry)) for entry in entries if str(entry).strip()]
    if len(found) > ENTRIES_MAX:
        raise ValueError(f"No more than {ENTRIES_MAX} entries.")
    return list(dict.fromkeys(entry for entry in found if entry))


def _single(field: Field, value: str) -> str:
    if field.kind == "choice":
        if value not in {choice.key for choice in field.choices}:
            raise ValueError(f"“{plain.text(value, length_max=40)}” is none of its choices.")
        return value
    if field.kind == "address":
        return _or_refuse(plain.web_address(value), value, "It must be a whole address: https://…")
    if field.kind == "mail":
        return _or_refuse(plain.mail_address(value), value, "It must be an e-mail address.")
    if field.kind == "date":
        try:
            return date.fromisoformat(value.strip()).isoformat()
        except ValueError:
            raise ValueError("It must be a day, such as 2030-12-31.") from None
    if field.kind == "code":
        code = value.strip()
        return _or_refuse(
            code if SEMANTIC_CODE.fullmatch(code) else "", value, "It must be a code, such as CLIN1000065."
        )
    found = plain.text(value, length_max=field.length_max + 1, lines=field.kind == "lines")
    if len(found) > field.length_max:
        raise ValueError(f"No more than {field.length_max:,} characters.")
    return found


def _or_refuse(found: str, value: str, sentence: str) -> str:
    if not found and value.strip():
        raise ValueError(sentence)
    return found


def _together(terms: Terms) -> dict[str, str]:
    """What is wrong between fields, by the field to mend."""
    errors = {}
    start, end = terms.get("retention_start"), terms.get("retention_end")
    if isinstance(start, str) and isinstance(end, str) and start > end:
        errors["retention_end"] = "It ends before it starts."
    reachable = terms.get("access_body_page") or terms.get("access_body_mail")
    if terms.get("access_body") and not reachable:
        errors["access_body"] = "Its page or its e-mail address, too: a body that can't be reached is none."
    if reachable and not terms.get("access_body"):
        for key in ("access_body_page", "access_body_mail"):
            if terms.get(key):
                errors[key] = "Its official name, too."
    return errors
