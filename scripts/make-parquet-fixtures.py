"""Writes the small Parquet files below test/fixtures/parquet with pyarrow, and what they hold as JSON.

Run with a Python that has pyarrow: python scripts/make-parquet-fixtures.py
Each table is written in several ways (encodings, codecs, page versions); `index.json` says which file holds which table.
Values in JSON: numbers that JSON cannot hold exactly and ticks of time are texts, bytes are hex, decimals their
unscaled value, dates days, times and timestamps micro- or nanoseconds as the column's unit, structs and rows lists.
"""
import decimal
import json
import math
import pathlib
import random
import uuid

import pyarrow as pa
import pyarrow.parquet as pq

OUT = pathlib.Path(__file__).resolve().parent.parent / "test" / "fixtures" / "parquet"
rnd = random.Random(20240229)


def some(values, rows, null_share=0.2):
    """`rows` values: all of `values` first, then random ones of them, with nulls in between."""
    out = []
    for i in range(rows):
        if rnd.random() < null_share and i >= len(values):
            out.append(None)
        else:
            out.append(values[i] if i < len(values) else rnd.choice(values))
    return out


def ticks(values, type_):
    width = pa.int32() if type_.bit_width == 32 else pa.int64()
    return pa.array(values, width).cast(type_) if not pa.types.is_date64(type_) else pa.array(values, type_)


def types_table(rows):
    d = decimal.Decimal
    i64 = [0, 1, -1, 2**63 - 1, -(2**63), 2**53 + 1, -(2**53) - 1, 123456789012]
    i32 = [0, 1, -1, 2**31 - 1, -(2**31), 65536, -77]
    floats = [0.0, -0.0, 1.5, -2.25, math.inf, -math.inf, math.nan, 3.4028234663852886e38, 1.401298464324817e-45]
    columns = {
        "b": pa.array(some([True, False, True, True], rows), pa.bool_()),
        "i8": pa.array(some([-128, 127, 0], rows), pa.int8()),
        "i16": pa.array(some([-32768, 32767, 5], rows), pa.int16()),
        "i32": pa.array(some(i32, rows), pa.int32()),
        "i64": pa.array(some(i64, rows), pa.int64()),
        "u8": pa.array(some([0, 255, 7], rows), pa.uint8()),
        "u16": pa.array(some([0, 65535, 7], rows), pa.uint16()),
        "u32": pa.array(some([0, 2**32 - 1, 7], rows), pa.uint32()),
        "f32": pa.array(some(floats, rows), pa.float32()),
        "f64": pa.array(some(floats + [5e-324, 1.7976931348623157e308, 0.1], rows), pa.float64()),
        "d9": pa.array(some([d("0.00"), d("9999999.99"), d("-9999999.99"), d("1.50")], rows), pa.decimal128(9, 2)),
        "d18": pa.array(some([d("0.0000"), d("99999999999999.9999"), d("-0.0001")], rows), pa.decimal128(18, 4)),
        "d38": pa.array(
            some([d("9" * 28 + "." + "9" * 10), d("-" + "9" * 28 + "." + "9" * 10), d("-0.0000000001"), d(0)], rows),
            pa.decimal128(38, 10),
        ),
        "date": ticks(some([0, -1, 19782, -719162, 2932896], rows), pa.date32()),
        "t_ms": ticks(some([0, 86399999, 45296000], rows), pa.time32("ms")),
        "t_us": ticks(some([0, 86399999999, 45296000001], rows), pa.time64("us")),
        "ts_ms": ticks(some([0, -1, 1709210096000, -62135596800000], rows), pa.timestamp("ms")),
        "ts_us": ticks(some([0, -1, 1709210096000001, 253402300799999999], rows), pa.timestamp("us")),
        "tz_us": ticks(some([0, -1, 1709210096000001], rows), pa.timestamp("us", "UTC")),
        "ts_ns": ticks(some([0, -1, 2**63 - 1, -(2**63) + 1], rows), pa.timestamp("ns")),
        "tz_ns": ticks(some([0, -1, 1709210096000000001], rows), pa.timestamp("ns", "UTC")),
        "s": pa.array(some(["", "a", "grüße", "日本語", "😀", "x" * 100, "a\0b"], rows), pa.string()),
        "bin": pa.array(some([b"", b"\0", b"\xff\xfe", bytes(range(40))], rows), pa.binary()),
        "fix": pa.array(some([b"\0\0\0\0\0", b"\xff\xff\xff\xff\xff", b"abcde"], rows), pa.binary(5)),
        "uuid": pa.ExtensionArray.from_storage(
            pa.uuid(), pa.array(some([uuid.UUID(int=5).bytes, uuid.UUID(int=2**128 - 1).bytes], rows), pa.binary(16))
        ),
    }
    return pa.table(columns)


def required_table(rows):
    schema = pa.schema(
        [
            pa.field("i32", pa.int32(), False),
            pa.field("i64", pa.int64(), False),
            pa.field("f64", pa.float64(), False),
            pa.field("s", pa.string(), False),
            pa.field("b", pa.bool_(), False),
            pa.field("fix", pa.binary(3), False),
        ]
    )
    walk, ts = [], 1_700_000_000_000_000
    for _ in range(rows):
        ts += rnd.randrange(-5, 100_000)
        walk.append(ts)
    return pa.table(
        [
            pa.array([rnd.randrange(-(2**31), 2**31) for _ in range(rows)], pa.int32()),
            pa.array(walk, pa.int64()),
            pa.array([rnd.uniform(-1e6, 1e6) for _ in range(rows)], pa.float64()),
            pa.array([f"prefix-{i // 7:05d}-{rnd.randrange(10**6)}" for i in range(rows)], pa.string()),
            pa.array([i % 97 < 60 for i in range(rows)], pa.bool_()),
            pa.array([bytes([i % 3, 7, i % 251]) for i in range(rows)], pa.binary(3)),
        ],
        schema=schema,
    )


def wraps_table():
    """Deltas that wrap around, and one value only."""
    big = [2**63 - 1, -(2**63), 0, -1, 1, 2**62, -(2**62)] * 40
    small = [2**31 - 1, -(2**31), 0, -1, 1] * 56
    return pa.table({"i64": pa.array(big, pa.int64()), "i32": pa.array(small, pa.int32())})


def nested_table(rows):
    def maybe(make, null_share=0.2):
        return None if rnd.random() < null_share else make()

    def ints():
        return [maybe(lambda: rnd.randrange(100)) for _ in range(rnd.randrange(4))]

    def row(i):
        return {
            "id": i,
            "list": maybe(ints),
            "lists": maybe(lambda: [maybe(ints) for _ in range(rnd.randrange(3))]),
            "s": maybe(lambda: {"a": maybe(lambda: rnd.randrange(9)), "b": maybe(lambda: "b" * rnd.randrange(3))}),
            "deep": maybe(
                lambda: {
                    "in": maybe(
                        lambda: {
                            "list": maybe(
                                lambda: [
                                    maybe(lambda: {"x": maybe(lambda: rnd.random()), "y": maybe(ints)})
                                    for _ in range(rnd.randrange(3))
                                ]
                            )
                        }
                    ),
                    "n": maybe(lambda: rnd.randrange(5)),
                }
            ),
            "map": maybe(lambda: [(f"k{k}", maybe(lambda: rnd.randrange(9))) for k in range(rnd.randrange(3))]),
            "maps": maybe(lambda: [(k, maybe(lambda: [("z", maybe(ints))])) for k in range(rnd.randrange(3))]),
            "req": [{"p": rnd.randrange(9), "q": ["r"] * rnd.randrange(3)} for _ in range(rnd.randrange(3))],
        }

    pair = pa.struct([pa.field("x", pa.float64()), pa.field("y", pa.list_(pa.int32()))])
    required = pa.struct(
        [
            pa.field("p", pa.int64(), False),
            pa.field("q", pa.list_(pa.field("element", pa.string(), False)), False),
        ]
    )
    schema = pa.schema(
        [
            pa.field("id", pa.int64(), False),
            pa.field("list", pa.list_(pa.int32())),
            pa.field("lists", pa.list_(pa.list_(pa.int32()))),
            pa.field("s", pa.struct([pa.field("a", pa.int32()), pa.field("b", pa.string())])),
            pa.field(
                "deep",
                pa.struct([pa.field("in", pa.struct([pa.field("list", pa.list_(pair))])), pa.field("n", pa.int32())]),
            ),
            pa.field("map", pa.map_(pa.string(), pa.int32())),
            pa.field("maps", pa.map_(pa.int32(), pa.map_(pa.string(), pa.list_(pa.int32())))),
            pa.field("req", pa.list_(pa.field("element", required, False)), False),
        ]
    )
    return pa.Table.from_pylist([row(i) for i in range(rows)], schema)


def as_json(array):
    """The values of an array as described above."""
    t = array.type
    if isinstance(t, pa.BaseExtensionType):
        return as_json(array.storage)
    if pa.types.is_timestamp(t) or pa.types.is_time(t):
        unit = {"ms": 1000, "us": 1, "ns": 1}[t.unit]
        ints = array.cast(pa.int32() if t.bit_width == 32 else pa.int64()).to_pylist()
        return [None if v is None else str(v * unit) for v in ints]
    if pa.types.is_date(t):
        return array.cast(pa.int32()).to_pylist()
    if pa.types.is_struct(t):
        children = [as_json(array.field(i)) for i in range(t.num_fields)]
        valid = array.is_valid().to_pylist()
        return [[c[i] for c in children] if valid[i] else None for i in range(len(array))]
    if pa.types.is_map(t) or pa.types.is_list(t):
        offsets = array.offsets.to_pylist()
        valid = array.is_valid().to_pylist()
        if pa.types.is_map(t):
            items = [list(kv) for kv in zip(as_json(array.keys), as_json(array.items))]
        else:
            items = as_json(array.values)
        return [items[offsets[i] : offsets[i + 1]] if valid[i] else None for i in range(len(array))]
    return [scalar(v, t) for v in array.to_pylist()]


def scalar(v, t):
    if v is None or isinstance(v, (bool, str)):
        return v
    if isinstance(v, bytes):
        return v.hex()
    if isinstance(v, decimal.Decimal):
        return str(int(v.scaleb(t.scale, decimal.Context(prec=60))))
    if isinstance(v, float):
        return v if math.isfinite(v) else ("NaN" if math.isnan(v) else "Infinity" if v > 0 else "-Infinity")
    return str(v) if pa.types.is_int64(t) or pa.types.is_uint32(t) or pa.types.is_uint64(t) else v


index = {}


def write(name, table_name, table, **options):
    options = {"compression": "zstd", "store_schema": False, **options}
    pq.write_table(table, OUT / f"{name}.parquet", **options)
    index[name] = {"table": table_name, "rows": table.num_rows}


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.glob("*"):
        old.unlink()
    types, required, wraps, nested = types_table(60), required_table(250), wraps_table(), nested_table(80)
    write("types-v1", "types", types, write_page_checksum=True)
    write("types-v2", "types", types, data_page_version="2.0", write_page_checksum=True)
    write("types-plain", "types", types, use_dictionary=False, write_page_index=True)
    write("types-decimal-ints", "types", types, store_decimal_as_integer=True)
    write("types-tiny-pages", "types", types.slice(0, 40).combine_chunks(), data_page_size=1, write_batch_size=7, write_page_index=True)
    split = [c for c in types.column_names if c[0] in "ifd" and c not in ("date",)]
    write(
        "types-split", "types", types, use_dictionary=False,
        column_encoding={c: "BYTE_STREAM_SPLIT" for c in split + ["uuid"]},
    )
    for codec in ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]:
        version = "2.0" if codec in ["snappy", "zstd"] else "1.0"
        first = required.slice(0, 80).combine_chunks()
        write(f"codec-{codec}", "required", first, compression=codec, data_page_version=version, use_dictionary=["i64"])
    delta = {"i32": "DELTA_BINARY_PACKED", "i64": "DELTA_BINARY_PACKED", "s": "DELTA_BYTE_ARRAY", "fix": "DELTA_BYTE_ARRAY"}
    write("delta", "required", required, use_dictionary=False, column_encoding=delta)
    write(
        "delta-v2", "required", required, use_dictionary=False, data_page_version="2.0", data_page_size=200,
        write_batch_size=50, column_encoding={**delta, "s": "DELTA_LENGTH_BYTE_ARRAY", "b": "RLE"},
    )
    write("delta-nulls", "types", types, use_dictionary=False, data_page_version="2.0", column_encoding={
        "i32": "DELTA_BINARY_PACKED", "i64": "DELTA_BINARY_PACKED", "ts_us": "DELTA_BINARY_PACKED",
        "s": "DELTA_LENGTH_BYTE_ARRAY", "bin": "DELTA_BYTE_ARRAY", "fix": "DELTA_BYTE_ARRAY", "b": "RLE",
        "d38": "DELTA_BYTE_ARRAY", "uuid": "DELTA_BYTE_ARRAY",
    })
    write(
        "delta-wraps", "wraps", wraps, use_dictionary=False,
        column_encoding={"i32": "DELTA_BINARY_PACKED", "i64": "DELTA_BINARY_PACKED"},
    )
    write(
        "fallback", "required", required, dictionary_pagesize_limit=300, data_page_size=200, write_batch_size=20,
        write_page_index=True,
    )
    write("row-groups", "required", required, row_group_size=71, write_page_index=True)
    for version in ["1.0", "2.0"]:
        write(f"nested-v{version[0]}", "nested", nested, data_page_version=version)
    write("nested-tiny-pages", "nested", nested.slice(0, 40).combine_chunks(), data_page_size=1, write_batch_size=5, write_page_index=True)
    write("nested-old-names", "nested", nested, use_compliant_nested_type=False, row_group_size=50)
    # INT96 is written from nanoseconds
    int96 = pa.table(
        {
            "ts_us": ticks([0, -1000, 1709210096000001000, None] * 5, pa.timestamp("ns")),
            "tz_us": ticks([None, 5000] * 10, pa.timestamp("ns", "UTC")),
        }
    )
    write("int96", "int96", int96, use_deprecated_int96_timestamps=True)

    tables = {"types": types, "required": required, "wraps": wraps, "nested": nested}
    values = {
        name: {"columns": t.column_names, "data": [as_json(c.combine_chunks()) for c in t.columns]}
        for name, t in tables.items()
    }
    micros = [[None if v is None else str(int(v) // 1000) for v in as_json(c.combine_chunks())] for c in int96.columns]
    values["int96"] = {"columns": int96.column_names, "data": micros}
    with open(OUT / "index.json", "w") as f:
        json.dump({"files": index, "tables": values}, f, separators=(",", ":"), ensure_ascii=True)
        f.write("\n")


if __name__ == "__main__":
    main()
