"""What data may be used for, in terms of the Data Use Ontology (DUO, http://purl.obolibrary.org/obo/duo.owl).

A researcher names the kinds of research, and what they accept. Identifiers are DUO's, so that programs of
other places understand them; the words are our own.
"""

from dataclasses import dataclass

ADDRESS = "http://purl.obolibrary.org/obo/"


@dataclass(frozen=True)
class Term:
    """`key` is DUO's identifier, as DUO:0000042."""

    key: str
    title: str
    explains: str

    @property
    def address(self) -> str:
        return ADDRESS + self.key.replace(":", "_")


RESEARCH: tuple[Term, ...] = (
    Term("DUO:0000037", "Biomedical research", "About health, disease or how the body works."),
    Term("DUO:0000040", "Research on a group of diseases", "One kind of cancer, for instance."),
    Term("DUO:0000031", "Development of methods", "Software, algorithms, models, statistics."),
    Term("DUO:0000039", "Development of drugs", "New medicines, or how they are tested."),
    Term("DUO:0000036", "Controls of a study", "The subjects are compared with those of another study."),
    Term("DUO:0000032", "Research on populations", "How traits or diseases differ between groups of people."),
    Term("DUO:0000034", "Research on an age group", "Children or the old, for instance."),
    Term("DUO:0000035", "Research on one sex or gender", "What concerns women or men."),
    Term("DUO:0000038", "Genetic research", "Genes, or images beside genes."),
    Term("DUO:0000033", "Research on ancestry", "Where people, or their forebears, come from."),
    Term("DUO:0000043", "Clinical care", "To decide about the care of patients."),
)
"""What the data are to be used for."""

ACCEPTED: tuple[Term, ...] = (
    Term("DUO:0000021", "Ethics approval", "A committee approved the study; its vote is attached."),
    Term("DUO:0000046", "No commercial use", "Nobody earns from what is made with the data."),
    Term(
        "DUO:0000018",
        "No profit and no commerce",
        "For no gain, by organisations without profit.",
    ),
    Term("DUO:0000019", "Results are published", "Whatever is found is made known to all."),
    Term("DUO:0000020", "Work with those who gave the data", "Its owners take part in the study."),
    Term("DUO:0000029", "Results come back", "Labels and other derived data return to the owners."),
)
"""What the researcher accepts or brings."""

BY_KEY = {term.key: term for term in (*RESEARCH, *ACCEPTED)}


def title_of(key: str) -> str:
    """Of a term that isn't in the table, its identifier."""
    return BY_KEY[key].title if key in BY_KEY else key
