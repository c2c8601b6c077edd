"""What becomes of single attributes: by the table, by the options, by the type an IOD gives them."""

import io
from datetime import date, datetime, timedelta

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    EncapsulatedPDFStorage,
    EnhancedCTImageStorage,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    generate_uid,
)

from atlas.dicom.deidentify import OPTIONS, Keys, Profile, Refused, deidentify, explaining
from atlas.dicom.headers import Unreadable, read_header
from tests.atlas.dicom_deidentify.rewritten import KEYS, done, read, whole
from tests.atlas.slices import header, part_10

ALL = [option.key for option in OPTIONS]


def ct(**attributes) -> bytes:
    return part_10(header(**attributes))


def item(**attributes) -> Dataset:
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


# Dates -----------------------------------------------------------------------------------------


def test_dates_of_one_patient_move_by_the_same_days_and_intervals_survive():
    first = read(ct(StudyDate="20260114"), "dates")
    second = read(ct(StudyDate="20260301", SeriesDate="20260302"), "dates")

    def day(written):
        return date(int(written[:4]), int(written[4:6]), int(written[6:]))

    assert day(second.StudyDate) - day(first.StudyDate) == date(2026, 3, 1) - date(2026, 1, 14)
    assert day(second.SeriesDate) - day(second.StudyDate) == timedelta(days=1)
    assert day(first.StudyDate) == date(2026, 1, 14) + timedelta(days=KEYS.shift_days("NH-20931"))
    assert first.StudyTime == "101500"
    assert first.LongitudinalTemporalInformationModified == "MODIFIED"


def test_a_moment_moves_by_whole_days_and_keeps_its_clock_fraction_and_offset():
    result = read(ct(AcquisitionDateTime="20260114101533.250000+0100"), "dates")

    moved = datetime(2026, 1, 14) + timedelta(days=KEYS.shift_days("NH-20931"))
    assert result.AcquisitionDateTime == f"{moved:%Y%m%d}101533.250000+0100"


def test_dates_in_sequences_and_several_in_one_value_move_too():
    file = ct(
        CalibrationDate=None,
        DateOfSecondaryCapture="20260114",
        RadiopharmaceuticalInformationSequence=Sequence(
            [item(RadiopharmaceuticalStartDateTime="20260114093000", RadionuclideTotalDose=3.7e8)]
        ),
    )
    result = read(file, "dates")

    moved = date(2026, 1, 14) + timedelta(days=KEYS.shift_days("NH-20931"))
    injected = result.RadiopharmaceuticalInformationSequence[0]
    assert injected.RadiopharmaceuticalStartDateTime == f"{moved:%Y%m%d}093000"
    assert injected.RadionuclideTotalDose == 3.7e8


def test_the_old_way_to_write_a_date_moves_as_well():
    new, old = b"\x08\x00\x20\x00DA\x08\x0020260114", b"\x08\x00\x20\x00DA\x0a\x002026.01.14"
    result = read(ct(StudyDate="20260114").replace(new, old), "dates")

    moved = date(2026, 1, 14) + timedelta(days=KEYS.shift_days("NH-20931"))
    assert result.StudyDate == f"{moved:%Y.%m.%d}"


@pytest.mark.parametrize("written", [b"202601  ", b"2026    ", b"14.01.26", b"20261399"])
def test_a_date_that_is_none_goes(written):
    file = ct(StudyDate="20260114").replace(b"20260114", written)

    assert read(file, "dates").StudyDate == ""


def test_without_the_option_dates_go_and_the_file_says_so():
    result = read(ct(SeriesDate="20260114", PatientBirthDate="19410317", AcquisitionDate="20260114"))

    assert result.StudyDate == ""  # type 2
    assert result.PatientBirthDate == ""
    assert "SeriesDate" not in result
    assert "AcquisitionDate" not in result
    assert result.LongitudinalTemporalInformationModified == "REMOVED"


def test_the_date_of_birth_never_moves_it_goes():
    assert read(ct(PatientBirthDate="19410317"), *ALL).PatientBirthDate == ""


def test_a_calibration_date_goes_even_where_the_device_is_known():
    result = read(ct(DateOfLastCalibration="20260113", DeviceSerialNumber="4711"), "device_identity")

    assert "DateOfLastCalibration" not in result
    assert result.DeviceSerialNumber == "4711"


# Types of IODs ---------------------------------------------------------------------------------


def test_what_an_iod_requires_becomes_a_dummy_what_it_does_not_goes():
    plain = read(ct(AcquisitionDateTime="20260114101533", StationName="CT03"))
    enhanced = read(ct(SOPClassUID=EnhancedCTImageStorage, AcquisitionDateTime="20260114101533"))

    assert "AcquisitionDateTime" not in plain  # type 3 in a CT image
    assert "StationName" not in plain
    assert enhanced.AcquisitionDateTime == "19000101000000"  # type 1C in an enhanced one


# People ----------------------------------------------------------------------------------------


def test_the_patient_becomes_a_pseudonym_that_stays_the_same():
    one, other = read(ct(PatientName="A^B")), read(ct(PatientName="C^D", IssuerOfPatientID="clinic"))

    assert one.PatientID == one.PatientName == KEYS.subject("NH-20931")
    assert other.PatientID == KEYS.subject("NH-20931", "clinic") != one.PatientID
    assert "IssuerOfPatientID" not in other


@pytest.mark.parametrize(
    ("age", "kept"),
    [("061Y", "061Y"), ("089Y", "089Y"), ("090Y", "090Y"), ("104Y", "090Y"), ("018M", "018M"), ("old", "")],
)
def test_ages_stay_with_their_option_and_end_at_ninety(age, kept):
    file = ct(PatientAge="061Y").replace(b"061Y", age.encode().ljust(4)[:4])

    assert read(file, "patient_characteristics").PatientAge == kept
    assert "PatientAge" not in read(file)


def test_sex_height_and_weight_stay_only_with_their_option():
    file = ct(PatientWeight="71", PatientSize="1.68")

    kept = read(file, "patient_characteristics")
    assert (kept.PatientSex, kept.PatientWeight, kept.PatientSize) == ("F", 71, 1.68)
    gone = read(file)
    assert gone.PatientSex == ""
    assert "PatientWeight" not in gone
    assert "PatientSize" not in gone


def test_a_name_in_letters_of_another_alphabet_goes_from_descriptions_as_well():
    dataset = header(SpecificCharacterSet="ISO_IR 192", PatientName="Иванова^Анна=Ivanova^Anna")
    dataset.StudyDescription = "CT chest Иванова"
    dataset.SeriesDescription = "Ivanova axial"

    result = done(part_10(dataset), Profile.of(["clean_descriptors"]))

    assert "Иванова".encode() not in result
    assert b"vanova" not in result
    read_back = pydicom.dcmread(io.BytesIO(result))
    assert (read_back.StudyDescription, read_back.SeriesDescription) == ("CT chest", "axial")


def test_a_name_in_a_harmless_text_goes_and_the_rest_of_the_text_stays():
    result = read(ct(PatientName="Kowalczyk^B", ManufacturerModelName="Kowalczyk scanner 64"))

    assert result.ManufacturerModelName == "scanner 64"
    assert read(ct(ManufacturerModelName="Somatom Force")).ManufacturerModelName == "Somatom Force"


# UIDs ------------------------------------------------------------------------------------------


def test_uids_are_replaced_everywhere_alike_and_those_of_the_standard_stay():
    study, image = generate_uid(), generate_uid()
    reference = item(ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.2", ReferencedSOPInstanceUID=image)
    file = ct(
        StudyInstanceUID=study,
        SOPInstanceUID=image,
        FrameOfReferenceUID="1.2.840.10008.1.4.1.1",
        SourceImageSequence=Sequence([reference]),
        RelatedSeriesSequence=Sequence([item(StudyInstanceUID=study, SeriesInstanceUID=generate_uid())]),
    )
    result = read(file)

    assert result.StudyInstanceUID == KEYS.uid(study) == result.RelatedSeriesSequence[0].StudyInstanceUID
    assert result.file_meta.MediaStorageSOPInstanceUID == result.SOPInstanceUID == KEYS.uid(image)
    source = result.SourceImageSequence[0]
    assert source.ReferencedSOPInstanceUID == result.SOPInstanceUID
    assert source.ReferencedSOPClassUID == result.SOPClassUID == "1.2.840.10008.5.1.4.1.1.2"
    assert result.FrameOfReferenceUID == "1.2.840.10008.1.4.1.1"
    assert study.encode() not in done(file)
    assert image.encode() not in done(file)


# Private, unknown and bulky ----------------------------------------------------------------------


def test_private_attributes_go_and_safe_ones_stay_with_their_option():
    dataset = header()
    siemens = dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    siemens.add_new(0x0C, "IS", "800")
    siemens.add_new(0x0B, "LO", "not on the list")
    dataset.private_block(0x0019, "SOMEBODY ELSE", create=True).add_new(0x0C, "IS", "900")
    file = part_10(dataset)

    assert not [element for element in read(file) if element.tag.is_private]
    kept = read(file, "safe_private")
    assert [(element.tag, element.value) for element in kept if element.tag.is_private] == [
        (0x00190010, "SIEMENS MR HEADER"),
        (0x0019100C, 800),
    ]


def test_regions_in_overlays_stay_with_their_option_drawn_graphics_never():
    dataset = header()
    for group, kind in ((0x6000, "R"), (0x6002, "G")):
        dataset.add_new(group << 16 | 0x0010, "US", 4)
        dataset.add_new(group << 16 | 0x0011, "US", 4)
        dataset.add_new(group << 16 | 0x0022, "LO", "by Dr Kildare")
        dataset.add_new(group << 16 | 0x0040, "CS", kind)
        dataset.add_new(group << 16 | 0x3000, "OW", b"\xff\x0f")
    file = part_10(dataset)

    kept = read(file, "clean_graphics")
    assert [element.tag for element in kept if element.tag.group >= 0x6000] == [
        0x60000010,
        0x60000011,
        0x60000040,
        0x60003000,
    ]
    assert not [element for element in read(file) if element.tag.group >= 0x6000]


def test_group_lengths_and_commands_within_a_data_set_go():
    file = ct(PatientName="A^B")
    at = file.index(b"\x08\x00\x05\x00") if b"\x08\x00\x05\x00" in file else file.index(b"\x08\x00\x16\x00")
    stuffed = file[:at] + b"\x08\x00\x00\x00UL\x04\x00\x10\x00\x00\x00" + file[at:]

    assert 0x00080000 not in read(stuffed)


def test_a_report_without_the_option_keeps_one_line_that_says_so():
    content = item(RelationshipType="CONTAINS", ValueType="TEXT", TextValue="seen by Dr Kildare")
    result = read(ct(SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11", ContentSequence=Sequence([content])))

    assert [line.TextValue for line in result.ContentSequence] == ["Removed"]


# What is said about it ---------------------------------------------------------------------------


def test_codes_of_cid_7050_say_what_was_done():
    result = read(ct(DeidentificationMethod="by hand, by Dr Kildare"), *ALL)

    codes = [code.CodeValue for code in result.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113103", "113104", "113105", "113107", "113108", "113109", "113111"]
    assert {code.CodingSchemeDesignator for code in result.DeidentificationMethodCodeSequence} == {"DCM"}
    assert result.PatientIdentityRemoved == "YES"
    assert result.DeidentificationMethod == "PS3.15 Annex E, 2025a, with rows added until 2026c"


def test_clean_pixels_and_clean_faces_are_never_claimed():
    for options in ([], ALL):
        codes = {code.CodeValue for code in read(ct(), *options).DeidentificationMethodCodeSequence}
        assert not codes & {"113101", "113102"}


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"BodyPartExamined": "HEAD"}, "YES"),
        (
            {"StudyDescription": "MRT Schädel nativ", "Modality": "MR", "SpecificCharacterSet": "ISO_IR 100"},
            "YES",
        ),
        ({"SeriesDescription": "PET whole body", "Modality": "PT"}, "YES"),
        ({"BodyPartExamined": "CHEST"}, None),
        ({"BodyPartExamined": "HEAD", "Modality": "US"}, None),
        ({"BodyPartExamined": "HEAD", "RecognizableVisualFeatures": "NO"}, "NO"),
    ],
)
def test_images_that_may_show_a_face_are_flagged(attributes, said):
    assert read(ct(**attributes)).get("RecognizableVisualFeatures") == said


# What is refused -----------------------------------------------------------------------------------


def test_documents_in_dicom_are_refused():
    file = ct(SOPClassUID=EncapsulatedPDFStorage, EncapsulatedDocument=b"%PDF-1.7 of Mrs Kowalczyk ")

    with pytest.raises(Refused, match="document") as refusal:
        done(file)
    assert "Kowalczyk" not in str(refusal.value)


def test_a_file_without_a_patient_is_refused():
    with pytest.raises(Refused, match="no Patient ID"):
        done(ct(PatientID=None))


def test_a_header_that_breaks_off_is_refused():
    file = ct()
    with pytest.raises(Unreadable, match="ends in the middle"):
        done(file[:-3])


def test_sequences_nested_too_deeply_are_refused():
    deepest = item(PatientName="A^B")
    for _ in range(40):
        deepest = item(RelatedSeriesSequence=Sequence([deepest]))
    dataset = header(RelatedSeriesSequence=deepest.RelatedSeriesSequence)

    with pytest.raises(Unreadable, match="32 sequences"):
        done(part_10(dataset))


# Encodings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("is_open", [True, False], ids=["undefined length", "defined length"])
def test_sequences_are_rewritten_in_the_encoding_of_their_file(syntax, is_open):
    image = generate_uid()
    inner = item(ReferencedSOPInstanceUID=image, ReferencedSOPClassUID="1.2.840.10008.5.1.4.1.1.2")
    inner.is_undefined_length_sequence_item = is_open
    dataset = header(
        ReferencedSeriesSequence=Sequence([item(ReferencedInstanceSequence=Sequence([inner, inner]))])
    )
    dataset["ReferencedSeriesSequence"].is_undefined_length = is_open
    dataset.ReferencedSeriesSequence[0]["ReferencedInstanceSequence"].is_undefined_length = is_open

    result = read(part_10(dataset, syntax=syntax))

    assert result.file_meta.TransferSyntaxUID == syntax
    found = result.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    assert [one.ReferencedSOPInstanceUID for one in found] == [KEYS.uid(image)] * 2


# Bytes behind the last frame ---------------------------------------------------------------------


def with_pixels(surplus: bytes, frames: int = 1, **attributes) -> bytes:
    """A CT image of 6 by 8 pixels of 16 bits, with so much behind its last frame."""
    made = header(**attributes)
    made.Rows, made.Columns, made.BitsAllocated, made.SamplesPerPixel = 6, 8, 16, 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.add_new(0x7FE00010, "OW", bytes(range(96)) * frames + surplus)
    return part_10(made)


@pytest.mark.parametrize("surplus", [b"Kowalczyk^Bo", b"\0\0"])
def test_bytes_behind_the_last_frame_go(surplus):
    result = deidentify(io.BytesIO(with_pixels(surplus)), Profile(), KEYS)
    file = whole(result)
    assert surplus not in file[-20:]
    assert pydicom.dcmread(io.BytesIO(file)).PixelData == bytes(range(96))
    again = read_header(io.BytesIO(file))
    assert (again.pixel_length, again.size) == (96, len(file))
    assert (result.header.pixel_length, result.header.size) == (96, len(file))


def test_as_much_as_a_frame_too_many_is_refused_not_thrown_away():
    with pytest.raises(Refused, match="96 bytes longer than rows"):
        done(with_pixels(b"", frames=2))
    assert read(with_pixels(b"", frames=2, NumberOfFrames=2)).PixelData == bytes(range(96)) * 2


@pytest.mark.parametrize("rows", [0, 60])
def test_pixels_of_unknown_or_missing_length_stay_as_they_are(rows):
    made = pydicom.dcmread(io.BytesIO(with_pixels(b"")))
    made.Rows = rows
    assert pydicom.dcmread(io.BytesIO(done(part_10(made)))).PixelData == bytes(range(96))


def test_what_is_explained_is_what_is_done_and_only_then_collected():
    file = ct(PatientName="Kowalczyk^B", StationName="CT03", OperatorsName="X^Y")
    result = deidentify(io.BytesIO(file), Profile.of(["clean_descriptors"]), KEYS, explain=True)
    told = {change.keyword: change for change in result.changes}

    assert whole(result) == done(file, Profile.of(["clean_descriptors"]))
    assert (told["PatientName"].action, told["PatientName"].before) == ("changed", "Kowalczyk^B")
    assert told["PatientName"].after == KEYS.subject("NH-20931")
    assert told["StationName"].action == "removed"
    assert told["StudyDate"].action == "emptied"
    assert told["Modality"].action == "kept"
    assert told["PatientIdentityRemoved"].action == "added"
    assert deidentify(io.BytesIO(file), Profile(), KEYS).changes == []


def test_of_many_items_the_first_few_are_explained_and_the_others_counted():
    frames = [item(StationName=f"CT{number}", ReferencedFrameNumber=1) for number in range(10_000)]
    file = ct(PerFrameFunctionalGroupsSequence=Sequence(frames))
    result = deidentify(io.BytesIO(file), Profile(), KEYS, explain=True)
    assert whole(result) == done(file)
    frames_told = [one for one in result.changes if one.path.startswith("52009230")]
    assert [one.path for one in frames_told[:2]] == ["52009230", "52009230[1].00081010"]
    assert len(frames_told) == 1 + 5 * 2 + 2
    assert [(one.path, one.action, one.after, one.count) for one in frames_told[-2:]] == [
        ("52009230", "removed", "9,995 more attributes, in items 6 to 10,000", 9995),
        ("52009230", "kept", "9,995 more attributes, in items 6 to 10,000", 9995),
    ]
    assert result.changes[-1].action == "added"


def test_an_explanation_ends_after_so_many_lines(monkeypatch):
    file = ct(StationName="CT03")
    told = deidentify(io.BytesIO(file), Profile(), KEYS, explain=True).changes
    monkeypatch.setattr(explaining, "LINES_MAX", 6)
    short = deidentify(io.BytesIO(file), Profile(), KEYS, explain=True).changes
    assert short[:6] == told[:6]
    assert sum(one.count for one in short) == len(told)
    assert len(short) < len(told)


def test_the_header_that_comes_back_is_the_one_that_would_be_read():
    result = deidentify(io.BytesIO(ct(PatientName="A^B", StudyDescription="CT chest")), Profile(), KEYS)

    again = read_header(io.BytesIO(whole(result)))
    assert again.dataset.keys() == result.header.dataset.keys()
    assert all(again.dataset[tag] == result.header.dataset[tag] for tag in again.dataset.keys())  # noqa: SIM118


# Keys and profiles -----------------------------------------------------------------------------------


def test_a_secret_that_is_too_short_and_an_option_that_is_none_are_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        Keys(b"short")
    with pytest.raises(ValueError, match="no de-identification option"):
        Profile.of(["dates", "everything"])


def test_shifts_are_never_nothing_and_differ_between_patients():
    shifts = [KEYS.shift_days(f"patient {number}") for number in range(500)]

    assert all(-3652 <= days <= -1 for days in shifts)
    assert len(set(shifts)) > 400


def test_new_uids_are_uuids_in_the_form_of_the_standard():
    for number in range(200):
        uid = KEYS.uid(f"1.2.3.{number}")
        assert uid.startswith("2.25.")
        assert len(uid) <= 64
        assert (int(uid[5:]) >> 76) & 0xF == 8  # RFC 9562: a version of one's own


def test_a_name_in_a_code_string_takes_the_attribute_with_it():
    result = read(ct(PatientName="Kowalczyk^B", BodyPartExamined="KOWALCZYK", PatientPosition="HFS"))

    assert "BodyPartExamined" not in result
    assert result.PatientPosition == "HFS"
