"""Values in one JSON form for all engines.

boolean, int: as they are; long: text; float and double: number, or "NaN", "Infinity", "-Infinity", "-0"; decimal, date,
time, timestamp: text; bytes: lower-case hex; struct: object; list: array; map: array of pairs, sorted.
"""
import json
import math


def floating(value):
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else 0
    return value


def decimal(value):
    return format(value, "f")


def time_of_day(micros):
    seconds, fraction = divmod(micros, 1_000_000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:06}"


def civil_date(days):
    """The day that is so many days after 1970-01-01, in the proleptic Gregorian calendar."""
    era, day_of_era = divmod(days + 719468, 146097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    shifted_month = (5 * day_of_year + 2) // 153
    month = shifted_month + 3 if shifted_month < 10 else shifted_month - 9
    day = day_of_year - (153 * shifted_month + 2) // 5 + 1
    return f"{year_of_era + era * 400 + (1 if month <= 2 else 0):04}-{month:02}-{day:02}"


def timestamp(units, digits, zoned):
    """From units of 10 ** -digits seconds since 1970."""
    days, rest = divmod(units, 86_400 * 10**digits)
    seconds, fraction = divmod(rest, 10**digits)
    text = f"{civil_date(days)}T{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:0{digits}}"
    return text + "+00:00" if zoned else text


def sorted_pairs(pairs):
    return sorted(pairs, key=lambda pair: json.dumps(pair[0]))
