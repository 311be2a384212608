from django.db import migrations, models

from media.folding import FoldedField


class Migration(migrations.Migration):
    """Neither copies the table, however large it is: what is there is folded by the next one."""

    dependencies = [("media", "0016_titles_of_episodes_by_language")]

    operations = [
        migrations.AddField("viewing", "folded", FoldedField(of=("raw_title",), null=True)),
        migrations.AddIndex(
            "viewing",
            models.Index(
                fields=["id"],
                name="media_viewing_to_fold",
                condition=models.Q(("folded__isnull", True)),
            ),
        ),
    ]
