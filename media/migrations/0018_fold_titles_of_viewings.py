from django.db import migrations

from media.folding import fold_missing


def fold_viewings(apps, schema_editor):
    fold_missing(apps.get_model("media", "Viewing"))


class Migration(migrations.Migration):
    # So that each part is stored by itself: it can be stopped, and goes on where it was.
    atomic = False

    dependencies = [("media", "0017_folded_titles_of_viewings")]

    operations = [migrations.RunPython(fold_viewings, migrations.RunPython.noop)]
