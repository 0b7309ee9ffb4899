"""What a run has made, as a document and as tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median
from typing import Any

from apisec_sandbox.campaigns.attacks import Campaign
from apisec_sandbox.campaigns.run import Made, Settings
from apisec_sandbox.campaigns.sink import Tally
from apisec_sandbox.campaigns.varied.campaign import Attack

VERSION = 1
PEOPLE = ("person", "phone", "office", "kiosk", "power")


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _campaign(campaign: Campaign, tally: Tally) -> dict[str, Any]:
    hours = (tally.last - tally.first) / 3600.0
    return {
        "id": campaign.name,
        "family": campaign.family,
        "style": campaign.style,
        **({"strategy": campaign.strategy} if isinstance(campaign, Attack) else {}),
        "service": campaign.scene.app.name,
        "hours": round(hours, 3),
        "events_an_hour": round(tally.events / max(hours, 1 / 60), 1),
        **{name: value for name, value in tally.document().items() if name != "by_hour_utc"},
    }


def _families(campaigns: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for each in campaigns:
        found.setdefault(each["family"], []).append(each)
    return {
        family: {
            "campaigns": len(group),
            "styles": sorted({each["style"] for each in group}),
            "events": sum(each["events"] for each in group),
            "median_hours": round(median(each["hours"] for each in group), 2),
            "median_events_an_hour": round(median(each["events_an_hour"] for each in group), 1),
            "median_principals": median(each["principals"] for each in group),
        }
        for family, group in sorted(found.items())
    }


def document(made: Made, settings: Settings) -> dict[str, Any]:
    """Return all that is known of a run; attacks that began too late to send anything are not in it."""
    tallies = made.sink.campaigns
    campaigns = [_campaign(each, tallies[each.name]) for each in made.campaigns if each.name in tallies]
    ordinary = {name: tally.document() for name, tally in sorted(made.sink.ordinary.items()) if tally.events}
    return {
        "version": VERSION,
        "split": settings.split,
        "seed": settings.seed,
        "from": _moment(settings.start),
        "until": _moment(settings.end),
        "shard": [settings.shard, settings.shards],
        "events": made.sink.total,
        "attack_events": sum(each["events"] for each in campaigns),
        "services": [
            {
                "name": scene.app.name,
                "auth": scene.app.spec.auth,
                "zone": scene.season.zone,
                "operations": len(scene.app.operations),
                "events": scene.app.count,
                "holidays": sorted(_moment(day * 86_400.0)[:10] for day in scene.season.holidays),
                "bursts": [
                    [_moment(begin), _moment(end), round(factor, 2)] for begin, end, factor in scene.season.bursts
                ],
                "happened": [[_moment(at), what] for at, what in scene.happened],
            }
            for scene in made.scenes
        ],
        "ordinary": ordinary,
        "families": _families(campaigns),
        "campaigns": campaigns,
    }


def _aligned(rows: Sequence[Sequence[object]]) -> str:
    texts = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if number == 0 else cell.rjust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in texts
    )


def table(report: dict[str, Any]) -> str:
    """Return a report as text."""
    ordinary: list[Sequence[object]] = [("ordinary", "events", "principals", "addresses", "4xx", "5xx")]
    for name, row in report["ordinary"].items():
        shares = (f"{row['share_4xx']:.2%}", f"{row['share_5xx']:.2%}")
        ordinary.append((name, row["events"], row["principals"], row["addresses"], *shares))
    attacks: list[Sequence[object]] = [("attacks", "campaigns", "events", "hours", "an hour", "styles")]
    for name, row in report["families"].items():
        styles = " ".join(row["styles"])
        attacks.append(
            (name, row["campaigns"], row["events"], row["median_hours"], row["median_events_an_hour"], styles)
        )
    people = [row for name, row in report["ordinary"].items() if name in PEOPLE]
    hours = [sum(row["by_hour_utc"][hour] for row in people) for hour in range(24)]
    most = max(hours, default=0) or 1
    curve = "".join(" .:-=+*#%@"[min(9, int(10 * value / most))] for value in hours)
    head = f"{report['events']:,} events, {report['attack_events']:,} of them of {len(report['campaigns'])} campaigns"
    return f"{head}\n\n{_aligned(ordinary)}\n\npeople by hour (UTC)  [{curve}]\n\n{_aligned(attacks)}"
