"""Writes the shredded variants below test/fixtures/variant with pyarrow, and what they hold as JSON.

Run with a Python that has pyarrow: python scripts/make-variant-fixtures.py
Variants are trees of (physical type, value) here. They are encoded and shredded by this script, after the texts of
"Variant Binary Encoding" and "Variant Shredding" of the Parquet format, and stored as structs of `metadata`, `value` and
`typed_value`, which is their physical layout without the annotation. `index.json` has for each file and column either
the canonical text of each row ({"t":type,"v":value}; null for a row without variant; "sha256:" and the hash of a long
one) or the code and a part of the message with which it must be refused.
"""
import decimal
import hashlib
import json
import math
import pathlib
import struct
import uuid

import pyarrow as pa
import pyarrow.parquet as pq

OUT = pathlib.Path(__file__).resolve().parent.parent / "test" / "fixtures" / "variant"

# physical type: number in the header, packing of the payload, Arrow type of a shredded column
PRIMITIVES = {
    "int8": (3, "<b", pa.int8()),
    "int16": (4, "<h", pa.int16()),
    "int32": (5, "<i", pa.int32()),
    "int64": (6, "<q", pa.int64()),
    "double": (7, "<d", pa.float64()),
    "date": (11, "<i", pa.date32()),
    "timestamptz": (12, "<q", pa.timestamp("us", "UTC")),
    "timestampntz": (13, "<q", pa.timestamp("us")),
    "float": (14, "<f", pa.float32()),
    "time": (17, "<q", pa.time64("us")),
    "timestamptz_nanos": (18, "<q", pa.timestamp("ns", "UTC")),
    "timestampntz_nanos": (19, "<q", pa.timestamp("ns")),
}
DECIMALS = {"decimal4": (8, 4), "decimal8": (9, 8), "decimal16": (10, 16)}
NULL = ("null", None)


def unsigned_size(value):
    return max(1, (value.bit_length() + 7) // 8)


def encode_metadata(names, sorted_flag=False):
    texts = [n.encode() for n in names]
    size = unsigned_size(max(len(texts), sum(map(len, texts))))
    offsets = [sum(map(len, texts[:i])) for i in range(len(texts) + 1)]
    head = 1 | (0x10 if sorted_flag else 0) | (size - 1) << 6
    return bytes([head]) + b"".join(n.to_bytes(size, "little") for n in [len(texts), *offsets]) + b"".join(texts)


def encode_items(parts, size):
    offsets = [sum(map(len, parts[:i])) for i in range(len(parts) + 1)]
    return b"".join(n.to_bytes(size, "little") for n in offsets) + b"".join(parts)


def encode(node, names):
    kind, v = node
    if kind == "null":
        return b"\0"
    if kind == "boolean":
        return bytes([(1 if v else 2) << 2])
    if kind == "string":
        text = v.encode()
        return bytes([1 | len(text) << 2]) + text if len(text) < 64 else bytes([16 << 2]) + struct.pack("<I", len(text)) + text
    if kind == "binary":
        return bytes([15 << 2]) + struct.pack("<I", len(v)) + v
    if kind == "uuid":
        return bytes([20 << 2]) + v.bytes
    if kind in DECIMALS:
        number, width = DECIMALS[kind]
        return bytes([number << 2, scale_of(v)]) + unscaled(v).to_bytes(width, "little", signed=True)
    if kind == "array":
        parts = [encode(item, names) for item in v]
        size, large = unsigned_size(sum(map(len, parts))), len(parts) > 255
        head = 3 | (size - 1) << 2 | (1 << 4 if large else 0)
        return bytes([head]) + len(parts).to_bytes(4 if large else 1, "little") + encode_items(parts, size)
    if kind == "object":
        members = sorted(v)
        parts, ids = [encode(v[m], names) for m in members], [names.index(m) for m in members]
        size, id_size, large = unsigned_size(sum(map(len, parts))), unsigned_size(max(ids, default=0)), len(parts) > 255
        head = 2 | (size - 1) << 2 | (id_size - 1) << 4 | (1 << 6 if large else 0)
        count = len(parts).to_bytes(4 if large else 1, "little")
        return bytes([head]) + count + b"".join(i.to_bytes(id_size, "little") for i in ids) + encode_items(parts, size)
    number, packing, _ = PRIMITIVES[kind]
    return bytes([number << 2]) + struct.pack(packing, v)


def scale_of(v):
    return -v.as_tuple().exponent


def unscaled(v):
    return int(v.scaleb(scale_of(v), decimal.Context(prec=60)))


def text_of(node):
    """The canonical text."""
    kind, v = node
    if kind == "null":
        return '{"t":"null"}'
    return '{"t":"%s","v":%s}' % (kind, payload_of(kind, v))


def payload_of(kind, v):
    if kind == "boolean":
        return "true" if v else "false"
    if kind in ("float", "double"):
        if not math.isfinite(v):
            return '"NaN"' if math.isnan(v) else '"Infinity"' if v > 0 else '"-Infinity"'
        return "-0" if v == 0 and math.copysign(1, v) < 0 else str(int(v)) if v == int(v) else repr(v)
    if kind == "string":
        return json.dumps(v, ensure_ascii=False)
    if kind == "binary":
        return '"%s"' % v.hex()
    if kind in DECIMALS:
        return '"%s"' % format(v, "f")
    if kind == "array":
        return "[%s]" % ",".join(map(text_of, v))
    if kind == "object":
        return "{%s}" % ",".join(f"{json.dumps(m, ensure_ascii=False)}:{text_of(v[m])}" for m in sorted(v))
    return '"%s"' % v


def names_in(node):
    kind, v = node
    if kind == "array":
        return [n for item in v for n in names_in(item)]
    return [n for m, item in v.items() for n in [m, *names_in(item)]] if kind == "object" else []


# A shredding: None (`value` only), a physical type (decimals as "decimal4:precision:scale"), [of the elements],
# {field: of the field}. `Only(...)` has no `value` column.
class Only:
    def __init__(self, shredding):
        self.shredding = shredding


def arrow_of(shredding):
    """The Arrow type of a typed_value."""
    if isinstance(shredding, list):
        return pa.list_(pa.field("element", group_of(shredding[0]), False))
    if isinstance(shredding, dict):
        return pa.struct([pa.field(name, group_of(s), False) for name, s in shredding.items()])
    if ":" in shredding:
        _, precision, scale = shredding.split(":")
        return pa.decimal128(int(precision), int(scale))
    others = {"boolean": pa.bool_(), "string": pa.string(), "binary": pa.binary(), "uuid": pa.uuid()}
    return others[shredding] if shredding in others else PRIMITIVES[shredding][2]


def group_of(shredding, metadata=False):
    fields = [pa.field("metadata", pa.binary())] if metadata else []
    if not isinstance(shredding, Only):
        fields.append(pa.field("value", pa.binary()))
    else:
        shredding = shredding.shredding
    if shredding is not None:
        fields.append(pa.field("typed_value", arrow_of(shredding)))
    return pa.struct(fields)


def shred(node, shredding, names):
    """Of one node: its `value` and `typed_value`."""
    if isinstance(shredding, Only):
        out = shred(node, shredding.shredding, names)
        assert out.pop("value") is None
        return out
    kind, v = node
    if isinstance(shredding, list) and kind == "array":
        return {"value": None, "typed_value": [shred(item, shredding[0], names) for item in v]}
    if isinstance(shredding, dict) and kind == "object":
        typed = {m: shred(v[m], s, names) if m in v else None for m, s in shredding.items()}
        typed = {m: missing() if t is None else t for m, t in typed.items()}
        rest = {m: item for m, item in v.items() if m not in shredding}
        return {"value": encode(("object", rest), names) if rest else None, "typed_value": typed}
    if isinstance(shredding, str) and shredding.split(":")[0] == kind:
        if kind not in DECIMALS or scale_of(v) == int(shredding.split(":")[2]):
            return {"value": None, "typed_value": arrow_value(kind, v)}
    return {"value": encode(node, names), "typed_value": None}


def missing():
    return {"value": None, "typed_value": None}


def arrow_value(kind, v):
    if kind == "uuid":
        return v.bytes
    if kind in PRIMITIVES and not kind.startswith(("int", "float", "double")):
        return pa.scalar(v, pa.int32() if kind == "date" else pa.int64()).cast(PRIMITIVES[kind][2])
    return v


def to_array(values, type_):
    """As pa.array, for nested types with scalars and extension types in them."""
    valid = [v is not None for v in values]
    mask = pa.array([not v for v in valid], pa.bool_())
    if isinstance(type_, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(type_, pa.array(values, type_.storage_type))
    if pa.types.is_struct(type_):
        fields = [type_.field(i) for i in range(type_.num_fields)]
        children = [to_array([None if v is None else v.get(f.name) for v in values], f.type) for f in fields]
        return pa.StructArray.from_arrays(children, fields=fields, mask=mask)
    if pa.types.is_list(type_):
        offsets = [0]
        for v in values:
            offsets.append(offsets[-1] + len(v or []))
        items = to_array([item for v in values for item in v or []], type_.value_type)
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items, type=type_, mask=mask)
    return pa.array(values, type_)


def column(shredding, nodes, *extra):
    """A column of shredded nodes (None: no variant), and further rows by hand: (row, what it means)."""
    rows, texts = [], []
    for i, node in enumerate(nodes):
        if node is None:
            rows.append(None)
            texts.append(None)
            continue
        # dictionaries of names in both orders
        names = sorted(set(names_in(node)), reverse=i % 2 == 1)
        rows.append({"metadata": encode_metadata(names, i % 2 == 0), **shred(node, shredding, names)})
        texts.append(text_of(node))
    for row, meaning in extra:
        rows.append(row)
        texts.append(text_of(meaning))
    return group_of(shredding, True), rows, texts


index = {"read": {}, "refused": {}}


def short(text):
    return text if text is None or len(text) < 2000 else "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def write(name, columns, **options):
    """`columns`: by name, type and rows, padded to the same length with rows without variant."""
    length = max(len(rows) for _, rows in columns.values())
    fields = [pa.field(c, t, metadata={"PARQUET:field_id": str(i + 1)}) for i, (c, (t, _)) in enumerate(columns.items())]
    arrays = [to_array(rows + [None] * (length - len(rows)), t) for t, rows in columns.values()]
    settings = {"compression": "zstd", "use_dictionary": False, "write_statistics": False, "store_schema": False}
    table = pa.table(arrays, schema=pa.schema(fields))
    pq.write_table(table, OUT / f"{name}.parquet", store_decimal_as_integer=True, **{**settings, **options})
    return length


def write_read(name, columns, **options):
    length = write(name, {c: (t, rows) for c, (t, rows, _) in columns.items()}, **options)
    index["read"][name] = {c: [short(t) for t in texts] + [None] * (length - len(texts)) for c, (_, _, texts) in columns.items()}


def write_refused(name, columns):
    """`columns`: name: type, rows, code of the error, part of its message."""
    write(name, {c: (t, rows) for c, (t, rows, _, _) in columns.items()})
    index["refused"][name] = {c: {"code": code, "message": part} for c, (_, _, code, part) in columns.items()}


D = decimal.Decimal
SAMPLES = {
    "boolean": [("boolean", True), ("boolean", False)],
    "int8": [("int8", 0), ("int8", -128), ("int8", 127)],
    "int16": [("int16", -32768), ("int16", 32767)],
    "int32": [("int32", -(2**31)), ("int32", 2**31 - 1)],
    "int64": [("int64", -(2**63)), ("int64", 2**63 - 1), ("int64", 2**53 + 1)],
    "float": [("float", 1.5), ("float", -0.0), ("float", math.inf), ("float", math.nan)],
    "double": [("double", 0.1), ("double", -0.0), ("double", -math.inf), ("double", math.nan)],
    "decimal4:9:2": [("decimal4", D("1.50")), ("decimal4", D("-9999999.99")), ("decimal4", D("9999999.99"))],
    "decimal8:18:4": [("decimal8", D("99999999999999.9999")), ("decimal8", D("-0.0001"))],
    "decimal16:38:10": [("decimal16", D("9" * 28 + "." + "9" * 10)), ("decimal16", D("-" + "9" * 28 + "." + "9" * 10))],
    "date": [("date", 0), ("date", -719162), ("date", 19782)],
    "time": [("time", 0), ("time", 86399999999)],
    "timestamptz": [("timestamptz", -1), ("timestamptz", 1709210096000001)],
    "timestampntz": [("timestampntz", -62135596800000000), ("timestampntz", 253402300799999999)],
    "timestamptz_nanos": [("timestamptz_nanos", -1), ("timestamptz_nanos", 1709210096000000001)],
    "timestampntz_nanos": [("timestampntz_nanos", 2**63 - 1), ("timestampntz_nanos", -(2**63) + 1)],
    "binary": [("binary", b""), ("binary", b"\0\xff")],
    "string": [("string", ""), ("string", "grüße 😀"), ("string", "x" * 80)],
    "uuid": [("uuid", uuid.UUID(int=5)), ("uuid", uuid.UUID(int=2**128 - 1))],
}


def primitives():
    columns = {}
    everything = [nodes[0] for nodes in SAMPLES.values()]
    for i, (shredding, nodes) in enumerate(SAMPLES.items()):
        # values of the type, no variant, a variant's null, values of two other types, a row that says nothing
        others = [everything[(i + 1) % len(everything)], everything[(i + 7) % len(everything)]]
        empty = {"metadata": encode_metadata([]), **missing()}
        columns[shredding.split(":")[0]] = column(shredding, [*nodes, None, NULL, *others, nodes[-1]], (empty, NULL))
    # a decimal of another scale is not of the column's type
    columns["decimal_scale"] = column("decimal4:9:2", [("decimal4", D("1.5")), ("decimal4", D("1.50")), ("decimal8", D("2.50"))])
    columns["only_typed"] = column(Only("int64"), [("int64", 7), None, ("int64", -7)], ({"metadata": encode_metadata([])}, NULL))
    tree = ("object", {"b": ("array", everything), "a": ("object", {}), "ü": ("array", []), "": NULL})
    columns["unshredded"] = column(None, [*everything, tree, None, NULL])
    write_read("primitives", columns)


def objects():
    o = lambda **members: ("object", members)
    i, s = lambda v: ("int32", v), lambda v: ("string", v)
    ab = {"a": "int32", "b": "string"}
    nested = {"a": {"b": {"c": "int64"}, "x": None}, "d": Only("date")}
    names = ["a", "b", "c"]
    meta = encode_metadata(names)
    rest = lambda **members: encode(o(**members), names)
    typed = lambda a, b: {"a": a, "b": b}
    columns = {
        # whole, in part, nothing shredded, empty, not an object at all, another type in a field, null in a field
        "fields": column(
            ab,
            [
                o(a=i(1), b=s("x")), o(a=i(2)), o(b=s("y"), c=i(3)), o(c=i(4), d=o(a=i(5))), o(), None, NULL, i(6),
                ("array", [o(a=i(7))]), o(a=s("text"), b=i(8)), o(a=NULL, b=NULL, c=NULL), o(a=("int64", 9), e=("array", [])),
            ],
        ),
        # what only other writers do
        "unusual": column(
            ab,
            [None],
            # a field in both places: the shredded one counts, also where it is missing
            ({"metadata": meta, "value": rest(a=i(1), c=i(2)), "typed_value": typed({"typed_value": 3}, {"value": b"\0"})},
             o(a=i(3), b=NULL, c=i(2))),
            ({"metadata": meta, "value": rest(a=i(1), c=i(2)), "typed_value": typed(missing(), missing())}, o(c=i(2))),
            # an empty object beside the fields
            ({"metadata": meta, "value": rest(), "typed_value": typed({"typed_value": 4}, missing())}, o(a=i(4))),
            # an object with typed_value null is not shredded
            ({"metadata": meta, "value": rest(a=i(5)), "typed_value": None}, o(a=i(5))),
            # nothing in any field: an empty object, which is not null
            ({"metadata": meta, "value": None, "typed_value": typed(missing(), missing())}, o()),
            ({"metadata": meta, "value": None, "typed_value": None}, NULL),
        ),
        "nested": column(
            nested,
            [
                o(a=o(b=o(c=("int64", 1)))), o(a=o(b=o(c=("int64", 2), z=i(3)), x=s("s"), y=NULL), d=("date", 4)),
                o(a=o(b=i(5))), o(a=i(6)), o(a=o(b=o())), o(a=o()), o(d=("date", -1), q=o(a=o(b=i(7)))), None,
                o(a=o(b=NULL)), o(a=NULL),
            ],
        ),
        # names by the order of their bytes, which is not that of UTF-16
        "names": column(
            {"\U0001f600": "int8", "\uffee": "int8", "": "int8", "z": "int8"},
            [("object", {"\uffee": ("int8", 1), "\U0001f600": ("int8", 2), "": ("int8", 3), "é": ("int8", 4), "z": ("int8", 5)})] * 2,
        ),
        # more than 255 members: counts, ids and offsets of more bytes
        "many": column(
            {"k007": "int32", "k299": "int32"}, [("object", {f"k{k:03}": i(k) for k in range(300)}), o(k007=i(1))]
        ),
    }
    write_read("objects", columns)


def arrays():
    a = lambda *items: ("array", list(items))
    o = lambda **members: ("object", members)
    i, s = lambda v: ("int32", v), lambda v: ("string", v)
    columns = {
        "ints": column(
            ["int32"],
            [a(i(1), i(2)), a(), None, NULL, a(i(3), s("x"), NULL, i(4)), s("none"), o(x=a(i(5))), a(a(i(6)))],
            # an element that says nothing is a variant's null
            ({"metadata": encode_metadata([]), "value": None, "typed_value": [missing(), {"typed_value": 7}]}, a(NULL, i(7))),
        ),
        "lists": column(
            [["string"]], [a(a(s("p"), s("q")), a(), i(1), a(s("r"), i(2))), None, a(), a(a(a(s("deep"))), a(s("t")))]
        ),
        "objects": column(
            [{"x": "int32", "y": ["double"]}],
            [
                a(o(x=i(1), y=a(("double", 0.5))), o(x=i(2), z=s("z")), o(), NULL, i(3)), None,
                a(o(y=a()), o(y=s("not a list")), o(x=s("text"), y=a(("double", 2.25), i(4)))),
            ],
        ),
        "in_object": column(
            {"tags": ["string"], "n": "int64"},
            [o(tags=a(s("u"), s("v")), n=("int64", 1)), o(n=("int64", 2)), o(tags=a()), None, o(tags=NULL, m=a(s("w")))],
        ),
        "only_typed": column(Only([Only("int16")]), [a(("int16", 1), ("int16", -2)), None, a()]),
        # more than 255 elements and more than 64 KiB of them, shredded and not
        "many": column(["int32"], [a(*[i(k) for k in range(300)]), a(*[s("y" * 40)] * 1700)]),
        "many_texts": column(["string"], [a(*[s("y" * 40)] * 1700), a(s("v"))]),
    }
    write_read("arrays", columns, data_page_size=512, write_batch_size=3)
    # the same in pages of the second version and small batches, with names of elements as older writers have them
    few = {c: columns[c] for c in ("ints", "lists", "objects")}
    write_read("arrays-v2", few, data_page_version="2.0", data_page_size=1, write_batch_size=2, use_compliant_nested_type=False)
    # below a list and a struct
    node_rows = [o(x=i(1), w=s("w")), NULL, None, i(2), o(x=s("3"))]
    type_, rows, texts = column({"x": "int32"}, node_rows)
    lists = pa.list_(pa.field("element", type_))
    structs = pa.struct([pa.field("in", type_)])
    write(
        "below",
        {
            "list": (lists, [rows[0:2], [], None, rows[2:5]]),
            "struct": (structs, [{"in": rows[0]}, None, {"in": None}, {"in": rows[4]}]),
        },
    )
    index["below"] = {
        "list": [texts[0:2], [], None, texts[2:5]],
        "struct": [[texts[0]], None, [None], [texts[4]]],
    }


def refused():
    meta, number = encode_metadata(["a", "b"]), encode(("int32", 1), [])
    group = group_of

    def struct(**fields):
        return pa.struct([pa.field(name, type_) for name, type_ in fields.items()])

    def one(type_, row, code, part):
        return type_, [row], code, part

    typed = lambda t, v: one(struct(metadata=pa.binary(), value=pa.binary(), typed_value=t),
                             {"metadata": meta, "typed_value": v}, "UNSUPPORTED", "of a type that no variant has")
    an_object = {"metadata": meta, "value": number, "typed_value": {"a": {"typed_value": 1}}}
    corrupt = "CORRUPT"
    both = "both a value and a typed_value"
    write_refused("refused", {
        "both_primitive": one(group("int32", True), {"metadata": meta, "value": number, "typed_value": 1}, corrupt, both),
        "both_array": one(group(["int32"], True), {"metadata": meta, "value": number, "typed_value": []}, corrupt, both),
        "both_element": one(
            group(["int32"], True), {"metadata": meta, "typed_value": [{"value": number, "typed_value": 1}]}, corrupt, both),
        "both_field": one(
            group({"a": "int32"}, True), {"metadata": meta, "typed_value": {"a": {"value": number, "typed_value": 1}}}, corrupt, both),
        "value_no_object": one(group({"a": "int32"}, True), an_object, corrupt, "its value is no object"),
        "unknown_name": one(
            group({"q": "int32"}, True), {"metadata": meta, "typed_value": {"q": {"typed_value": 1}}}, corrupt, '"q" is not in'),
        "empty_value": one(group("int32", True), {"metadata": meta, "value": b""}, corrupt, "of no bytes"),
        "no_metadata": one(group("int32", True), {"metadata": None, "typed_value": 1}, corrupt, "lacks its metadata"),
        "empty_metadata": one(group("int32", True), {"metadata": b"", "typed_value": 1}, corrupt, "metadata of no bytes"),
        "cut_metadata": one(group("int32", True), {"metadata": meta[:-1], "typed_value": 1}, corrupt, "beyond a variant's metadata"),
        "version": one(group("int32", True), {"metadata": b"\x02\0\0", "typed_value": 1}, "UNSUPPORTED", "encoding version 2"),
        "cut_rest": one(
            group({"a": "int32"}, True),
            {"metadata": meta, "value": encode(("object", {"b": ("string", "xyz")}), ["a", "b"])[:-1], "typed_value": {"a": missing()}},
            corrupt, "beyond its variant object"),
        "uint32": typed(pa.uint32(), 1),
        "fixed": typed(pa.binary(3), b"abc"),
        "float16": typed(pa.float16(), None),
        "time_ms": typed(pa.time32("ms"), None),
        "timestamp_ms": typed(pa.timestamp("ms"), None),
        "decimal_wide": typed(pa.decimal256(39, 2), None),
        "value_text": one(struct(metadata=pa.binary(), value=pa.int32()), {"metadata": meta, "value": 1}, "UNSUPPORTED", "cannot be read as variant"),
        "metadata_int": one(struct(metadata=pa.int32(), value=pa.binary()), {"metadata": 1, "value": b"\0"}, "UNSUPPORTED", "cannot be read as variant"),
        "inner_value_int": one(
            struct(metadata=pa.binary(), typed_value=struct(a=struct(value=pa.int32()))),
            {"metadata": meta, "typed_value": {"a": {"value": 1}}}, "UNSUPPORTED", "is not binary"),
        "field_no_group": one(
            struct(metadata=pa.binary(), typed_value=struct(a=pa.int32())),
            {"metadata": meta, "typed_value": {"a": 1}}, "UNSUPPORTED", "is no group"),
        "map": one(
            struct(metadata=pa.binary(), typed_value=pa.map_(pa.string(), pa.int32())), {"metadata": meta, "typed_value": None},
            "UNSUPPORTED", "is repeated"),
    })


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.glob("*"):
        old.unlink()
    primitives()
    objects()
    arrays()
    refused()
    with open(OUT / "index.json", "w") as f:
        json.dump(index, f, separators=(",", ":"), ensure_ascii=True)
        f.write("\n")


if __name__ == "__main__":
    main()
