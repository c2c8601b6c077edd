"""Projects: where studies are read, by whom, and for which question."""

from django.db import models
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from accounts.fields import PublicIdField
from accounts.models import Organisation


class Project(models.Model):
    """A labelling project. What is read, and what came of it, lives in `annotations`."""

    public_id = PublicIdField()
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="projects")
    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=60, unique=True)
    description = models.TextField(blank=True)
    created_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        default_permissions = ()
        permissions = [
            ("view_project", "See the project's page"),
            ("view_images", "View the images of every case"),
            ("read_cases", "Read the cases assigned to them"),
            ("review_cases", "Accept and return reads"),
            ("manage_project", "Choose members, labels, cases and readers"),
            ("download_releases", "Download releases"),
        ]

    def __str__(self) -> str:
        return self.name


class ProjectUserPermission(UserObjectPermissionBase):
    content_object = models.ForeignKey(Project, on_delete=models.CASCADE)


class ProjectGroupPermission(GroupObjectPermissionBase):
    content_object = models.ForeignKey(Project, on_delete=models.CASCADE)
