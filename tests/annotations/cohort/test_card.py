"""The data card and Croissant of a release: right numbers, nothing withheld, files that stand alone."""

import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from annotations.cohort import releases, writer
from annotations.cohort.card.agreement import agreement_of
from annotations.cohort.card.figures import figures_of
from annotations.cohort.card.gathering import Gathered
from annotations.cohort.card.markdown import plain
from annotations.cohort.formats.croissant import pattern_of
from annotations.exchange.croissant import NO_LICENCE, encoding_of, licence_of
from annotations.models import Release, ReleaseCase
from annotations.reading.comparing import compare_case
from tests.annotations.cohort.conftest import OUTLINE, Cohort
from tests.annotations.cohort.test_release import content, run_jobs, written


def digest(number: int, **more: Any) -> dict[str, Any]:
    """Of a case of a subject of its own, as it is kept when the case is written."""
    case = {
        "case_number": number,
        "subject": f"S-{number}",
        "site": "north",
        "country": "NO",
        "time_points": 2,
    }
    return {
        "case": case | {"sex": "F", "age_years": 40 + number, "reads": 1, "reference": "accepted"},
        "series": [{"modality": "CT", "slice_thickness_mm": 1.25, "findings": "", "has_volume": True}],
        "days_between": [91],
        "readers": [["reader-1", "read"]],
        "handed_in": ["2026-10-01"],
        "labels": [["nodule", "Nodule", "present"]],
        "lesions": [{"label": "nodule", "longest_mm": 12.0, "volume_ml": 0.5}],
        "origins": {"reader": 1},
        "unaided": {},
        "proposals": {},
        "proposed_by": [],
        "agreement": [],
    } | more


def bars(found: Gathered, title: str) -> list[list[Any]]:
    return next((figure["rows"] for figure in figures_of(found) if figure["title"] == title), [])


def test_what_cases_are_like_is_added_up_and_a_subject_counts_once() -> None:
    found = Gathered()
    for number in range(1, 13):
        found.add(digest(number))
    again = digest(1)
    found.add(again)
    assert (found.cases, len(found.subjects), found.studies, found.marks) == (13, 12, 26, 13)
    assert bars(found, "Sex") == [["female", 12]]
    assert bars(found, "Age") == [["40–59", 12]]  # 9 and 3, which are too few for a bar
    assert bars(found, "Interval") == [["57–91", 13]]
    assert bars(found, "Slice thickness") == [["1", 13]]
    assert bars(found, "Longest diameter") == [["10", 13]]
    assert bars(found, "Labels") == [["Nodule", 13]]


def test_fewer_than_five_people_are_in_no_bar() -> None:
    found = Gathered()
    for number in range(1, 5):
        found.add(digest(number))
    assert [bars(found, title) for title in ("Sex", "Age", "Country", "Site", "Time points", "Interval")] == [
        []
    ] * 6
    assert bars(found, "Modality") == [["CT", 4]]


def test_agreement_is_the_median_dice_with_its_n_and_none_under_five_subjects_has_an_interval() -> None:
    found, few = Gathered(), Gathered()
    values = [0.5, 0.9, 0.8, 0.7, 0.95, 0.6]
    for number, dice in enumerate(values, start=1):
        row = {"label": "nodule", "dice": dice, "said": [True, True]}
        found.add(digest(number, agreement=[row]))
        if number < 5:
            few.add(digest(number, agreement=[row]))
    [measured] = agreement_of(found)
    assert measured.dice.value == pytest.approx(np.median(values))
    assert (measured.dice.n, measured.name) == (6, "Nodule")
    assert measured.dice.interval is not None
    low, high = measured.dice.interval
    assert min(values) <= low < measured.dice.value < high <= max(values)
    assert agreement_of(few)[0].dice.interval is None


def test_markdown_shows_what_was_written_and_means_nothing_by_it() -> None:
    assert plain("a | b\n# <script> *c* [d](e)") == r"a \| b # \<script\> \*c\* \[d\](e)"


# Of a release -------------------------------------------------------------------------------------------


class Parsed(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [
            value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "action")
        ]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_needs_nothing_else_and_runs_nothing(cohort: Cohort) -> None:
    cohort.project.name = "<script>alert(1)</script>"
    cohort.project.save()
    release, _ = written(cohort)
    page = content(release, "data-card.html").decode()
    found = Parsed(page)
    assert found.tags & {"script", "link", "img", "iframe", "object", "form"} == set()
    assert found.addresses == []
    assert re.findall(r"url\(|@import|https?://", page) == []
    assert "<script>alert(1)</script>, release 1" in found.texts
    assert {"svg", "table", "h2", "style"} <= found.tags


def test_card_and_page_tell_the_same_and_the_release_keeps_its_bars(cohort: Cohort) -> None:
    release, _ = written(cohort)
    told = content(release, "data-card.md").decode()
    texts = "".join(Parsed(content(release, "data-card.html").decode()).texts)
    for sentence in ("Nothing is recorded of the readers' training or experience.", "1 reader made 1 read."):
        assert sentence in told
        assert sentence in texts
    assert "| Tumour (SCT 108369006) | 1 | 0 | 0 | 0 | 0 | 3 |" in told
    assert "| Lymph node (99ATLAS node) | 0 | 1 | 0 | 0 | 0 | 0 |" in told
    by_title = {figure["title"]: figure for figure in release.card}
    assert by_title["Labels"] == {
        "title": "Labels",
        "unit": "cases that show them",
        "n": 1,
        "kind": "bars",
        "rows": [["Tumour", 1]],
    }
    assert by_title["Modality"]["rows"] == [["MR", 1]]
    assert {figure["kind"] for figure in release.card} == {"bars", "histogram"}
    assert "Sex" not in by_title  # one subject


def test_two_blind_readers_and_how_far_they_agree(cohort: Cohort) -> None:
    for name in ("reader", "other_reader"):
        read = cohort.read(name)
        cohort.draw(read)
        cohort.accept(read)
    compare_case(cohort.case.pk)
    choice = releases.Choice(content=Release.Content.BOTH)
    release = releases.freeze(by=cohort.people["lead"], project=cohort.project, choice=choice)
    run_jobs()
    told = content(release, "data-card.md").decode()
    assert "2 readers made 2 reads." in told
    assert "The release holds 2 reads each of 1 case." in told
    assert "- **Tumour: median Dice where both drew**: 1.00, n 1" in told


@pytest.mark.parametrize("sequestered", [Release.Sequestered.MARKS, Release.Sequestered.ALL])
def test_what_is_sequestered_counts_nowhere(cohort: Cohort, sequestered: str) -> None:
    read = cohort.read()
    cohort.draw(read)
    cohort.accept(read)
    release = releases.freeze(by=cohort.people["lead"], project=cohort.project)
    design = {"kind": "parts", "train": 0, "validation": 0, "test": 100, "seed": "1"}
    Release.objects.filter(pk=release.pk).update(sequestered=sequestered, split=design)
    ReleaseCase.objects.filter(release=release).update(part="test", stratum="tumour")
    run_jobs()
    release.refresh_from_db()
    assert release.state == Release.State.READY, release.problem
    files = [content(release, path).decode() for path in ("data-card.md", "data-card.html", "croissant.json")]
    assert "0 marks" in files[0]
    assert not [text for text in files if re.search("tumour|reader-[0-9a-f]{8}", text, re.IGNORECASE)]
    assert {figure["title"] for figure in release.card} <= {"Modality", "Slice thickness", "Scanner"}
    sets = [one for one in json.loads(files[2])["distribution"] if one["@type"] == "cr:FileSet"]
    kept = release.files.filter(release_case__isnull=False, is_sequestered=False).count()
    assert sum(int(one["description"].split("Files: ")[1].split(".")[0]) for one in sets) == kept


def test_a_case_that_is_taken_back_leaves_card_and_croissant(cohort: Cohort) -> None:
    release, _ = written(cohort)
    before = content(release, "data-card.md")
    assert b"1 case, 1 subject" in before
    releases.withdraw_case(release, 1, because="Consent was withdrawn.")
    writer.finish(release.pk)
    release.refresh_from_db()
    assert release.state == Release.State.READY, release.problem
    assert b"0 cases, 0 subjects" in content(release, "data-card.md")
    assert b"1 case was taken back since." in content(release, "data-card.md")
    document = json.loads(content(release, "croissant.json"))
    assert document["version"] == "1.1.0"
    assert [one for one in document["distribution"] if one["@type"] == "cr:FileSet"] == []
    assert release.card == []


# Croissant ----------------------------------------------------------------------------------------------


def test_croissant_names_every_file_that_spans_cases_with_its_hash(cohort: Cohort) -> None:
    release, _ = written(cohort)
    document = json.loads(content(release, "croissant.json"))
    listed = {one["contentUrl"]: one for one in document["distribution"] if one["@type"] == "cr:FileObject"}
    spanning = set(release.files.filter(release_case=None).values_list("path", flat=True))
    assert spanning - set(listed) == {"croissant.json", "certificate.json", "manifest.json"}
    for path, one in listed.items():
        assert one["sha256"] == hashlib.sha256(content(release, path)).hexdigest()
        assert one["encodingFormat"] != "application/octet-stream"
    assert {one["@id"] for one in document["recordSet"]} == {
        "cases",
        "series",
        "annotations",
        "measurements",
        "labels",
        "answers",
    }
    ids = [one["@id"] for one in document["distribution"]]
    assert len(set(ids)) == len(ids)
    assert not [one for one in ids if " " in one]
    assert str(OUTLINE) not in json.dumps(document)


def test_without_tables_there_are_no_record_sets(cohort: Cohort) -> None:
    read = cohort.read()
    cohort.draw(read)
    cohort.accept(read)
    choice = releases.Choice(formats=("seg",))
    release = releases.freeze(by=cohort.people["lead"], project=cohort.project, choice=choice)
    run_jobs()
    document = json.loads(content(release, "croissant.json"))
    assert document["recordSet"] == []
    assert [one["includes"] for one in document["distribution"] if one["@type"] == "cr:FileSet"] == [
        "cases/*/*/seg/*.dcm"
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"),
        ("cc-by-4.0", "https://creativecommons.org/licenses/by/4.0/"),
        ("CC BY-NC-SA 4.0", "https://creativecommons.org/licenses/by-nc-sa/4.0/"),
        ("CC-BY-NC 3.0", "https://creativecommons.org/licenses/by-nc/3.0/"),
        ("CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        ("Ask the committee", "Ask the committee"),
        ("", NO_LICENCE),
    ],
)
def test_known_licences_become_addresses(written: str, expected: str) -> None:
    assert licence_of(written) == expected


@pytest.mark.parametrize(
    ("path", "pattern", "encoding"),
    [
        ("cases/0001/images/CT_a1b2.nii.gz", "cases/*/images/*.nii.gz", "application/gzip"),
        ("cases/0001/reader-0a1b2c3d/seg/CT_a1.dcm", "cases/*/*/seg/*.dcm", "application/dicom"),
        ("coco/images/0001_CT_a1_0003.png", "coco/images/*.png", "image/png"),
    ],
)
def test_files_of_a_kind_share_a_pattern(path: str, pattern: str, encoding: str) -> None:
    assert (pattern_of(path), encoding_of(path)) == (pattern, encoding)
