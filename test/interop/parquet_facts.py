"""What pyarrow finds in a Parquet file: field ids, layout, and the metrics that its values have."""
import math
import struct as packing

import pyarrow as pa
import pyarrow.parquet as pq

import canonical

def local_path(location):
    return location.removeprefix("file://").removeprefix("file:")


def field_id(field):
    raw = (field.metadata or {}).get(b"PARQUET:field_id")
    return None if raw is None else int(raw)


def children(field):
    """The fields below a field, with the names that Iceberg gives them."""
    kind = field.type
    if pa.types.is_struct(kind):
        return [(kind.field(i).name, kind.field(i)) for i in range(kind.num_fields)]
    if pa.types.is_map(kind):
        return [("key", kind.key_field), ("value", kind.item_field)]
    if pa.types.is_list(kind):
        return [("element", kind.value_field)]
    return []


def written_field_ids(location):
    ids = {}

    def walk(name, field):
        ids[name] = field_id(field)
        for child_name, child in children(field):
            walk(f"{name}.{child_name}", child)

    for field in pq.ParquetFile(local_path(location)).schema_arrow:
        walk(field.name, field)
    return ids


def file_facts(location):
    """The layout of a file, and metrics of its columns computed from the values that pyarrow reads."""
    path = local_path(location)
    file = pq.ParquetFile(path)
    groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
    chunks = [group.column(i) for group in groups for i in range(group.num_columns)]
    leaves, columns = [], {}
    for name, column in zip(file.schema_arrow.names, file.read().columns):
        field = file.schema_arrow.field(name)
        slots = [(True, scalar) for scalar in column]
        measure(field, slots, False, leaves, columns)
    sizes = {}
    for group in groups:
        for i, leaf in enumerate(leaves):
            sizes[str(leaf)] = sizes.get(str(leaf), 0) + group.column(i).total_compressed_size
    with open(path, "rb") as raw:
        size = raw.seek(0, 2)
        raw.seek(size - 8)
        footer_length, magic = packing.unpack("<I4s", raw.read(8))
    return {
        "recordCount": file.metadata.num_rows,
        "fileSizeInBytes": size,
        "footerSound": magic == b"PAR1" and footer_length < size,
        "rowGroupRows": [group.num_rows for group in groups],
        "rowGroupOffsets": [first_page(group.column(0)) for group in groups],
        "columnIndexes": sum(chunk.has_column_index for chunk in chunks),
        "offsetIndexes": sum(chunk.has_offset_index for chunk in chunks),
        "chunks": len(chunks),
        "codecs": sorted({chunk.compression for chunk in chunks}),
        "columnSizes": sizes,
        "columns": columns,
    }


def first_page(chunk):
    return min(offset for offset in (chunk.dictionary_page_offset, chunk.data_page_offset) if offset)


def measure(field, slots, repeated, leaves, columns):
    """Walks down to the leaves. A slot is what Parquet stores a level for: a value, or that there is none."""
    kind = field.type
    if pa.types.is_struct(kind):
        for i in range(kind.num_fields):
            inner = [
                (True, scalar[i]) if present and scalar.is_valid else (False, None) for present, scalar in slots
            ]
            measure(kind.field(i), inner, repeated, leaves, columns)
        return
    if pa.types.is_map(kind) or pa.types.is_list(kind):
        is_map = pa.types.is_map(kind)
        for part, (_, child) in enumerate(children(field)):
            inner = []
            for present, scalar in slots:
                items = list(scalar.values) if present and scalar.is_valid else []
                inner.extend((True, item[part] if is_map else item) for item in items)
                if not items:
                    inner.append((False, None))
            measure(child, inner, True, leaves, columns)
        return
    leaf = field_id(field)
    leaves.append(leaf)
    present = [scalar for here, scalar in slots if here and scalar.is_valid]
    facts = {"valueCount": len(slots), "nullCount": len(slots) - len(present), "repeated": repeated}
    if pa.types.is_floating(kind):
        numbers = [scalar.as_py() for scalar in present]
        facts["nanCount"] = sum(math.isnan(number) for number in numbers)
        numbers = sorted((n for n in numbers if not math.isnan(n)), key=lambda n: (n, math.copysign(1, n)))
        if numbers:
            facts["min"], facts["max"] = canonical.floating(numbers[0]), canonical.floating(numbers[-1])
    elif present:
        ordered = sorted((sort_key(kind, scalar) for scalar in present))
        facts["min"], facts["max"] = spelled(kind, ordered[0]), spelled(kind, ordered[-1])
    columns[str(leaf)] = facts


def sort_key(kind, scalar):
    if isinstance(scalar, pa.ExtensionScalar):
        return scalar.value.as_py()
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return scalar.as_py().encode()
    if pa.types.is_date(kind) or pa.types.is_time(kind) or pa.types.is_timestamp(kind):
        return scalar.value
    return scalar.as_py()


def spelled(kind, key):
    if isinstance(key, bool):
        return key
    if isinstance(key, bytes):
        return key.decode() if pa.types.is_string(kind) or pa.types.is_large_string(kind) else key.hex()
    if pa.types.is_decimal(kind):
        return canonical.decimal(key)
    return str(key)
