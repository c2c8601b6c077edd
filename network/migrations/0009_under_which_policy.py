from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("network", "0008_undelivered_requests")]

    operations = [
        migrations.AddField(
            model_name="listing",
            name="looked_at",
            field=models.CharField(
                blank=True,
                default="",
                help_text="network.listings.looked_at: of what it was last counted from",
                max_length=64,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="listingversion",
            name="minimum",
            field=models.PositiveSmallIntegerField(
                default=10, help_text="The fewest subjects that it tells of; of own versions only"
            ),
        ),
    ]
