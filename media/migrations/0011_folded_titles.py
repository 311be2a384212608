from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from media.folding import FoldedField


def fold_all(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Fill the new columns of the rows that there are."""
    for name in ("Media", "EntryName"):
        model = apps.get_model("media", name)
        field = model._meta.get_field("folded")
        some = []
        for row in model.objects.only(*field.of).iterator(chunk_size=2000):
            row.folded = field.text_of(row)
            some.append(row)
            if len(some) == 2000:
                model.objects.bulk_update(some, ["folded"], batch_size=300)
                some = []
        model.objects.bulk_update(some, ["folded"], batch_size=300)


class Migration(migrations.Migration):
    dependencies = [("media", "0010_seen_first_and_again")]

    operations = [
        migrations.AddField("entryname", "folded", FoldedField(of=("name",))),
        migrations.AddField(
            "media", "folded", FoldedField(of=("title", "original_title", "titles"))
        ),
        migrations.RunPython(fold_all, migrations.RunPython.noop),
    ]
