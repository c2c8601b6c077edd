"""The measures of agreement, computed by others: SimpleITK here, MONAI in a Python of its own."""
