"""What the names of a table's columns suggest: a first mapping, and which of them name people."""

import re
import unicodedata
from collections.abc import Sequence

from atlas.clinical import dates
from atlas.clinical.errors import NotTaken
from atlas.clinical.mapping import NEEDED, ROLES, ColumnMapping
from atlas.clinical.tables import Row

_HEADINGS = {
    "subject": "patientid patient patid pid subject subjectid caseid pseudonym patientenid id identifier mrn",
    "issuer": "issuer assigningauthority issuerofpatientid",
    "condition.code": "icd10 icd icd10code diagnosiscode conditioncode condition diagnose icdo3 diagnosecode",
    "condition.name": "diagnosis diagnosistext conditionname diagnosename histology",
    "condition.date": "diagnosisdate dateofdiagnosis diagnosedatum conditiondate onset",
    "stage.T": "t tstage ct pt tcategory tnmt pathologict clinicalt ajccpathologict",
    "stage.N": "n nstage cn pn ncategory tnmn pathologicn clinicaln ajccpathologicn",
    "stage.M": "m mstage cm pm mcategory tnmm pathologicm clinicalm ajccpathologicm",
    "stage.group": "stage stagegroup uicc uiccstage ajccstage tumorstage stadium ajccpathologicstage",
    "stage.date": "stagedate stagingdate dateofstaging",
    "treatment.sort": "treatment treatmenttype therapy treatmentsort therapie",
    "treatment.code": "treatmentcode atc ops procedurecode",
    "treatment.name": "drug medicine medication treatmentname substance",
    "treatment.start": "treatmentstart therapystart treatmentdate startoftreatment",
    "treatment.end": "treatmentend therapyend endoftreatment",
    "surgery.start": "surgerydate dateofsurgery surgery opdatum opdate",
    "radiotherapy.start": "radiotherapystart rtstart radiotherapydate rtdate",
    "radiotherapy.end": "radiotherapyend rtend",
    "chemotherapy.start": "chemotherapystart chemostart chemotherapydate",
    "chemotherapy.end": "chemotherapyend chemoend",
    "status.value": "status diseasestatus response recist bestresponse",
    "status.date": "statusdate responsedate dateofresponse",
    "death.died": "dead died deceased vitalstatus",
    "death.date": "deathdate dateofdeath todesdatum sterbedatum",
    "fact.kind": "kind factkind",
    "fact.name": "name factname",
    "fact.value": "value code factvalue",
    "fact.start": "start from factstart startson",
    "fact.end": "end to factend endson",
}
_OF_HEADING = {word: role for role, words in _HEADINGS.items() for word in words.split()}


def guessed(columns: Sequence[str], sample: Sequence[Row] = ()) -> ColumnMapping:
    """What the names of the columns, and the dates of some rows, suggest; a heading that is guessed is known,
    and kept as it is."""
    roles: dict[str, str] = {}
    has_kind = any(_folded(column) in ("kind", "factkind") for column in columns)
    for column in columns:
        role = _OF_HEADING.get(_words(column), "")
        if role in roles.values() or (role.startswith("fact.") and not has_kind):
            continue
        if role:
            roles[column] = role
    there = set(roles.values())
    for column, role in list(roles.items()):
        needed = NEEDED.get(role, ())
        if needed and not there & set(needed):
            del roles[column]
    return ColumnMapping(roles, dates=dates.order_of([cell for row in sample for cell in row.cells]))


def _folded(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.casefold())
    return re.sub(r"[^a-z0-9]", "", plain)


def _words(name: str) -> str:
    """As `_folded`; nothing where other letters stand beside."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    is_plain = all(one.isascii() or unicodedata.combining(one) for one in plain)
    return _folded(name) if is_plain else ""


_KNOWN = {*_OF_HEADING, *(_folded(words) for words in ROLES.values())}


def kept(columns: Sequence[str]) -> tuple[str, ...]:
    """What columns are called wherever that is kept: a heading whose words are known here as it is, another
    one by its place ("column 7"), since people write anything above a column."""
    return tuple(
        name if _words(name) in _KNOWN else f"column {at}" for at, name in enumerate(columns, start=1)
    )


def by_kept(how: object, columns: Sequence[str]) -> object:
    """A mapping, whoever wrote it, with the columns called as they are kept. Raises NotTaken where a heading
    says “column 7” in another place."""
    if not isinstance(how, dict) or not isinstance(how.get("columns"), dict):
        return how
    names = kept(columns)
    place = dict(zip(columns, names, strict=True))
    told = {}
    for column, role in how["columns"].items():
        name = column if column in names else place.get(column, column)
        if place.get(column, name) != name or name in told:
            raise NotTaken(f"“{column[:40]}” may be two columns of this table. Name it in another way.")
        told[name] = role
    return {**how, "columns": told}


_NAMES_SOMEBODY = re.compile(
    r"surname|lastname|firstname|forename|givenname|familyname|fullname|patientname|personname|maidenname"
    r"|nachname|vorname|familienname|apellido|nombre|prenom|nomdefamille"
    r"|dateofbirth|birthdate|birthday|dob$|geburtsdatum|fechadenacimiento|datedenaissance"
    r"|address|street|strasse|postcode|zipcode|postleitzahl|^plz$|direccion|adresse"
    r"|phone|telefon|mobile|email|mail$|socialsecurity|^ssn$|nhsnumber|insurance|versicher|passport"
)


def names_somebody(column: str) -> bool:
    """Whether a column of this name holds what identifies a person."""
    return bool(_NAMES_SOMEBODY.search(_folded(column)))
