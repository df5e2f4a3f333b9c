"""The usual quirks of CSV files: two rows of a car, 80 % at 8:00 UTC and 79 % at 9:00, written in each way."""

import gzip
import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

PLAIN = "time,vehicle,soc_pct\n2026-06-01T08:00:00Z,car,80\n2026-06-01T09:00:00Z,car,79\n"
ROWS = ((datetime(2026, 6, 1, 8, tzinfo=UTC), 80.0), (datetime(2026, 6, 1, 9, tzinfo=UTC), 79.0))


class Quirk(msgspec.Struct, frozen=True):
    """The bytes of a file, the options that it needs, and the rows that it gives: time and `column`."""

    name: str
    data: bytes
    options: Mapping[str, str] = {}
    rows: Sequence[tuple[datetime, Any]] = ROWS
    column: str = "soc_pct"


def _text(name: str, text: str, options: Mapping[str, str] | None = None, **more: Any) -> Quirk:
    return Quirk(name, text.encode(), options or {}, **more)


def _quirk_of_times(name: str, first: str, second: str, zone: str = "") -> Quirk:
    """Both times written so."""
    text = f"time,vehicle,soc_pct\n{first},car,80\n{second},car,79\n"
    return _text(name, text, {"tz": zone} if zone else {})


def _values(name: str, column: str, first: str, second: str, rows: list[Any], header: str = "") -> Quirk:
    """Both values written so."""
    text = f"time,vehicle,{header or column}\n2026-06-01T08:00:00Z,car,{first}\n2026-06-01T09:00:00Z,car,{second}\n"
    return _text(name, text, rows=list(zip((at for at, _ in ROWS), rows, strict=True)), column=column)


def _zip(text: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("export/ride.csv", text)
    return packed.getvalue()


_BERLIN = "Europe/Berlin"
QUIRKS = (
    # how the text is written
    _text("semicolon", PLAIN.replace(",", ";")),
    _text("tab", PLAIN.replace(",", "\t")),
    _text("pipe", PLAIN.replace(",", "|")),
    _text("a line sep=; of a spreadsheet", "sep=;\n" + PLAIN.replace(",", ";")),
    _text("InfluxDB's annotated CSV", "".join(
        f"#group,false,false,true\n#datatype,long,dateTime:RFC3339,string,double\n#default,,,,\n,time,vehicle,soc_pct\n,{line}\n\n"
        for line in PLAIN.splitlines()[1:])),
    _text("comments before the header", "# logger 1.2\n#\n" + PLAIN),
    Quirk("byte order mark", b"\xef\xbb\xbf" + PLAIN.encode()),
    Quirk("UTF-16 with its mark", PLAIN.replace(",", "\t").encode("utf-16")),
    Quirk("UTF-16 without a mark", PLAIN.encode("utf-16-le")),
    Quirk("Latin-1", PLAIN.replace("car", "Käfer").encode("latin-1")),
    Quirk("Windows 1252", PLAIN.replace("car", "“car”").encode("cp1252")),
    _text("CR LF", PLAIN.replace("\n", "\r\n")),
    _text("LF and CR LF mixed", PLAIN.replace("80\n", "80\r\n").replace("79\n", "79\r\n")),
    _text("CR alone", PLAIN.replace("\n", "\r")),
    _text("blank lines", PLAIN.replace("\n", "\n\n") + "\n  \n"),
    _text("lines of separators alone", PLAIN + ",,\n,,\n"),
    _text("blanks round headers and cells", PLAIN.replace(",", " , ")),
    _text("a comma at the end of each line", PLAIN.replace("\n", ",\n")),
    _text("a comma at the end of rows alone", PLAIN.replace("80\n", "80,\n").replace("79\n", "79,\n")),
    _text("a header at each start", PLAIN.replace("2026-06-01T09", "time,vehicle,soc_pct\n2026-06-01T09")),
    _text("quoted names and cells", '"' + PLAIN.replace(",", '","').replace("\n", '"\n"')[:-1]),
    _text("a line end within a quoted cell", PLAIN.replace("car", '"my\ncar"')),
    _text("a quote within a cell", PLAIN.replace("car", '12" wheel')),
    _text("no line end at the end", PLAIN[:-1]),
    _text("the index of a data frame", ",".join(["", *PLAIN.splitlines()[0].split(",")]) + "\n"
          + "".join(f"{at},{line}\n" for at, line in enumerate(PLAIN.splitlines()[1:]))),
    Quirk("gzip", gzip.compress(PLAIN.encode(), mtime=0)),
    Quirk("zip", _zip(PLAIN)),
    # times
    _quirk_of_times("no seconds", "2026-06-01T08:00Z", "2026-06-01 09:00Z"),
    _quirk_of_times("an offset of hours alone", "2026-06-01 10:00:00+02", "2026-06-01 11:00:00.000+02"),
    _quirk_of_times("local times", "2026-06-01 10:00:00", "2026-06-01T11:00:00", _BERLIN),
    _quirk_of_times("days with points", "01.06.2026 10:00", "01.06.2026 11:00:00", _BERLIN),
    _quirk_of_times("days with slashes, the year first", "2026/06/01 10:00", "2026/06/01 11:00:00", _BERLIN),
    _quirk_of_times("UTC in words", "2026-06-01 08:00:00 UTC", "2026-06-01 09:00:00 +0000 UTC"),
    _quirk_of_times("epoch in s", "1780300800", "1780304400"),
    _quirk_of_times("epoch in s with a fraction", "1780300800.0", "1780304400.000"),
    _quirk_of_times("epoch in ms", "1780300800000", "1780304400000"),
    _quirk_of_times("epoch in µs", "1780300800000000", "1780304400000000"),
    _quirk_of_times("epoch in ns", "1780300800000000000", "1780304400000000000"),
    _quirk_of_times("a spreadsheet's serial dates", "46174.4166666667", "46174.4583333333", _BERLIN),
    _text("a date alone", "time,vehicle,soc_pct\n2026-06-01,car,80\n2026-06-02,car,79\n", {"tz": "UTC"}, rows=[
        (datetime(2026, 6, 1, tzinfo=UTC), 80.0), (datetime(2026, 6, 2, tzinfo=UTC), 79.0)]),
    _text("an hour that the clock repeats", "time,vehicle,soc_pct\n2026-10-25 02:30,car,80\n2026-10-25 02:50,car,79\n"
          "2026-10-25 02:10,car,78\n2026-10-25 03:00,car,77\n", {"tz": _BERLIN}, rows=[
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), 80.0), (datetime(2026, 10, 25, 0, 50, tzinfo=UTC), 79.0),
        (datetime(2026, 10, 25, 1, 10, tzinfo=UTC), 78.0), (datetime(2026, 10, 25, 2, 0, tzinfo=UTC), 77.0)]),
    _text("the same, the newest row first", "time,vehicle,soc_pct\n2026-10-25 03:00,car,77\n2026-10-25 02:10,car,78\n"
          "2026-10-25 02:50,car,79\n2026-10-25 02:30,car,80\n", {"tz": _BERLIN}, rows=[
        (datetime(2026, 10, 25, 2, 0, tzinfo=UTC), 77.0), (datetime(2026, 10, 25, 1, 10, tzinfo=UTC), 78.0),
        (datetime(2026, 10, 25, 0, 50, tzinfo=UTC), 79.0), (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), 80.0)]),
    _text("the same, a row an hour", "time,vehicle,soc_pct\n2026-10-25 01:00,car,80\n2026-10-25 02:00,car,79\n"
          "2026-10-25 02:00,car,78\n2026-10-25 03:00,car,77\n", {"tz": _BERLIN}, rows=[
        (datetime(2026, 10, 24, 23, tzinfo=UTC), 80.0), (datetime(2026, 10, 25, 0, tzinfo=UTC), 79.0),
        (datetime(2026, 10, 25, 1, tzinfo=UTC), 78.0), (datetime(2026, 10, 25, 2, tzinfo=UTC), 77.0)]),
    # values
    _text("decimal comma", "time;vehicle;soc_pct\n2026-06-01T08:00:00Z;car;80,0\n2026-06-01T09:00:00Z;car;79,0\n"),
    _values("decimal comma, quoted", "soc_pct", '"80,5"', '"79,5"', [80.5, 79.5]),
    _text("points between thousands", "time;vehicle;odometer_m\n2026-06-01T08:00:00Z;car;17.390,5\n"
          "2026-06-01T09:00:00Z;car;1.017.400,5\n", column="odometer_m", rows=[
        (ROWS[0][0], 17390.5), (ROWS[1][0], 1017400.5)]),
    _values("commas between thousands", "odometer_m", '"17,390"', '"1,017,400.5"', [17390.0, 1017400.5]),
    _values("a percent sign", "soc_pct", "80 %", "79%", [80.0, 79.0]),
    _values("unavailable, unknown", "soc_pct", "unavailable", "unknown", [None, None]),
    _values("a dash, null", "soc_pct", "-", "null", [None, None]),
    _values("NaN, #N/A", "soc_pct", "NaN", "#N/A", [None, None]),
    _values("NULL of PostgreSQL, None of Python", "soc_pct", "\\N", "None", [None, None]),
    _values("on, off", "moving", "on", "off", [True, False]),
    _values("True, empty", "moving", "True", "", [True, None]),
    _values("1.0, 0.0", "moving", "1.0", "0.0", [True, False]),
    _values("ja, Nein", "charging", "ja", "Nein", [True, False]),
)  # fmt: skip
