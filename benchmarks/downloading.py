"""A ready release with one large file and many small ones, made in a process of the node: prints its root."""

import hashlib
import json
import zlib

import numpy as np

from accounts.models import User
from annotations.cohort import releases, uses
from annotations.cohort.filing import key_of
from annotations.models import Release, ReleaseFile
from atlas.archive.storage import storage
from benchmarks import labelled


def make(large_mb: int, small: int, small_kb: int) -> None:
    project = labelled.project_of("download")
    lead = User.objects.get(username="bench")
    release = Release.objects.create(
        project=project, number=1, frozen_by=lead, formats=["nifti", "seg"], state=Release.State.READY
    )
    random = np.random.default_rng(3)
    sizes = {"cases/0001/images/CT_large.nii.gz": large_mb * 2**20}
    sizes |= {f"cases/{n:04d}/reader-1/seg/CT_{n}.dcm": small_kb * 2**10 for n in range(1, small + 1)}
    files = []
    for path, size in sizes.items():
        content, key = random.bytes(size), key_of(release, path)
        storage().put_durable(key, content)
        digest = hashlib.sha256(content).hexdigest()
        files.append(
            ReleaseFile(
                release=release,
                format="nifti" if path.endswith("gz") else "seg",
                path=path,
                size=size,
                sha256=digest,
                crc32=zlib.crc32(content),
                object_key=key,
            )
        )
    ReleaseFile.objects.bulk_create(files)
    uses.state_use(by=lead, release=release, purpose="To see how fast it comes", agrees=True)
    releases.announce(release)
    print(json.dumps({"root": f"/api/v1/projects/{project.slug}/releases/1/", "paths": list(sizes)}))
