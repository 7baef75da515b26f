"""Spark with Iceberg's runtime: one session, a Hadoop catalog over the folder that is given as the argument."""
import datetime
import json
import os
import sys

os.environ["TZ"] = "UTC"

from pyspark.sql import SparkSession  # noqa: E402
from pyspark.sql import types as spark_types  # noqa: E402

import canonical  # noqa: E402
from peer import serve  # noqa: E402

_JAR = os.environ["DATASHARD_SPARK_JAR"]
_EPOCH = datetime.datetime(1970, 1, 1)


def start(warehouse):
    settings = {
        "spark.driver.extraClassPath": _JAR,
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": "-Duser.timezone=UTC -XX:TieredStopAtLevel=1",
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.warehouse.dir": f"{warehouse}/unused",
        "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
        "spark.sql.catalog.c": "org.apache.iceberg.spark.SparkCatalog",
        "spark.sql.catalog.c.type": "hadoop",
        "spark.sql.catalog.c.warehouse": warehouse,
        "spark.sql.catalog.c.cache-enabled": "false",
    }
    builder = SparkSession.builder.master("local[1]").appName("interop")
    for name, setting in settings.items():
        builder = builder.config(name, setting)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def moment(units):
    return None if units is None else _EPOCH + datetime.timedelta(microseconds=units)


# PySpark goes through local time, which Python does not have before 1900 or so
spark_types.TimestampType.fromInternal = lambda self, units: moment(units)
spark_types.TimestampNTZType.fromInternal = lambda self, units: moment(units)

_spark = start(sys.argv[1])


def micros(of):
    since = of - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def value(kind, cell):
    """A PySpark value in canonical form."""
    if cell is None:
        return None
    if isinstance(kind, spark_types.StructType):
        return {field.name: value(field.dataType, cell[i]) for i, field in enumerate(kind.fields)}
    if isinstance(kind, spark_types.ArrayType):
        return [value(kind.elementType, item) for item in cell]
    if isinstance(kind, spark_types.MapType):
        return canonical.sorted_pairs(
            [[value(kind.keyType, key), value(kind.valueType, item)] for key, item in cell.items()]
        )
    if isinstance(kind, spark_types.LongType):
        return str(cell)
    if isinstance(kind, (spark_types.FloatType, spark_types.DoubleType)):
        return canonical.floating(cell)
    if isinstance(kind, spark_types.DecimalType):
        return canonical.decimal(cell)
    if isinstance(kind, (spark_types.TimestampType, spark_types.TimestampNTZType)):
        return canonical.timestamp(micros(cell), 6, isinstance(kind, spark_types.TimestampType))
    if isinstance(kind, spark_types.DateType):
        return cell.isoformat()
    if isinstance(kind, spark_types.BinaryType):
        return bytes(cell).hex()
    if isinstance(kind, spark_types.GeometryType):
        return bytes(cell.getBytes()).hex()
    if isinstance(kind, spark_types.VariantType):
        return json.loads(cell.toJson())
    return cell


def rows(table, snapshot_id=None, where=None):
    version = "" if snapshot_id is None else f" VERSION AS OF {snapshot_id}"
    return query(f"SELECT * FROM c.{table}{version}" + (f" WHERE {where}" if where else ""))


def query(sql):
    """What a query gives; nothing for a statement."""
    frame = _spark.sql(sql)
    return [value(frame.schema, row) for row in frame.collect()]


def planned_files(table, filters):
    """How many data files Iceberg's own planning keeps, for filters of [column, operation, literals…]."""
    jvm = _spark._jvm
    loaded = jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(_spark._jsparkSession, f"c.{table}")
    counts = []
    for column, operation, *literals in filters:
        values = [int(literal["long"]) if isinstance(literal, dict) else literal for literal in literals]
        expression = getattr(jvm.org.apache.iceberg.expressions.Expressions, operation)(column, *values)
        tasks = loaded.newScan().filter(expression).planFiles()
        count = 0
        each = tasks.iterator()
        while each.hasNext():
            each.next()
            count += 1
        each.close()
        counts.append(count)
    return counts


def properties(table):
    return dict(
        (row["key"], row["value"]) for row in _spark.sql(f"SHOW TBLPROPERTIES c.{table}").collect()
    )


serve(rows, query, planned_files, properties)
