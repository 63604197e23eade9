"""The buckets of a deployment, each examined as if it were the only one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from function.config.key_template import RECORDS
from function.config.profile import BucketLocation
from function.config.settings import PLACE_SETTINGS, Settings
from ops.doctor.findings import Finding, joined, same
from ops.terminal.language import Text

# What a proof stores where a profile holds back.
FOLDER = f"{RECORDS}prove/"


def each_place(settings: Settings) -> list[Settings]:
    """
    The settings of each place where a profile keeps its objects, the deployment's own first.

    ``OSS_BUCKET`` is none where all profiles are elsewhere: nothing goes there then.
    """
    places = dict.fromkeys(profile.location for profile in settings.profiles.values())
    return [settings.at(place) for place in sorted(places, key=lambda place: place != settings.home)]


def trial_folder(settings: Settings) -> str:
    """Return a folder where the role may write; where nothing is held, in that of a profile."""
    profiles = sorted(settings.profiles.values(), key=lambda one: (one.takes_filename, not one.confirm))
    is_any_held = any(profile.is_held for profile in profiles)
    return FOLDER if is_any_held or not profiles else f"{profiles[0].stored_folder}.prove/"


def told(
    settings: Settings, places: Sequence[Settings], there: Settings, findings: Iterable[Finding]
) -> Iterator[Finding]:
    """Findings with their bucket, where there are several, and with the options that would mend them."""
    where = same(f"{there.bucket}, {there.region}: {_listed(there)}") if len(places) > 1 else None
    for finding in findings:
        remedy = finding.remedy and _with_options(finding.remedy, settings.home, there)
        yield replace(finding, remedy=remedy, where=where)


def _listed(there: Settings) -> str:
    return ", ".join(f"[{name}]" for name in there.profiles)


def _with_options(remedy: Text, home: BucketLocation, there: Settings) -> Text:
    """The same, and that options stand for the settings it names, where a place is not the deployment's."""
    if there.home == home or not any(setting in remedy.en for setting in PLACE_SETTINGS):
        return remedy
    listed = _listed(there)
    return joined(
        remedy,
        Text(
            f"For {listed} look first at bucket, region, host and role in profiles.toml.",
            f"{listed} 要先看 profiles.toml 里的 bucket、region、host、role。",
        ),
    )
