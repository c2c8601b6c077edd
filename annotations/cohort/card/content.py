"""The sections of the card: sentences, tables and bars, the same for every file that shows them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.utils import translation

from annotations.cohort import changes, policies
from annotations.cohort.card.agreement import agreement_of
from annotations.cohort.card.bins import FEWEST
from annotations.cohort.card.figures import Figure, figures_of
from annotations.cohort.card.gathering import Gathered
from annotations.exchange.codes import type_of
from annotations.models import ReadingDesign, Release, ReleaseRead, Specialty
from annotations.reading import design_words
from annotations.reading.designs import design_of, rules_of
from annotations.reading.journal.values import STATES
from atlas.models import Dataset

SMALL_GROUPS = (
    f"Bars about people count at least {FEWEST}: smaller groups are joined with their neighbours, and "
    f"nothing is drawn of fewer than {FEWEST}, because this card is shown to people who don't have the data."
)


@dataclass(frozen=True)
class Table:
    """The first column names what a row is about; numbers stand to the right."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class Section:
    """Its parts stand in this order; `facts` are pairs of a name and what is so."""

    title: str
    sentences: Sequence[str] = ()
    facts: Sequence[tuple[str, str]] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    items: Sequence[str] = ()

    @property
    def is_empty(self) -> bool:
        return not (self.sentences or self.facts or self.figures or self.tables or self.items)


@dataclass(frozen=True)
class Card:
    title: str
    about: str
    key_figures: list[tuple[str, str]]
    sections: list[Section]
    figures: list[Figure] = field(default_factory=list)


def card_of(release: Release, found: Gathered) -> Card:
    with translation.override("en"):
        figures = figures_of(found)
        sections = [one for one in _sections(release, found, figures) if not one.is_empty]
    return Card(
        title=f"{release.project.name}, release {release.number}",
        about=release.title,
        key_figures=[
            _key("case", "cases", found.cases),
            _key("subject", "subjects", len(found.subjects)),
            _key("study", "studies", found.studies),
            _key("image series", "image series", found.series),
            _key("mark", "marks", found.marks),
            _key("reader", "readers", len(found.readers)),
        ],
        sections=sections,
        figures=figures,
    )


def _key(one: str, more: str, n: int) -> tuple[str, str]:
    return (one if n == 1 else more, count(n))


def count(n: int) -> str:
    return f"{n:,}"


def counted(n: int, one: str, more: str) -> str:
    return f"{count(n)} {one if n == 1 else more}"


def _sections(release: Release, found: Gathered, figures: list[Figure]) -> Iterator[Section]:
    at = {figure["title"]: figure for figure in figures}

    def drawn(*titles: str) -> list[Figure]:
        return [at[title] for title in titles if title in at]

    yield Section("What it is for", purpose(release), facts=_terms(release))
    yield Section(
        "Who and where", [*people(found), SMALL_GROUPS], figures=drawn("Age", "Sex", "Country", "Site")
    )
    yield Section("When", time(release, found), figures=drawn("Time points", "Interval"))
    yield Section("Images", images(found), figures=drawn("Modality", "Slice thickness", "Scanner"))
    yield Section("How it was labelled", labelling(release, found), items=design(release))
    yield Section(
        "What the labels say",
        _what_is_counted(found),
        figures=drawn("Labels", "Lesion volume", "Longest diameter"),
        tables=[_labels(release, found)] if found.labels else [],
    )
    yield Section("How far readers agree", *_agreement(found), figures=drawn("Readers agree"))
    yield Section("Influence of programs", programs(release, found), figures=drawn("Where marks came from"))
    yield Section("Parts", *_parts(release, found))
    yield Section("Known limits", items=limits(release, found))
    yield Section("What has changed", changed(release))
    yield Section("How it is kept", upkeep(release))


# Sections -------------------------------------------------------------------------------------------------


def purpose(release: Release) -> list[str]:
    return [release.purpose.strip() or "The project's lead stated no purpose."]


def _terms(release: Release) -> list[tuple[str, str]]:
    told = [
        ("Licence", release.licence or "none stated"),
        ("Agreement", "in agreement.txt; whoever downloads accepts it" if release.agreement else "none"),
        ("Cite as", citation(release)),
        ("Frozen", f"{release.frozen_at:%Y-%m-%d}"),
    ]
    return [(name, value) for name, value in told if value]


def citation(release: Release) -> str:
    """The lead's, else one that says which release of which project."""
    project = release.project
    return release.citation.strip() or (
        f"{project.organisation.name}: {project.name}, release {release.number} ({release.frozen_at:%Y})."
    )


def people(found: Gathered) -> list[str]:
    sites = ", ".join(f"{site} ({country})" for site, country in sorted(found.sites.items()))
    return [f"{counted(len(found.subjects), 'subject', 'subjects')} of {sites}."] if found.sites else []


def time(release: Release, found: Gathered) -> list[str]:
    told = []
    if found.years:
        years = (
            f"{min(found.years)}" if len(found.years) == 1 else f"{min(found.years)} to {max(found.years)}"
        )
        told.append(
            f"First studies are of {years} by the dates in the images, which de-identification may have "
            "shifted; days between the studies of a subject are kept."
        )
    if found.handed_in:
        first, last = found.handed_in
        when = f"on {first}" if first == last else f"from {first} to {last}"
        told.append(f"Reads were handed in {when}. The release was frozen on {release.frozen_at:%Y-%m-%d}.")
    return told


def images(found: Gathered) -> list[str]:
    told = []
    for dataset in Dataset.objects.filter(slug__in=found.datasets).order_by("slug"):
        how = dataset.get_deidentification_display().rstrip(".")
        told.append(f"Dataset {dataset.name}: {how[:1].lower()}{how[1:]}.")
    if found.without_volume:
        told.append(
            f"{count(found.without_volume)} of {counted(found.series, 'image series', 'image series')} "
            "are no regular volume and have no NIfTI; their marks are in the other formats."
        )
    return told


def labelling(release: Release, found: Gathered) -> list[str]:
    words = {
        "adjudicated": "settled by an adjudicator",
        "agreed": "agreed on by its readers",
        "accepted": "one accepted read",
        "": "several reads, none of them settled",
    }
    told = [f"The release holds {reads_of_a_case(found)}."]
    standing = [f"{count(n)} {words.get(how, how)}" for how, n in sorted(found.references.items()) if n]
    if standing:
        told.append(f"What stands for a case: {'; '.join(standing)}.")
    return [*readers(release, found), *told]


def readers(release: Release, found: Gathered) -> list[str]:
    """How many, and what is known of their experience."""
    specialties = specialties_of(release)
    return [
        f"{counted(len(found.readers), 'reader', 'readers')} made {counted(found.reads, 'read', 'reads')}.",
        f"Specialties that the project names for its readers: {', '.join(specialties)}."
        if specialties
        else "Nothing is recorded of the readers' training or experience.",
    ]


def reads_of_a_case(found: Gathered) -> str:
    reads = sorted(found.reads_of_a_case.items())
    told = [f"{counted(n, 'read', 'reads')} each of {counted(cases, 'case', 'cases')}" for n, cases in reads]
    return ", ".join(told) or "no reads"


def specialties_of(release: Release) -> list[str]:
    readers = ReleaseRead.objects.filter(release_case__release=release).values("submission__read__reader")
    named = Specialty.objects.filter(project=release.project, user__in=readers)
    return sorted(set(named.values_list("name", flat=True)))


def design(release: Release) -> list[str]:
    """The rules when the release was written."""
    return [sentence.text for sentence in design_words.in_words(rules_of(design_of(release.project)))]


def _what_is_counted(found: Gathered) -> list[str]:
    if not found.labels:
        return []
    return [
        "Counted is what stands for a case; where nothing was settled, every read. A label without a state "
        "was neither marked nor answered, which says nothing about the case."
    ]


def _labels(release: Release, found: Gathered) -> Table:
    codes = {
        label["key"]: type_of(label) for schema in policies.schemas_of(release) for label in schema.labels
    }
    rows = []
    for key, label in found.labels.items():
        code = codes.get(key)
        name = f"{label.name} ({code.scheme} {code.value})" if code else label.name
        states = [count(label.states[state]) for state in (*STATES, "")]
        rows.append((name, *states, count(label.marks)))
    return Table(
        ("Label", "present", "absent", "indeterminate", "not assessed", "no state", "marks with a size"), rows
    )


def _agreement(found: Gathered) -> tuple[list[str], list[tuple[str, str]]]:
    rows = agreement_of(found)
    if not rows:
        return ["No case of this release was read by two readers who could be compared."], []
    sentences = [
        "Of every two readers who read a case blind to each other. In brackets: 95 % interval over subjects; "
        "none under 5 subjects."
    ]
    facts = []
    for row in rows:
        facts.append((f"{row.name}: median Dice where both drew", str(row.dice)))
        facts.append((f"{row.name}: there or not, Krippendorff’s alpha", str(row.presence)))
    return sentences, facts


def programs(release: Release, found: Gathered) -> list[str]:
    shown = sum(found.proposals.values())
    is_never = design_of(release.project).proposals == ReadingDesign.Proposals.NEVER
    if is_never or (not shown and not found.unaided):
        return ["Readers were shown no marks that came with the images."]
    told = [
        f"Readers were shown {counted(shown, 'mark', 'marks')} that came with the images: "
        f"{count(found.proposals['accepted'])} taken over, {count(found.proposals['rejected'])} rejected, "
        f"{count(found.proposals['open'])} left open. Of each mark the annotations tell where it came from "
        "and whether it was changed."
    ]
    if found.unaided:
        told.append(
            f"Of reads that began without them, {count(found.unaided['same'])} marks are as they were "
            f"before, {count(found.unaided['other'])} were changed and {count(found.unaided['none'])} made "
            "after."
        )
    return told


def _parts(release: Release, found: Gathered) -> tuple[list[str], list[tuple[str, str]]]:
    if not release.split:
        return [
            "The release is not parted. Whoever parts it should keep the cases of a subject together."
        ], []
    facts = []
    for (part, fold), n in sorted(found.parts.items(), key=lambda row: (row[0][0], row[0][1] or 0)):
        name = part or "not parted"
        facts.append((name if fold is None else f"{name}, fold {fold}", counted(n, "case", "cases")))
    sentences = ["All cases of a subject are in one part."]
    if release.sequestered == Release.Sequestered.MARKS:
        sentences.append("The marks of the test part are kept back for scoring, and counted nowhere here.")
    if release.sequestered == Release.Sequestered.ALL:
        sentences.append("The test part is kept back for scoring, and counted nowhere here.")
    return sentences, facts


def limits(release: Release, found: Gathered) -> list[str]:
    told = []
    left_out = release.left_out or {}
    for why, n in left_out.get("reasons", []):
        told.append(f"Left out: {counted(n, 'case', 'cases')} of the project that {why}.")
    if release.query:
        told.append("The cases were chosen by a query, so they are no picture of all that its sites see.")
    if len(found.sites) == 1:
        told.append("All subjects are of one site: what a model learns here may not hold elsewhere.")
    unsettled = found.references[""]
    if unsettled:
        told.append(f"{counted(unsettled, 'case has', 'cases have')} several reads that were not settled.")
    single = found.reads_of_a_case[1]
    if single and not found.references["adjudicated"] and not found.references["agreed"]:
        told.append("Every case stands on one read, so how far readers would agree is not known.")
    for code, n in sorted(found.findings.items()):
        told.append(
            f"Quality finding {code.replace('_', ' ')}: {counted(n, 'image series', 'image series')}."
        )
    told.append("Nothing is known of treatment and outcome beyond what labels and answers say.")
    return told


def biases(found: Gathered) -> list[str]:
    """How its subjects are spread, as far as the card's bars may tell."""
    figures = {figure["title"]: figure for figure in figures_of(found)}
    told = []
    for title in ("Sex", "Age", "Country", "Site"):
        if title in figures:
            rows = ", ".join(f"{word} {count(n)}" for word, n in figures[title]["rows"])
            told.append(f"{title} ({figures[title]['unit']}): {rows}.")
    return told


def changed(release: Release) -> list[str]:
    told = [release.changelog.strip()] if release.changelog.strip() else []
    counts = changes.counted(release)
    if counts.get("since") is None:
        return [*told, "This is the first release of the project."]
    told.append(
        f"Since release {counts['since']}: {counted(counts['cases_added'], 'case', 'cases')} added, "
        f"{count(counts['cases_removed'])} removed"
        + (
            f", {count(counts['cases_changed'])} changed; of marks {count(counts['marks_added'])} added, "
            f"{count(counts['marks_changed'])} changed, {count(counts['marks_removed'])} removed."
            if "marks_added" in counts
            else "."
        )
    )
    return told


def upkeep(release: Release) -> list[str]:
    told = [
        "A release is not changed; what is accepted later is in the next one. A case that is taken back "
        "leaves every release, and whoever downloaded it is told. Readers are identifiers without names, "
        "subjects pseudonyms; what names people was taken out of the images by the rules of their datasets."
    ]
    if release.withdrawn_cases:
        told.append(f"{counted(len(release.withdrawn_cases), 'case was', 'cases were')} taken back since.")
    return told
