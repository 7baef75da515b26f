"""DuckDB's iceberg_scan over single metadata files, with the extensions that come as wheels: nothing is downloaded."""
import datetime
import decimal
import glob
import os
import uuid

import duckdb

import canonical
from peer import serve

_WHEELS = os.path.dirname(os.path.dirname(duckdb.__file__))
_EPOCH = datetime.datetime(1970, 1, 1)


def connect():
    connection = duckdb.connect(
        config={"allow_unsigned_extensions": "true", "autoinstall_known_extensions": "false"}
    )
    for name in ("avro", "iceberg"):
        (path,) = glob.glob(f"{_WHEELS}/duckdb_extension_{name}/extensions/*/{name}.duckdb_extension")
        connection.sql(f"LOAD '{path}'")
    connection.sql("SET TimeZone='UTC'")
    return connection


_connection = connect()


def micros(moment):
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def value(kind, cell):
    """A Python value of a DuckDB type in canonical form."""
    if cell is None:
        return None
    if kind.id == "struct":
        return {name: value(child, cell[name]) for name, child in kind.children}
    if kind.id in ("list", "array"):
        return [value(kind.children[0][1], item) for item in cell]
    if kind.id == "map":
        key, item = (child for _, child in kind.children)
        return canonical.sorted_pairs([[value(key, k), value(item, v)] for k, v in cell.items()])
    if kind.id == "bigint":
        return str(cell)
    if isinstance(cell, float):
        return canonical.floating(cell)
    if isinstance(cell, decimal.Decimal):
        return canonical.decimal(cell)
    if isinstance(cell, datetime.datetime):
        return canonical.timestamp(micros(cell), 6, kind.id == "timestamp with time zone")
    if isinstance(cell, datetime.date):
        return cell.isoformat()
    if isinstance(cell, datetime.time):
        return cell.isoformat(timespec="microseconds")
    if isinstance(cell, uuid.UUID):
        return str(cell)
    if isinstance(cell, bytes):
        return cell.hex()
    return cell


def readable(name, kind):
    """A column as Python can take it: instants need a package of time zones there, and nanoseconds are cut."""
    if str(kind) == "TIMESTAMP_NS":
        return f"strftime(\"{name}\", '%Y-%m-%dT%H:%M:%S.%n') AS \"{name}\""
    plain = str(kind).replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMP")
    return f'CAST("{name}" AS {plain}) AS "{name}"' if plain != str(kind) else f'"{name}"'


def rows(metadata, snapshot_id=None, where=None):
    source = f"iceberg_scan('{metadata}'" + ("" if snapshot_id is None else f", snapshot_from_id={snapshot_id}") + ")"
    schema = _connection.sql(f"SELECT * FROM {source} LIMIT 0")
    names, kinds = schema.columns, schema.types
    columns = ", ".join(readable(name, kind) for name, kind in zip(names, kinds))
    relation = _connection.sql(f"SELECT {columns} FROM {source}" + (f" WHERE {where}" if where else ""))
    return [
        {name: value(kind, cell) for name, kind, cell in zip(names, kinds, row)} for row in relation.fetchall()
    ]


serve(rows)
