"""The walker over elements sees what pydicom sees, byte by byte."""

import io
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.filereader import data_element_generator
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from atlas.dicom.elements import CutOff, every
from atlas.dicom.parts import take_apart
from tests.atlas.slices import header, part_10

REFUSED = {"rtplan_truncated.dcm", "no_meta.dcm"}  # cut off; nothing tells that it is DICOM
FILES = sorted(
    path
    for path in Path(pydicom.data.__file__).parent.joinpath("test_files").glob("*.dcm")
    if path.name not in REFUSED
)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_elements_are_where_pydicom_finds_them(path):
    parts = take_apart(io.BytesIO(path.read_bytes()))
    stream = io.BytesIO(parts.buffer)
    expected = [
        int(element.tag)
        for element in data_element_generator(stream, not parts.encoding.explicit, parts.encoding.little)
    ]

    assert [element[0] for element in parts.elements] == expected
    assert parts.elements[-1][4] == len(parts.buffer)
    for before, after in zip(parts.elements, parts.elements[1:], strict=False):
        assert before[4] == after[2]  # nothing lies between them


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("is_open", [True, False], ids=["undefined lengths", "defined lengths"])
def test_nested_elements_are_reached_with_their_depth(syntax, is_open):
    innermost, middle = Dataset(), Dataset()
    innermost.PatientName = "deep"
    innermost.is_undefined_length_sequence_item = is_open
    middle.ReferencedInstanceSequence = Sequence([innermost, innermost])
    middle["ReferencedInstanceSequence"].is_undefined_length = is_open
    dataset = header(ReferencedSeriesSequence=Sequence([middle]))
    dataset["ReferencedSeriesSequence"].is_undefined_length = is_open
    parts = take_apart(io.BytesIO(part_10(dataset, syntax=syntax)))

    found = [
        (parts.buffer[element[3] : element[4]], depth)
        for element, depth in every(parts.buffer, parts.elements, parts.encoding)
        if element[0] == 0x00100010
    ]
    assert found == [(b"deep", 2), (b"deep", 2)]


def test_a_header_larger_than_what_is_read_at_first_is_read_whole():
    dataset = header(ImageComments="x" * 9000, AdditionalPatientHistory="y" * 9000)
    for number in range(40):
        dataset.add_new(0x00091010 + number, "UN", bytes(3000))
    parts = take_apart(io.BytesIO(part_10(dataset)))

    assert len(parts.buffer) > 120_000
    assert parts.elements[-1][0] == 0x00281053


def test_an_item_that_passes_its_sequence_is_told():
    reference = Dataset()
    reference.PatientName = "somebody"
    file = bytearray(part_10(header(ReferencedStudySequence=Sequence([reference]))))
    at = file.index(b"\xfe\xff\x00\xe0")
    file[at + 4] += 40
    parts = take_apart(io.BytesIO(bytes(file)))

    with pytest.raises(CutOff):
        list(every(parts.buffer, parts.elements, parts.encoding))
