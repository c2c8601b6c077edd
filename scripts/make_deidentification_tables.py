"""Makes the tables that de-identification reads, from the standard's facts as others publish them.

    python scripts/make_deidentification_tables.py ATTRIBUTES.json LATER_ROWS.whl

ATTRIBUTES.json is table E.1-1 of PS3.15 as the project innolitics/dicom-standard publishes it;
LATER_ROWS.whl is the wheel of dicom-anonymizer, of which only the rows that the first lacks are taken: they
have the basic profile's column alone. Which type an attribute has in which IOD comes from highdicom, the
words of imaging from pydicom's dictionaries of coded concepts.
"""

import csv
import importlib.util
import json
import re
import sys
import tempfile
import zipfile
from collections import defaultdict
from pathlib import Path

from highdicom._standard_utils import get_iod_module_map, get_module_attribute_map, get_sop_class_iod_map
from pydicom.datadict import tag_for_keyword
from pydicom.sr._concepts_dict import concepts

FOLDER = Path(__file__).resolve().parent.parent / "atlas" / "dicom" / "deidentify" / "tables"
COLUMNS = {
    "rtnUIDsOpt": "uids",
    "rtnDevIdOpt": "device_identity",
    "rtnInstIdOpt": "institution_identity",
    "rtnPatCharsOpt": "patient_characteristics",
    "rtnLongFullDatesOpt": "full_dates",
    "rtnLongModifDatesOpt": "dates",
    "cleanDescOpt": "clean_descriptors",
    "cleanStructContOpt": "clean_structured_content",
    "cleanGraphOpt": "clean_graphics",
    "rtnSafePrivOpt": "safe_private",
}
LATER_LISTS = {
    "D_TAGS": "D", "Z_TAGS": "Z", "X_TAGS": "X", "U_TAGS": "U", "Z_D_TAGS": "Z/D", "X_Z_TAGS": "X/Z",
    "X_D_TAGS": "X/D", "X_Z_D_TAGS": "X/Z/D", "X_Z_U_STAR_TAGS": "X/Z/U*",
}  # fmt: skip


def main() -> None:
    attributes, wheel = Path(sys.argv[1]), Path(sys.argv[2])
    FOLDER.mkdir(exist_ok=True)
    rows = _rows(json.loads(attributes.read_text()), _later(wheel))
    with (FOLDER / "attributes.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["tag", "edition", "basic", *COLUMNS.values()])
        writer.writerows(rows)
    mixed = {int(row[0], 16) for row in rows if "/" in row[2] and not row[0].endswith("X")}
    with (FOLDER / "required.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["where", "tag", "type", "sop_classes"])
        writer.writerows(_required(mixed))
    (FOLDER / "words.txt").write_text("\n".join(_words()) + "\n")


def _rows(table: list[dict[str, str]], later: dict[int, str]) -> list[list[str]]:
    rows = []
    for entry in table:
        tag = entry["id"].upper()
        if tag.startswith("GGGG"):  # private attributes: a rule, not a row
            continue
        rows.append([tag, "2025a", entry["basicProfile"], *(entry.get(column, "") for column in COLUMNS)])
        later.pop(int(tag, 16) if "X" not in tag else 0, None)
    rows += [[f"{tag:08X}", "2026c", action, *("" for _ in COLUMNS)] for tag, action in later.items()]
    return sorted(rows)


def _later(wheel: Path) -> dict[int, str]:
    """Tag → basic profile's action, of the newest edition that the wheel carries."""
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory() as folder:
        newest = max(name for name in archive.namelist() if re.search(r"/dicomfields_\d{4}[a-z]\.py$", name))
        spec = importlib.util.spec_from_file_location("dicomfields", archive.extract(newest, folder))
        if spec is None or spec.loader is None:
            raise SystemExit(f"{newest} is no module.")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return {
        tag[0] << 16 | tag[1]: action
        for name, action in LATER_LISTS.items()
        for tag in getattr(module, name)
        if len(tag) == 2
    }


def _required(mixed: set[int]) -> list[list[str]]:
    """Where an attribute with several actions is of type 1 or 2: ["", tag, type, SOP classes] in the data set
    itself; [tag of the sequence, tag, strictest type in any IOD, ""] within sequences."""
    modules = get_module_attribute_map()
    classes_of = defaultdict(list)
    for sop_class, iod in get_sop_class_iod_map().items():
        classes_of[iod].append(sop_class)
    top: dict[tuple[int, str], set[str]] = defaultdict(set)
    nested: dict[tuple[int, int], str] = {}
    for iod, its_modules in get_iod_module_map().items():
        strictest: dict[int, str] = {}
        for module in its_modules:
            for attribute in modules.get(module["key"], []):
                tag, kind = tag_for_keyword(attribute["keyword"]), attribute["type"][0]
                if tag not in mixed or kind not in "12":
                    continue
                if not attribute["path"]:
                    strictest[tag] = min(kind, strictest.get(tag, kind))
                elif parent := tag_for_keyword(attribute["path"][-1]):
                    nested[parent, tag] = min(kind, nested.get((parent, tag), kind))
        for tag, kind in strictest.items():
            top[tag, kind].update(classes_of[iod])
    rows = [
        ["", f"{tag:08X}", kind, " ".join(sorted(classes))] for (tag, kind), classes in top.items() if classes
    ]
    rows += [[f"{parent:08X}", f"{tag:08X}", kind, ""] for (parent, tag), kind in nested.items()]
    return sorted(rows)


def _words() -> list[str]:
    """Words of the names of coded concepts (anatomy, procedures, findings), which name nobody.

    Eponyms would: a word counts only if it is written in small letters somewhere inside a name.
    """
    seen: set[str] = set()
    names = [
        meaning for scheme in concepts.values() for name in scheme.values() for meaning, *_ in name.values()
    ]
    for name in names:
        seen.update(re.findall(r"(?<![\w'’-])[a-z]{3,}(?![\w'’])", name))
    return sorted(seen)


if __name__ == "__main__":
    main()
