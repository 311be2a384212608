"""Files that are often uploaded by mistake, recognised by their columns.

The columns of Netflix's other files and of other services' exports are what public tools that
read them expect. A file is recognised when it has all columns of one of the sets.
"""

from __future__ import annotations

from collections.abc import Collection

from imports.reading.types import Message

_NETFLIX: tuple[tuple[str, frozenset[str]], ...] = tuple(
    (name, frozenset(columns.split()))
    for name, columns in (
        ("Ratings.csv", "titlename ratingtype"),
        ("Ratings.csv", "starvalue thumbsvalue"),
        ("MyList.csv", "titlename utctitleadddate"),
        ("SearchHistory.csv", "querytyped displayedname"),
        ("IndicatedPreferences.csv", "show isinterested"),
        ("InteractiveTitles.csv", "selectiontype choicesegmentid"),
        ("PlaybackRelatedEvents.csv", "playtraces"),
        ("Clickstream.csv", "navigationlevel clickutcts"),
        ("Devices.csv", "esn devicetype"),
        ("AccessAndDevices.csv", "esn partofnetflixhousehold"),
        ("IpAddressesStreaming.csv", "esn ip localizeddevicedescription"),
        ("IpAddressesLogin.csv", "esn ip"),
        ("MessagesSentByNetflix.csv", "messagename sentutcts"),
        ("BillingHistory.csv", "transactiondate paymenttype"),
        ("SubscriptionHistory.csv", "subscriptionopenedts"),
        ("SubscriptionHistory.csv", "signupplancategory"),
        ("AccountDetails.csv", "membershipstatus countryofregistration"),
        ("AccountDetails.csv", "customercreationtimestamp"),
        ("TermsOfUse.csv", "touaccepteddate"),
        ("Profiles.csv", "profilename maturitylevel"),
        ("Profiles.csv", "profilename primarylang"),
        ("Profiles.csv", "profilename profilecreationtime"),
    )
)
_SERVICES: tuple[tuple[Message, frozenset[str]], ...] = tuple(
    (Message(what), frozenset(columns.split()))
    for what, columns in (
        ("a watch history from Prime Video", "datewatched type title episodetitle"),
        ("a viewing history from Prime Video", "title playbackstartdatetimeutc"),
        ("a viewing history from Prime Video", "title playbackhour"),
        ("a watch list from Prime Video", "mostrecentwatchdate titlename"),
        ("a viewing history from Disney+", "programtitle seasontitle"),
        ("an export from TV Time", "tvshowname"),
        ("an export from TV Time", "epno sno"),
        ("an export from TV Time", "seriesname seasonnumber episodenumber"),
        ("a Letterboxd diary or list", "letterboxduri"),
        ("a list of ratings from IMDb", "const yourrating"),
        ("a list from IMDb", "const titletype"),
        ("a backup from Simkl", "simklid"),
        ("a backup from Yamtrack", "mediaid source mediatype"),
        ("an export from Trakt", "watchedat traktid"),
    )
)


def recognise(keys: Collection[str]) -> Message | None:
    """Name the file that has these columns (as `header_key` writes them); None if unknown."""
    for name, columns in _NETFLIX:
        if columns.issubset(keys):
            return Message(
                "This is %(file)s, another file of the personal data that Netflix sends.",
                {"file": name},
            )
    for what, columns in _SERVICES:
        if columns.issubset(keys):
            return Message("This looks like %(what)s, which watchlog cannot read.", {"what": what})
    if "title" in keys:
        return None
    if "starttime" in keys:
        return Message("This looks like a ViewingActivity.csv, but without the titles.")
    if "profilename" in keys:
        return Message("This is another file of the personal data that Netflix sends.")
    return None
