"""The images: DICOM in, studies indexed, frames and manifests out, to those who may see them."""
