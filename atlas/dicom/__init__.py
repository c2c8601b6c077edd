"""DICOM without Django: headers, geometry, frames, quality."""
