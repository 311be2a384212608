"""The sentences of `imports/reading` in the language of who reads them.

`imports/reading` knows no Django, so that nothing there marks its texts for translation:
translators find them here.
"""

from __future__ import annotations

from django.utils.translation import gettext_noop

SENTENCES = (
    gettext_noop("watchlog finds no titles and dates in this file, which begins with '%(start)s'."),
    gettext_noop("This is not a text file."),
    gettext_noop(
        "Upload NetflixViewingHistory.csv (on netflix.com: Account, your profile, Viewing "
        "activity, Download all), or ViewingActivity.csv from the personal data that Netflix "
        "sends on request."
    ),
    gettext_noop("This ZIP file is damaged, or was not downloaded whole."),
    gettext_noop("This ZIP file has no ViewingActivity.csv in it, but: %(names)s."),
    gettext_noop("%(what)s %(what_to_upload)s"),
    gettext_noop("This file is empty."),
    gettext_noop("This is a web page that was saved, not the file that it offers."),
    gettext_noop("This is an XML file."),
    gettext_noop("This is a JSON file."),
    gettext_noop("This ZIP file holds thousands of files."),
    gettext_noop("This ZIP file is packed in a way that watchlog does not know."),
    gettext_noop(
        "%(name)s in this ZIP file unpacks to more than %(limit)d MB: it is not from Netflix."
    ),
    gettext_noop("This looks like a history from Trakt, which watchlog cannot read."),
    gettext_noop(
        "%(name)s in this ZIP file is protected by a password. Unpack it and upload %(name)s "
        "itself."
    ),
    gettext_noop(
        "This ZIP file holds %(count)d files with the name %(name)s: %(paths)s. Unpack it and"
        " upload the one you mean."
    ),
    gettext_noop(
        "This ZIP file holds %(count)d viewing histories: %(paths)s. Unpack it and upload the one "
        "you mean."
    ),
    gettext_noop("This is a PDF document."),
    gettext_noop("This is a picture."),
    gettext_noop("This is a film or a sound."),
    gettext_noop(
        "This is an old Excel or Word file (.xls, .doc), or one with a password. From Excel, "
        "save it as CSV."
    ),
    gettext_noop(
        "This is a compressed file, of a kind that watchlog does not unpack. Unpack it first."
    ),
    gettext_noop("This is a database."),
    gettext_noop("This is a program."),
    gettext_noop("This is a text document (RTF)."),
    gettext_noop("This is a saved web archive."),
    gettext_noop("This is a ZIP file within a ZIP file. Unpack it first."),
    gettext_noop("month/day/year"),
    gettext_noop("day/month/year"),
    gettext_noop("year/month/day"),
    gettext_noop("No row of this file has a date."),
    gettext_noop("Dates are read as %(order)s: '%(example)s' can be nothing else."),
    gettext_noop(
        "This file seems to be put together from exports that write dates in different "
        "orders: read as %(order)s, %(misfits)d rows do not fit."
    ),
    gettext_noop(
        "Nothing in this file tells whether '%(example)s' has the month or the day first."
    ),
    gettext_noop(
        "%(reason)s The spreadsheet program had swapped day and month of other dates; they "
        "are put right."
    ),
    gettext_noop("Dates are read as year/month/day: '%(example)s' begins with the year."),
    gettext_noop("Dates are read as %(order)s, as you chose."),
    gettext_noop("No date of this file exists: '%(example)s'."),
    gettext_noop(
        "Dates are read as year/month/day: '%(example)s', with a dot at its end, begins with "
        "the year."
    ),
    gettext_noop("Dates are read as %(order)s: in any other order they spread over many years."),
    gettext_noop(
        "Each date of this file is the same day whether the month or the day comes first."
    ),
    gettext_noop("Dates are read as day/month/year, as dates with dots are: '%(example)s'."),
    gettext_noop("Dates are read as %(order)s: only so are the rows sorted by date."),
    gettext_noop("The spreadsheet says itself which day each of its dates is."),
    gettext_noop(
        "The spreadsheet says itself which day each of its dates is. That you chose %(order)s "
        "changes nothing."
    ),
    gettext_noop(
        "Day and month of the spreadsheet's dates are swapped, because you chose %(order)s: the "
        "program that saved it may have read them the wrong way round."
    ),
    gettext_noop("Dates are read as %(order)s, which fits all rows but %(misfits)d."),
    gettext_noop("%(order)s: watched from %(first)s to %(last)s"),
    gettext_noop("Series, because the title closes with the number of an episode."),
    gettext_noop(
        "Movie: files of this kind mark every episode, and nothing marks this title as one."
    ),
    gettext_noop("Series, because the second part repeats the name of the series."),
    gettext_noop("Series, because “%(word)s” counts an episode."),
    gettext_noop("Series, because %(count)d titles of this file begin with “%(name)s”."),
    gettext_noop(
        "Movie: only %(count)d titles of this file begin with “%(name)s”, and files of its "
        "time mark the season of most episodes."
    ),
    gettext_noop(
        "Movie: no other title of this file begins with “%(name)s”, and files of its time "
        "mark the season of most episodes."
    ),
    gettext_noop(
        "Series, perhaps: no other title of this file begins with “%(name)s”, but nothing "
        "says that it is a film."
    ),
    gettext_noop(
        "Movie, perhaps: few titles of this file begin with “%(name)s”, and they look more like "
        "films than like episodes."
    ),
    gettext_noop("Movie, because “%(name)s” is the name of films."),
    gettext_noop("Movie, because “%(name)s” is the name of films as well as of a series."),
    gettext_noop("Movie, because “%(name)s” is a performer with programmes of their own."),
    gettext_noop("Movie, because “%(name)s” seems to be a person's name."),
    gettext_noop("Movie, because “%(name)s” introduces a title of its own."),
    gettext_noop("Movie, because of the word “%(word)s” in its title."),
    gettext_noop("Movie, because this file has another film called “%(name)s”."),
    gettext_noop("Movie, because “%(name)s” ends like the name of a sequel."),
    gettext_noop("Movie, because “%(word)s” closes the name of a film in parts."),
    gettext_noop(
        "Movie, because this file marks season 1 of “%(name)s”, and this title is not in it."
    ),
    gettext_noop(
        "Movie, because this file marks the seasons of “%(name)s”, and this title has none."
    ),
    gettext_noop(
        "Series, because this file shows later seasons of “%(name)s”, and its first has no marker."
    ),
    gettext_noop("Series, because this file has episodes of “%(name)s”."),
    gettext_noop(
        "Series, because this file marks seasons of “%(name)s”, and %(count)d titles without "
        "a marker go with them."
    ),
    gettext_noop("Series, because “%(name)s” is a series of your library."),
    gettext_noop(
        "Series, because %(count)d titles of this file and of your library begin with “%(name)s”."
    ),
    gettext_noop("Series, because your library has an episode of “%(name)s” with this title."),
    gettext_noop(
        "Movie, because your library shows season 1 of “%(name)s”, and this title is not in it."
    ),
    gettext_noop(
        "Movie, because your library shows the seasons of “%(name)s”, and this title has none."
    ),
    gettext_noop(
        "Series, because your library shows later seasons of “%(name)s”, and its first has no "
        "marker."
    ),
    gettext_noop("Series, because “%(name)s” is the name of a series."),
    gettext_noop("Series, because “%(word)s” is what a first or last episode is called."),
    gettext_noop("Series, because “%(season)s” seems to be a season of “%(name)s”."),
    gettext_noop("Series, because the title has the parts of an episode of “%(name)s”."),
    gettext_noop("Skipped: the header line once more, not a viewing."),
    gettext_noop("This file has more than %(limit)d rows: no viewing history is that long."),
    gettext_noop("This file names %(count)d profiles: it is not from Netflix."),
    gettext_noop(
        "This line cannot be split into its columns: %(found)d cells instead of %(expected)d."
    ),
    gettext_noop(
        "This title is longer than any of Netflix's: several rows have probably run together."
    ),
    gettext_noop("This row has no date."),
    gettext_noop("Skipped: not a viewing."),
    gettext_noop("All profiles (rows: %(rows)d)"),
    gettext_noop("This file has the viewings of %(count)d profiles. Whose do you want?"),
    gettext_noop("'%(date)s' is no date."),
    gettext_noop(
        "This file has no profile called %(wanted)s. It has: %(names)s. Choose one of them, or all."
    ),
    gettext_noop("Skipped: watched by the profile %(name)s."),
    gettext_noop(
        "Skipped as too short: played for %(seconds)d seconds that day, the minimum is %(minimum)d."
    ),
    gettext_noop("'%(date)s' is no date when read as %(order)s."),
    gettext_noop("%(name)s (rows: %(rows)d)"),
    gettext_noop("Skipped: the row does not say which profile watched this."),
    gettext_noop("Skipped: Netflix calls this a '%(kind)s', not a viewing."),
    gettext_noop(
        "This spreadsheet is damaged and cannot be opened. Save it as CSV and upload that, or"
        " download the file from Netflix again."
    ),
    gettext_noop("Skipped: a preview that Netflix played by itself, not a viewing."),
    gettext_noop("Skipped: a trailer or a clip, not a viewing."),
    gettext_noop("The title is blank: Netflix no longer says what was watched."),
    gettext_noop("The name of the series is missing: Netflix no longer says what was watched."),
    gettext_noop("The name of the episode is missing: Netflix no longer says which it was."),
    gettext_noop("The title holds a placeholder instead of the name of an episode."),
    gettext_noop("The title holds a stray “English Title” instead of the name of the series."),
    gettext_noop("Movie, because the title has only one part."),
    gettext_noop("Series, because “%(marker)s” marks the season."),
    gettext_noop(
        "Movie, because the title ends with “%(marker)s”, as programmes about a season do."
    ),
    gettext_noop("Movie, because you said so."),
    gettext_noop("Series, because you said so."),
    gettext_noop(
        "The dates of this file make no sense, such as '%(example)s': there are more "
        "different ones than days in a hundred years."
    ),
    gettext_noop("The titles of this file are far longer than Netflix's."),
    gettext_noop("Too much of this file is damaged."),
    gettext_noop("This row has no date that watchlog can read."),
    gettext_noop(
        "%(undated)d rows of this file have no date that watchlog can read. The first is "
        "'%(example)s'."
    ),
    gettext_noop("%(undated)d rows of this file have no date."),
    gettext_noop(
        "The titles of this file name more than %(limit)d seasons: no viewing history has so many."
    ),
)
