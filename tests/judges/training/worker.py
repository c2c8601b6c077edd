"""Runs in the Python of nnU-Net and MONAI, which has no part of Atlas.

worker.py nnunet FOLDER            verify_dataset_integrity on one raw data set
worker.py labels FOLDER            what nnU-Net makes of its labels, training cases and splits, as JSON
worker.py monai LIST ROOT TARGET   loads every entry of a decathlon list; keeps its arrays in TARGET
"""

import json
import os
import sys
import warnings
from pathlib import Path

import numpy as np

os.environ.setdefault("nnUNet_raw", "/nowhere")
os.environ.setdefault("nnUNet_preprocessed", "/nowhere")
os.environ.setdefault("nnUNet_results", "/nowhere")


def nnunet(folder):
    from nnunetv2.experiment_planning.verify_dataset_integrity import verify_dataset_integrity

    verify_dataset_integrity(folder, num_processes=2)


def labels(folder):
    from batchgenerators.utilities.file_and_folder_operations import load_json
    from nnunetv2.utilities.label_handling.label_handling import LabelManager
    from nnunetv2.utilities.utils import get_filenames_of_train_images_and_targets

    described = load_json(str(Path(folder, "dataset.json")))
    manager = LabelManager(described["labels"], regions_class_order=None)
    splits = Path(folder, "splits_final.json")
    found = {
        "all_labels": [int(one) for one in manager.all_labels],
        "ignore": manager.ignore_label,
        "cases": sorted(get_filenames_of_train_images_and_targets(folder, described)),
        "splits": load_json(str(splits)) if splits.exists() else None,
    }
    print(json.dumps(found))


def monai(path, root, target):
    from monai.data import load_decathlon_datalist, load_decathlon_properties
    from monai.transforms import Compose, EnsureChannelFirstd, LoadImaged

    properties = load_decathlon_properties(path, ["labels", "modality", "numTraining", "name"])
    found = {"properties": properties, "lists": {}}
    for name in ("training", "validation", "test"):
        if not json.loads(Path(path).read_text())[name]:
            continue  # MONAI refuses empty lists
        found["lists"][name] = []
        for index, entry in enumerate(load_decathlon_datalist(path, True, name, base_dir=root)):
            keys = [key for key in ("image", "label") if key in entry]
            loaded = Compose([LoadImaged(keys=keys), EnsureChannelFirstd(keys=keys)])(entry)
            arrays = {key: np.asarray(loaded[key][0]) for key in keys}
            affines = {f"{key}_affine": np.asarray(loaded[key].affine) for key in keys}
            np.savez(Path(target, f"{name}_{index}.npz"), **arrays, **affines)
            found["lists"][name].append(entry["name"])
    print(json.dumps(found))


if __name__ == "__main__":
    warnings.filterwarnings("ignore", module="monai")
    {"nnunet": nnunet, "labels": labels, "monai": monai}[sys.argv[1]](*sys.argv[2:])
