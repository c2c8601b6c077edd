"""Reads everything before the pixels of a Part 10 file, from a file that may be broken or hostile.

Only the attributes named below are read, the rest is skipped, so memory and time do not follow what a
sender put into private or bulky attributes.
"""

import io
import tempfile
import warnings
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Literal

import pydicom
import pydicom.config
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import _read_file_meta_info, read_preamble
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID

from atlas.dicom import values

# Values are checked by `values`, one by one; pydicom's own warnings would only cost time.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
warnings.filterwarnings("ignore", category=UserWarning, module="pydicom")

IMPLICIT_LITTLE = "1.2.840.10008.1.2"
EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
EXPLICIT_BIG = "1.2.840.10008.1.2.2"
MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"

PREFIX_BYTES = 132  # preamble and "DICM"
INFLATED_BYTES_MAX = 1024 * 1024 * 1024  # a deflated data set may not grow beyond this
SPOOL_BYTES = 16 * 1024 * 1024  # held in memory up to here, in a temporary file beyond

_READ = """
SpecificCharacterSet ImageType SOPClassUID SOPInstanceUID StudyDate SeriesDate AcquisitionDate ContentDate
AcquisitionDateTime StudyTime SeriesTime AcquisitionTime ContentTime Modality StudyDescription
SeriesDescription PatientID PatientSex PatientAge PatientWeight BodyPartExamined
StudyInstanceUID SeriesInstanceUID StudyID AccessionNumber SeriesNumber AcquisitionNumber InstanceNumber
ImagePositionPatient ImageOrientationPatient PatientOrientation FrameOfReferenceUID Laterality ImageLaterality
TemporalPositionIdentifier TriggerTime EchoTime InversionTime DiffusionBValue GantryDetectorTilt
NumberOfFrames Rows Columns SamplesPerPixel PhotometricInterpretation PlanarConfiguration
BitsAllocated BitsStored HighBit PixelRepresentation PixelSpacing ImagerPixelSpacing
PixelSpacingCalibrationType EstimatedRadiographicMagnificationFactor
DistanceSourceToDetector DistanceSourceToPatient SequenceOfUltrasoundRegions ViewPosition ViewCodeSequence
FrameTime CineRate RecommendedDisplayFrameRate
WindowCenter WindowWidth RescaleIntercept RescaleSlope RescaleType
ModalityLUTSequence VOILUTSequence LossyImageCompression BurnedInAnnotation ConversionType
RedPaletteColorLookupTableDescriptor GreenPaletteColorLookupTableDescriptor
BluePaletteColorLookupTableDescriptor RedPaletteColorLookupTableData GreenPaletteColorLookupTableData
BluePaletteColorLookupTableData SegmentedRedPaletteColorLookupTableData
SegmentedGreenPaletteColorLookupTableData SegmentedBluePaletteColorLookupTableData
Units SUVType CorrectedImage DecayCorrection RadiopharmaceuticalInformationSequence
ExtendedOffsetTable ExtendedOffsetTableLengths Manufacturer ManufacturerModelName SliceThickness
SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence
"""
TAGS: list[int] = [tag for keyword in _READ.split() if (tag := tag_for_keyword(keyword))]
PIXEL_KEYWORDS = {0x7FE00010: "PixelData", 0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData"}
UNDEFINED_LENGTH = 0xFFFFFFFF
_LONG_VRS = {b"OB", b"OW", b"OF", b"OD", b"UN", b"OL", b"OV"}


class NotDicom(Exception):
    """The file is something else. The message is a sentence for whoever sent it."""


class Unreadable(Exception):
    """The file says it is DICOM and can't be read. The message is a sentence for whoever sent it."""


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the pixels, and where the pixels are.

    `pixel_offset` and `pixel_length` are bytes from the start of the file to the value of the pixel
    attribute, and its length; the length is None for encapsulated pixels (undefined length). For a
    deflated file they count in the inflated one. `pixel_keyword` is "" where there are no pixels;
    `pixel_vr` is "OW" or "OB" (which matters for big endian).
    `body_offset` is where the data set begins; `meta_is_whole` tells whether what stands before it may be
    kept.
    """

    dataset: Dataset
    transfer_syntax_uid: str
    size: int
    pixel_keyword: str
    pixel_vr: str
    pixel_offset: int
    pixel_length: int | None
    body_offset: int
    meta_is_whole: bool

    def part_10_prefix(self, original: bytes) -> bytes:
        """What to store before the data set: an empty preamble (a preamble may hide a program) and the
        file meta information, made anew where the sender left it out. `original` is the file's first
        `body_offset` bytes."""
        if self.meta_is_whole:
            return bytes(128) + original[128:]
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = UID(values.uid(self.dataset, "SOPClassUID"))
        meta.MediaStorageSOPInstanceUID = UID(values.uid(self.dataset, "SOPInstanceUID"))
        meta.TransferSyntaxUID = UID(self.transfer_syntax_uid)
        buffer = io.BytesIO()
        buffer.write(bytes(128) + b"DICM")
        write_file_meta_info(buffer, meta, enforce_standard=True)  # type: ignore[arg-type]
        return buffer.getvalue()


def looks_like_dicom(start: bytes) -> bool:
    """Whether a file with these first bytes (132 are enough) may be DICOM, with or without preamble."""
    if start[128:132] == b"DICM":
        return True
    # Without preamble the file begins with an element of group 2 or 8: number 0 to 0x70, then a VR or length.
    return start[:2] in (b"\x02\x00", b"\x08\x00", b"\x00\x08") and (
        (start[3:4] == b"\x00" or start[2:3] == b"\x00") and len(start) > 8
    )


def require_dicom(file: BinaryIO) -> None:
    """Raises NotDicom where a seekable file's first bytes are something else's."""
    file.seek(0)
    start = file.read(PREFIX_BYTES)
    if not start:
        raise NotDicom("The file is empty.")
    if not looks_like_dicom(start):
        raise NotDicom("This is not a DICOM file.")


def require_no_directory(sop_class_uid: str) -> None:
    """Raises NotDicom for the file meta information of a table of contents."""
    if sop_class_uid == MEDIA_DIRECTORY:
        raise NotDicom("This is a DICOMDIR, a table of contents: it holds no image.")


def read_header(file: BinaryIO) -> Header:
    """Read a seekable file from its start. Raises NotDicom or Unreadable."""
    require_dicom(file)
    size = file.seek(0, io.SEEK_END)
    try:
        return _read(file, size)
    except (NotDicom, Unreadable):
        raise
    except Exception as error:  # a parser on hostile bytes may raise anything
        raise Unreadable(f"The header can't be read: {_short(error)}") from error


def _read(file: BinaryIO, size: int) -> Header:
    file.seek(0)
    read_preamble(file, force=True)
    meta = _read_file_meta_info(file)
    body_offset = file.tell()
    require_no_directory(values.uid(meta, "MediaStorageSOPClassUID"))
    named_syntax = values.uid(meta, "TransferSyntaxUID")
    has_preamble = _has_preamble(file)
    source = inflated(file) if named_syntax == DEFLATED else file
    source.seek(0)
    dataset = pydicom.dcmread(source, stop_before_pixels=True, specific_tags=TAGS, force=True)
    if len(dataset) == 0:
        raise Unreadable("The file holds none of the attributes that name a patient, a study or an image.")
    is_implicit, is_little = dataset.original_encoding
    guessed = IMPLICIT_LITTLE if is_implicit else EXPLICIT_LITTLE if is_little else EXPLICIT_BIG
    position = source.tell()
    keyword, vr, offset, length = _pixel_element(source, position, bool(is_implicit), bool(is_little))
    return Header(
        dataset=dataset,
        transfer_syntax_uid=named_syntax or guessed,
        size=size,
        pixel_keyword=keyword,
        pixel_vr=vr,
        pixel_offset=offset,
        pixel_length=length,
        body_offset=body_offset,
        meta_is_whole=bool(named_syntax) and has_preamble,
    )


def _has_preamble(file: BinaryIO) -> bool:
    file.seek(128)
    return file.read(4) == b"DICM"


def _pixel_element(
    file: BinaryIO, position: int, is_implicit: bool, is_little: bool
) -> tuple[str, str, int, int | None]:
    """(keyword, VR, offset of the value, its length or None) of the pixel attribute at `position`."""
    file.seek(position)
    head = file.read(12)
    order: Literal["little", "big"] = "little" if is_little else "big"
    if len(head) < 8:
        return "", "", 0, None
    tag = int.from_bytes(head[0:2], order) << 16 | int.from_bytes(head[2:4], order)
    if tag not in PIXEL_KEYWORDS:
        return "", "", 0, None
    if is_implicit or head[4:6] not in _LONG_VRS:  # some writers switch to implicit VR half-way
        vr, offset, length = "OW", position + 8, int.from_bytes(head[4:8], order)
    else:
        vr, offset, length = head[4:6].decode(), position + 12, int.from_bytes(head[8:12], order)
    return PIXEL_KEYWORDS[tag], vr, offset, None if length == UNDEFINED_LENGTH else length


def inflated(file: BinaryIO) -> BinaryIO:
    """A deflated Part 10 file (PS3.5 A.5) as the same file in Explicit VR Little Endian.

    Raises Unreadable where it would grow beyond INFLATED_BYTES_MAX.
    """
    file.seek(0)
    read_preamble(file, force=True)
    meta = _read_file_meta_info(file)
    meta.TransferSyntaxUID = UID(EXPLICIT_LITTLE)
    target: BinaryIO = tempfile.SpooledTemporaryFile(SPOOL_BYTES)  # type: ignore[assignment]  # noqa: SIM115
    target.write(bytes(128) + b"DICM")
    write_file_meta_info(target, meta, enforce_standard=False)  # type: ignore[arg-type]
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    total = 0
    while chunk := file.read(1024 * 1024):
        while chunk and not machine.eof:
            piece = machine.decompress(chunk, 4 * 1024 * 1024)
            chunk = machine.unconsumed_tail
            total += len(piece)
            if total > INFLATED_BYTES_MAX:
                raise Unreadable("The deflated data set grows beyond 1 GB; it was not read.")
            target.write(piece)
    target.write(machine.flush())
    target.seek(0)
    return target


def _short(error: Exception) -> str:
    """What a parser says, without control characters and within a line."""
    said = "".join(character if character.isprintable() else " " for character in str(error))
    return (said or type(error).__name__)[:160]
