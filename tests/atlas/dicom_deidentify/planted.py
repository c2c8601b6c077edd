"""A CT, a segmentation and a report of one patient, with that identity in every place that hides one."""

import io

import highdicom as hd
import numpy as np
import pydicom
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from tests.atlas.slices import header

PATIENT_ID = "MRN-7718204"
ORGANISATION_ROOT = "1.2.826.0.1.3680043.7718204"  # UIDs that carry the patient's number

# What no de-identified file may hold, in capitals and small letters.
IDENTIFIERS = {
    "name": "Kowalczyk^Bronislava",
    "other name": "Featherstonehaugh",
    "mother's name": "Wojciechowska",
    "patient number": PATIENT_ID,
    "number at another hospital": "HOSP-99310",
    "issuer": "St-Dymphna-Registry",
    "accession number": "ACC-551-2207",
    "date of birth": "19410317",
    "date of the study": "20260114",
    "moment of the acquisition": "20260114101533",
    "address": "14 Quillback Crescent",
    "telephone": "+49 89 5550147",
    "referring physician": "Ostrowski^Maurycy",
    "physician in a sequence": "Vandermolen^Aleida",
    "operator": "Nakagawara^Emiko",
    "institution": "Saint Dymphna Infirmary",
    "station": "DYMPHCT03",
    "study description": "CT chest of Mrs Kowalczyk",
    "comment": "daughter Ludmila 0171 2223344",
    "history": "treated by Prof Zanderbergen in Utrecht",
    "request": "asked by ward Buttercup-9",
    "private text": "PRIV Przybylski",
    "private sequence": "PRIVSEQ Abendroth",
    "private bytes": "PRIVBIN Lilienthal",
    "unknown public attribute": "UNKNOWN Rotherham",
    "group that may not be": "ODDGROUP Pemberton",
    "curve": "CURVE Szczepanski",
    "overlay bits": "OVERLAYBITS Tillingham",
    "overlay comment": "OVERLAYTEXT Marchbanks",
    "overlay label": "OVERLAYNAME Oyelaran",
    "icon": "ICON Petrosyan",
    "original attributes": "ORIGINAL Delacroix-Ndiaye",
    "preamble": "PREAMBLE Hawksworth",
    "file meta": "METAAE_KOLCHAK",
    "private file meta": "METAPRIV Isakovic",
    "behind the pixels": "TRAILER Quarrington",
    "sequence written as UN": "UNSEQ Brzezinski",
    "harmless attribute": "Model KOWALCZYK special",
    "signature": "CERT Montefiore",
    "address of a server": "https://pacs.dymphna.example/7718204",
    "unique identifier": ORGANISATION_ROOT,
    "age": "093Y",
}

# Words that must not survive in any combination.
WORDS = sorted(
    {
        word.casefold()
        for text in IDENTIFIERS.values()
        for word in text.replace("^", " ").split()
        if len(word) > 5 and word.casefold() not in {"special", "treated", "daughter", "chest"}
    }
    | {"7718204", "ludmila"}
)


def survivors(content: bytes) -> list[str]:
    """The identifiers and their words that a file still holds, in any letters."""
    lowered = content.lower()
    kept = [name for name, text in IDENTIFIERS.items() if text.encode().lower() in lowered]
    return kept + [word for word in WORDS if word.encode() in lowered]


def uid(number: int) -> str:
    return f"{ORGANISATION_ROOT}.{number}"


def _item(**attributes: object) -> Dataset:
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


def ct(number: int = 1) -> Dataset:
    """One slice. Everything of IDENTIFIERS but preamble, file meta and bytes behind the pixels is in it."""
    told = IDENTIFIERS
    dataset = header(
        SOPInstanceUID=uid(100 + number),
        StudyInstanceUID=uid(1),
        SeriesInstanceUID=uid(2),
        FrameOfReferenceUID=uid(3),
        InstanceNumber=number,
        ImagePositionPatient=[0, 0, 2.0 * number],
        PatientID=told["patient number"],
        PatientName=told["name"],
        OtherPatientNames=told["other name"],
        PatientMotherBirthName=told["mother's name"],
        OtherPatientIDs=told["number at another hospital"],
        IssuerOfPatientID=told["issuer"],
        AccessionNumber=told["accession number"],
        PatientBirthDate=told["date of birth"],
        StudyDate=told["date of the study"],
        AcquisitionDateTime=told["moment of the acquisition"] + ".25+0100",
        PatientAddress=told["address"],
        PatientTelephoneNumbers=told["telephone"],
        ReferringPhysicianName=told["referring physician"],
        OperatorsName=told["operator"],
        InstitutionName=told["institution"],
        StationName=told["station"],
        StudyDescription=told["study description"],
        SeriesDescription=f"Axial {told['patient number']} thorax",
        ImageComments=told["comment"],
        AdditionalPatientHistory=told["history"],
        RequestedProcedureDescription=told["request"],
        ManufacturerModelName=told["harmless attribute"],
        RetrieveURL=told["address of a server"],
        PatientAge=told["age"],
        StudyID="",
        SliceThickness=2.0,
        Manufacturer="Scanner Works",
        PositionReferenceIndicator="",
        SoftwareVersions="4.1",
    )
    dataset.RequestAttributesSequence = Sequence(
        [
            _item(
                ScheduledProcedureStepDescription=told["request"], RequestedProcedureID=told["patient number"]
            )
        ]
    )
    dataset.ReferringPhysicianIdentificationSequence = Sequence(
        [_item(InstitutionName=told["institution"], PersonName=told["physician in a sequence"])]
    )
    dataset.ReferencedStudySequence = Sequence(
        [_item(ReferencedSOPClassUID="1.2.840.10008.3.1.2.3.1", ReferencedSOPInstanceUID=uid(1))]
    )
    dataset.IconImageSequence = Sequence(
        [_item(Rows=8, Columns=8, BitsAllocated=8, PixelData=told["icon"].ljust(64).encode())]
    )
    dataset.IconImageSequence[0]["PixelData"].VR = "OB"
    dataset.OriginalAttributesSequence = Sequence(
        [
            _item(
                AttributeModificationDateTime=told["moment of the acquisition"],
                ModifiedAttributesSequence=Sequence([_item(PatientName=told["original attributes"])]),
            )
        ]
    )
    private = dataset.private_block(0x0029, "SOMEBODY'S SCANNER", create=True)
    private.add_new(0x01, "LO", told["private text"])
    private.add_new(0x02, "SQ", Sequence([_item(PatientName=told["private sequence"])]))
    private.add_new(0x03, "OB", told["private bytes"].ljust(20).encode())
    for tag, vr, key in (
        (0x0018FFF1, "LO", "unknown public attribute"),
        (0x00070010, "LO", "group that may not be"),
        (0x50003000, "OB", "curve"),
        (0x60004000, "LT", "overlay comment"),
        (0x60001500, "LO", "overlay label"),
        (0x60003000, "OB", "overlay bits"),
        (0x04000115, "OB", "signature"),
    ):
        text = told[key]
        dataset.add(
            DataElement(tag, vr, text.ljust(len(text) + len(text) % 2).encode() if vr == "OB" else text)
        )
    dataset.add_new(0x60000010, "US", 8)
    dataset.add_new(0x60000011, "US", 8)
    dataset.add_new(0x60000040, "CS", "G")
    array = np.arange(16 * 16, dtype=np.uint16).reshape(16, 16) + number
    dataset.Rows, dataset.Columns = array.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation = 15, 0
    dataset.PixelData = array.tobytes()
    dataset["PixelData"].VR = "OW"
    return dataset


def ct_file(number: int = 1, syntax: str = ExplicitVRLittleEndian) -> bytes:
    dataset = ct(number)
    told = IDENTIFIERS
    trailer = told["behind the pixels"].encode()
    dataset.add_new(0xFFFCFFFC, "OB", trailer + b" " * (len(trailer) % 2))
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.SourceApplicationEntityTitle = told["file meta"]
    meta.PrivateInformationCreatorUID = uid(9)
    private = told["private file meta"].encode()
    meta.PrivateInformation = private + b" " * (len(private) % 2)
    dataset.file_meta = meta
    dataset.preamble = told["preamble"].encode().ljust(128, b"\0")
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return _with_sequence_written_as_un(buffer.getvalue(), syntax)


def _with_sequence_written_as_un(file: bytes, syntax: str) -> bytes:
    """A sequence of the standard whose writer knew no better VR: implicit little endian inside (PS3.5 6.2.2).

    pydicom would give it its VR back, so it is put in by hand, before Operators' Name.
    """
    if syntax != ExplicitVRLittleEndian:
        return file
    name = IDENTIFIERS["sequence written as UN"].encode()
    name += b" " * (len(name) % 2)
    item = b"\x40\x00\x23\xa1" + len(name).to_bytes(4, "little") + name
    value = b"\xfe\xff\x00\xe0" + len(item).to_bytes(4, "little") + item
    element = b"\x08\x00\x49\x10UN\0\0" + len(value).to_bytes(4, "little") + value
    at = file.index(b"\x08\x00\x70\x10PN")
    return file[:at] + element + file[at:]


def read_ct(number: int) -> Dataset:
    """As highdicom wants its sources: read from a file."""
    return pydicom.dcmread(io.BytesIO(ct_file(number)))


def seg_file() -> bytes:
    """Two slices, two segments, made by highdicom from the same patient's images."""
    told = IDENTIFIERS
    masks = np.zeros((2, 16, 16, 2), dtype=np.uint8)
    masks[:, 2:6, 3:9, 0] = 1
    masks[:, 9:12, 4:6, 1] = 1
    algorithm = hd.AlgorithmIdentificationSequence("drawn", codes.DCM.ManualProcessing, "1")
    described = [
        hd.seg.SegmentDescription(
            number,
            f"{told['name'].split('^')[0]} lesion {number}",
            codes.SCT.MorphologicallyAbnormalStructure,
            codes.SCT.Mass,
            hd.seg.SegmentAlgorithmTypeValues.AUTOMATIC,
            algorithm,
            tracking_uid=uid(50 + number),
            tracking_id=f"{told['patient number']} lesion {number}",
        )
        for number in (1, 2)
    ]
    seg = hd.seg.Segmentation(
        [read_ct(1), read_ct(2)],
        masks,
        hd.seg.SegmentationTypeValues.BINARY,
        described,
        uid(20),
        300,
        uid(21),
        1,
        "Scanner Works",
        "Reader",
        "1",
        told["patient number"],
        content_creator_name=told["operator"],
        content_description=told["study description"],
    )
    seg.ClinicalTrialSubjectID = told["number at another hospital"]
    buffer = io.BytesIO()
    seg.save_as(buffer)
    return buffer.getvalue()


def sr_file() -> bytes:
    """A measurement report (TID 1500) on the first slice, read by a person with a name."""
    told = IDENTIFIERS
    observer = hd.sr.ObserverContext(
        codes.DCM.Person,
        hd.sr.PersonObserverIdentifyingAttributes(
            told["referring physician"], organization_name=told["institution"]
        ),
    )
    source = read_ct(1)
    group = hd.sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=hd.sr.TrackingIdentifier(uid(51), f"{told['patient number']} lesion 1"),
        referenced_region=hd.sr.ImageRegion(
            hd.sr.GraphicTypeValues.POLYLINE,
            np.array([[2.0, 3.0], [8.0, 3.0], [8.0, 6.0], [2.0, 3.0]]),
            hd.sr.SourceImageForRegion.from_source_image(source),
        ),
        finding_type=codes.SCT.Mass,
        measurements=[hd.sr.Measurement(codes.SCT.Diameter, 12.5, codes.UCUM.Millimeter)],
    )
    measured = hd.sr.MeasurementReport(
        hd.sr.ObservationContext(observer_person_context=observer), codes.LN.CTUnspecifiedBodyRegion, [group]
    )
    sr = hd.sr.Comprehensive3DSR(
        [source],
        measured[0],
        uid(30),
        400,
        uid(31),
        1,
        manufacturer="Scanner Works",
        is_complete=True,
        is_verified=True,
        verifying_observer_name=told["physician in a sequence"],
        verifying_organization=told["institution"],
        institution_name=told["institution"],
    )
    buffer = io.BytesIO()
    sr.save_as(buffer)
    buffer.seek(0)
    report = pydicom.dcmread(buffer)  # highdicom's sequences take no careless items
    report.ContentSequence.extend(_about_the_subject())
    buffer = io.BytesIO()
    report.save_as(buffer)
    return buffer.getvalue()


def _about_the_subject() -> list[Dataset]:
    """Content items of TID 1007, as careless report writers leave them in, and a comment."""
    told = IDENTIFIERS

    def item(kind: str, code: str, meaning: str, **value: object) -> Dataset:
        concept = Sequence([hd.sr.CodedConcept(code, "DCM", meaning)])
        return _item(RelationshipType="CONTAINS", ValueType=kind, ConceptNameCodeSequence=concept, **value)

    return [
        item("PNAME", "121029", "Subject Name", PersonName=told["name"]),
        item("TEXT", "121030", "Subject ID", TextValue=told["patient number"]),
        item("DATE", "121031", "Subject Birth Date", Date=told["date of birth"]),
        item("TEXT", "121106", "Comment", TextValue=f"{told['comment']}, lesion in the left lung"),
        item("UIDREF", "121018", "Procedure Study Instance UID", UID=uid(1)),
    ]
