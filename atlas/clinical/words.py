"""What a kept fact says to people."""

from atlas.clinical.codes import STATUSES, TREATMENTS
from atlas.models import ClinicalFact

Kind = ClinicalFact.Kind


def what(fact: ClinicalFact) -> str:
    """In English, a few words: “Chemotherapy: Cisplatin”, “pT2a”, “Disease worse”."""
    match fact.kind:
        case Kind.CONDITION:
            return fact.meaning or value(fact)
        case Kind.STAGE:
            return fact.meaning or value(fact)
        case Kind.TREATMENT:
            sort = TREATMENTS.get(fact.name, fact.name)
            return f"{sort.capitalize()}: {fact.meaning}" if fact.meaning else sort.capitalize()
        case Kind.STATUS:
            return STATUSES.get(fact.name, fact.name).capitalize()
    return "Death"


def value(fact: ClinicalFact) -> str:
    """Of its code, without the terminology."""
    return fact.code.partition(":")[2]
