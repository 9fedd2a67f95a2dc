import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("shop", "0003_alter"), ("people", "0003_rename")]

    operations = [
        migrations.RenameField("book", "price", "cost"),
        migrations.RenameField("book", "author", "writer"),
        migrations.RenameField("book", "readers", "fans"),
        migrations.RenameModel("Book", "Novel"),
        migrations.AlterModelTable("novel", "novels"),
        migrations.AlterModelTable("novel", None),
        migrations.RenameIndex("novel", old_name="book_n_opt", new_name="novel_n_opt"),
    ]
