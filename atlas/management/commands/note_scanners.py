"""manage.py note_scanners: what made the series that were sealed before this was noted."""

from django.core.management.base import BaseCommand

from atlas.archive import scanners


class Command(BaseCommand):
    help = "Read manufacturer, model, slice thickness and pixel spacing of series that have none noted."

    def handle(self, *args: object, **options: object) -> None:
        read = unread = 0
        for series in scanners.without().iterator(chunk_size=500):
            if scanners.look_at(series) is None:
                unread += 1
            else:
                scanners.note(series)
                read += 1
        told = f"{read} series were looked at."
        if unread:
            told += f" Of {unread} more no image could be read: verify_archive says which."
        self.stdout.write(told)
