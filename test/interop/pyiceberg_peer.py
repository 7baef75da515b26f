"""PyIceberg over single metadata files, and what pyarrow sees in Parquet files."""
import datetime
import decimal
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.conversions import from_bytes
from pyiceberg.table import StaticTable
from pyiceberg.types import StringType

import canonical
from parquet_facts import file_facts, local_path, written_field_ids
from peer import serve


def opened(metadata):
    return StaticTable.from_metadata(metadata)


def value(scalar):
    """A pyarrow scalar in canonical form."""
    kind = scalar.type
    if isinstance(scalar, pa.ExtensionScalar):
        if kind.extension_name != "arrow.uuid":
            raise TypeError(f"no canonical form of {kind}")
        return None if not scalar.is_valid else str(scalar.as_py())
    if not scalar.is_valid:
        return None
    if pa.types.is_null(kind):
        return None
    if pa.types.is_struct(kind):
        return {name: value(scalar[i]) for i, name in enumerate(kind.names)}
    if pa.types.is_map(kind):
        return canonical.sorted_pairs([[value(pair[0]), value(pair[1])] for pair in scalar.values])
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return [value(item) for item in scalar.values]
    if pa.types.is_int64(kind):
        return str(scalar.as_py())
    if pa.types.is_floating(kind):
        return canonical.floating(scalar.as_py())
    if pa.types.is_decimal(kind):
        return canonical.decimal(scalar.as_py())
    if pa.types.is_date(kind):
        return canonical.civil_date(scalar.value)
    if pa.types.is_time(kind):
        return canonical.time_of_day(scalar.value)
    if pa.types.is_timestamp(kind):
        return canonical.timestamp(scalar.value, {"us": 6, "ns": 9}[kind.unit], kind.tz is not None)
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return scalar.as_py().hex()
    return scalar.as_py()


def rows_of(table):
    columns = [[value(scalar) for scalar in column] for column in table.columns]
    return [dict(zip(table.column_names, cells)) for cells in zip(*columns)]


def rows(metadata, snapshot_id=None, where=None):
    scan = opened(metadata).scan(
        **({"row_filter": where} if where else {}), snapshot_id=None if snapshot_id is None else int(snapshot_id)
    )
    return rows_of(scan.to_arrow())


def rows_of_files(metadata):
    """The rows as pyarrow alone finds them in the data files."""
    return [
        row
        for task in opened(metadata).scan().plan_files()
        for row in rows_of(pq.read_table(local_path(task.file.file_path), partitioning=None))
    ]


def planned_files(metadata, wheres):
    """How many data files a scan with each filter opens."""
    table = opened(metadata)
    return [len(list(table.scan(row_filter=where).plan_files())) for where in wheres]


def about(metadata):
    table = opened(metadata)
    snapshot = table.current_snapshot()
    return {
        "properties": dict(table.properties),
        "spec": str(table.spec()),
        "sortOrder": [
            [table.schema().find_column_name(field.source_id), field.direction.name, field.null_order.name]
            for field in table.sort_order().fields
        ],
        "snapshots": len(table.snapshots()),
        "refs": sorted(table.refs()),
        "manifests": len(snapshot.manifests(table.io)) if snapshot else 0,
    }


def partitions(metadata):
    """The partition of each data file, by field name, in order."""
    table = opened(metadata)
    names = [field.name for field in table.spec().fields]
    return sorted(
        (
            {name: plain(task.file.partition[i]) for i, name in enumerate(names)}
            for task in table.scan().plan_files()
        ),
        key=repr,
    )


def plain(cell):
    if isinstance(cell, bytes):
        return cell.hex()
    if isinstance(cell, (decimal.Decimal, datetime.date, datetime.time)):
        return str(cell)
    return cell


def field_ids(metadata):
    """For each data file the ids that stand in it, by path; and the table's own."""
    table = opened(metadata)
    return {
        "files": [written_field_ids(task.file.file_path) for task in table.scan().plan_files()],
        "schema": {name: table.schema().find_field(name).field_id for name in table.schema().column_names},
    }


def file_metrics(metadata):
    """For each data file what its manifest says, beside what pyarrow finds in the file."""
    table = opened(metadata)
    types = {field_id: table.schema().find_type(field_id) for field_id in table.schema()._lazy_id_to_name}
    found = []
    for task in table.scan().plan_files():
        file = task.file

        def counts(of):
            return {str(key): count for key, count in sorted((of or {}).items())}

        def bounds(of):
            return {str(key): bound_text(from_bytes(types[key], raw)) for key, raw in sorted((of or {}).items())}

        found.append(
            {
                "manifest": {
                    "recordCount": file.record_count,
                    "fileSizeInBytes": file.file_size_in_bytes,
                    "columnSizes": counts(file.column_sizes),
                    "valueCounts": counts(file.value_counts),
                    "nullValueCounts": counts(file.null_value_counts),
                    "nanValueCounts": counts(file.nan_value_counts),
                    "lowerBounds": bounds(file.lower_bounds),
                    "upperBounds": bounds(file.upper_bounds),
                    "splitOffsets": file.split_offsets,
                    "sortOrderId": file.sort_order_id,
                },
                "parquet": file_facts(file.file_path),
            }
        )
    return found


def bound_text(bound):
    if isinstance(bound, bytes):
        return bound.hex()
    if isinstance(bound, uuid.UUID):
        return bound.hex
    if isinstance(bound, decimal.Decimal):
        return canonical.decimal(bound)
    if isinstance(bound, float):
        return canonical.floating(bound)
    return bound if isinstance(bound, (bool, str)) else str(bound)


def column_in_file_order(metadata, column):
    """The values of a column in the order of each file."""
    table = opened(metadata)
    return [
        [value(scalar) for scalar in pq.read_table(local_path(task.file.file_path), columns=[column], partitioning=None).column(0)]
        for task in table.scan().plan_files()
    ]


def write_table(folder):
    """Makes a table as PyIceberg does: partitioned, in three snapshots, with a column added and one renamed."""
    catalog = SqlCatalog("own", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}/warehouse")
    catalog.create_namespace("db")
    schema = pa.schema(
        [
            pa.field("id", pa.int64(), nullable=False),
            pa.field("region", pa.string()),
            pa.field("amount", pa.decimal128(12, 3)),
            pa.field("at", pa.timestamp("us", tz="UTC")),
            pa.field("ratio", pa.float64()),
            pa.field("tags", pa.list_(pa.string())),
            pa.field("where_", pa.struct([("x", pa.int32()), ("y", pa.float32())])),
            pa.field("counts", pa.map_(pa.string(), pa.int64())),
        ]
    )
    table = catalog.create_table("db.written", schema, properties={"owner": "tests"})
    with table.update_spec() as update:
        update.add_identity("region")

    def batch(first, count, extra=None):
        ids = list(range(first, first + count))
        start = datetime.datetime(2024, 2, 28, 23, 59, 59, 1, tzinfo=datetime.timezone.utc)
        columns = {
            "id": [i + 2**53 for i in ids],
            "region": [["north", "süd", None][i % 3] for i in ids],
            "amount": [None if i % 5 == 0 else decimal.Decimal(i - 50) / 8 for i in ids],
            "at": [start + datetime.timedelta(hours=i, microseconds=i) for i in ids],
            "ratio": [[0.1, float("nan"), float("-inf"), -0.0, None][i % 5] for i in ids],
            "tags": [None if i % 4 == 0 else [f"t{k}" for k in range(i % 4 - 1)] + [None] for i in ids],
            "where_": [None if i % 7 == 0 else {"x": -i, "y": i / 4} for i in ids],
            "counts": [[] if i % 3 == 0 else [("a", i), ("ü", None)] for i in ids],
        }
        if extra:
            columns[extra] = [f"{extra}-{i}" for i in ids]
            columns["place"] = columns.pop("where_")
        return columns

    table.append(pa.table(batch(0, 40), schema=schema))
    table.append(pa.table(batch(40, 25), schema=schema))
    with table.update_schema() as update:
        update.rename_column("where_", "place")
        update.add_column("note", StringType())
    table = catalog.load_table("db.written")
    target = table.schema().as_arrow()
    table.append(pa.table(batch(65, 10, "note"), schema=target))
    table = catalog.load_table("db.written")
    return {
        "metadata": table.metadata_location,
        "rows": rows_of(table.scan().to_arrow()),
        "snapshots": [
            {"id": str(one.snapshot_id), "rows": rows_of(table.scan(snapshot_id=one.snapshot_id).to_arrow())}
            for one in table.snapshots()
        ],
    }


serve(rows, rows_of_files, planned_files, about, partitions, field_ids, file_metrics, column_in_file_order, write_table)
