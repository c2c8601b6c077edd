"""Datasets: an organisation's described collections of studies, and who may do what with them."""

from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from accounts.fields import PublicIdField
from accounts.models import Organisation


class Dataset(models.Model):
    """The home of studies: what the catalogue lists, and what decides how images are de-identified."""

    class Deidentification(models.TextChoices):
        UNDECLARED = "undeclared", "Not declared yet: takes no images"
        AT_THE_DOOR = "at_the_door", "Atlas de-identifies images as they arrive"
        ALREADY_DONE = "already_done", "Images are de-identified before they arrive; Atlas checks them"

    class Organ(models.TextChoices):
        """Place of the primary tumour, in anatomical order from head to foot."""

        BRAIN = "brain", "Brain"
        HEAD_AND_NECK = "head_and_neck", "Head and neck"
        LUNG = "lung", "Lung"
        BREAST = "breast", "Breast"
        LIVER = "liver", "Liver"
        PANCREAS = "pancreas", "Pancreas"
        KIDNEY = "kidney", "Kidney"
        COLORECTAL = "colorectal", "Colorectal"
        UTERUS_OVARY = "uterus_ovary", "Uterus, ovary"
        BLADDER = "bladder", "Bladder"
        PROSTATE = "prostate", "Prostate"
        SOFT_TISSUE = "soft_tissue", "Soft tissue"
        SEVERAL = "several", "Several or other"

    public_id = PublicIdField()
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="datasets")
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=60, unique=True)
    description = models.TextField(blank=True)
    organ = models.CharField(max_length=20, choices=Organ.choices, default=Organ.SEVERAL)
    licence = models.CharField(max_length=80, blank=True)
    deidentification = models.CharField(
        max_length=20, choices=Deidentification.choices, default=Deidentification.UNDECLARED
    )
    deidentification_options = models.JSONField(
        default=list, blank=True, help_text="Keys of PS3.15 Annex E options chosen beside the Basic Profile"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        default_permissions = ()
        permissions = [("view_images", "View images"), ("import_images", "Take images in")]

    def __str__(self) -> str:
        return self.name


class DatasetUserPermission(UserObjectPermissionBase):
    content_object = models.ForeignKey(Dataset, on_delete=models.CASCADE)


class DatasetGroupPermission(GroupObjectPermissionBase):
    content_object = models.ForeignKey(Dataset, on_delete=models.CASCADE)


class DatasetGrant(models.Model):
    """An organisation lets a project choose studies of one of its datasets."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="grants")
    project = models.ForeignKey("atlas.Project", on_delete=models.CASCADE, related_name="dataset_grants")
    granted_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    granted_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "project"], name="one_grant_per_project")]


class Receiver(models.Model):
    """An AE title that the DICOM receiver answers to, the dataset behind it, and who may call it."""

    dataset = models.ForeignKey(Dataset, on_delete=models.CASCADE, related_name="receivers")
    called_ae_title = models.CharField(max_length=16, unique=True)
    calling_ae_titles = models.JSONField(default=list, help_text="AE titles of the senders it accepts")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["called_ae_title"]
