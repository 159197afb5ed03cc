"""From which day to which a grant holds, as people write it: days of Asia/Shanghai, the last one included."""

from datetime import date, datetime, time, timedelta, timezone

CHINA = timezone(timedelta(hours=8))
DEFAULT_LIFE = timedelta(days=1826)


class BadDay(Exception):
    """What was written is no day."""


def window(begins: str, ends: str, now: datetime) -> tuple[datetime, datetime]:
    """Return when it begins (now, if nothing is said) and ends (in five years); BadDay if a text is no day."""
    first = datetime.combine(_day(begins), time(), CHINA) if begins else now
    last = datetime.combine(_day(ends), time(23, 59, 59), CHINA) if ends else now + DEFAULT_LIFE
    return first, last


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as e:
        raise BadDay(f"{text} 不是日期 · is no day, write it as 2027-01-01") from e
