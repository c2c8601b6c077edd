"""A release as a PyTorch Dataset. Needs the extra: pip install "atlas-client[torch]"."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from atlas_client.images import Image

try:
    import torch
except ImportError as error:  # pragma: no cover
    raise ImportError('PyTorch is not installed: pip install "atlas-client[torch]"') from error

if TYPE_CHECKING:
    from atlas_client.release import Release


class ReleaseDataset(torch.utils.data.Dataset):
    """One item an image: {"image": float32 (1, x, y, z), "mask": uint8 (labels, x, y, z), "affine": float64
    (4, 4) to RAS millimetres, "case": number, "name": of the series}.

    `labels` are the keys of the channels, by default all that are drawn as segments. Images differ in shape:
    bring them to one by `transform`, which gets the item, or use a batch of 1.
    """

    def __init__(
        self,
        release: "Release",
        part: str | None = None,
        *,
        labels: Sequence[str] | None = None,
        modality: str | None = None,
        reader: str | None = None,
        transform: Callable[[dict[str, Any]], Any] | None = None,
    ) -> None:
        drawn = [label["key"] for label in release.labels if "segment" in label.get("kinds", ["segment"])]
        self.labels = tuple(labels if labels is not None else drawn)
        self._reader, self._transform = reader, transform
        self._items = [
            (case, name)
            for case in release.cases(part)
            for name in case.series
            if modality in (None, name.partition("_")[0])
        ]

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> Any:
        case, name = self._items[index]
        image: Image = case.image(name)
        values = np.array(image.array, dtype=np.float32)  # a copy: torch wants to own it
        mask = np.zeros((len(self.labels), *values.shape), np.uint8)
        for one in case.masks(image, reader=self._reader):
            if one.label in self.labels:
                mask[self.labels.index(one.label)] |= (one.array > 0).astype(np.uint8)
        item: dict[str, Any] = {
            "image": torch.from_numpy(values)[None],
            "mask": torch.from_numpy(mask),
            "affine": torch.from_numpy(np.array(image.affine, dtype=np.float64)),
            "case": case.number,
            "name": name,
        }
        return self._transform(item) if self._transform else item
