"""PyIceberg and pyarrow doing what `bench/run.mjs` measures of this library. Prints one JSON line.

  pyiceberg_peer.py data FILE ROWS           writes ROWS rows of the task log as an Arrow IPC stream
  pyiceberg_peer.py append-one FOLDER        one row into a table in a catalog of FOLDER: a whole process
  pyiceberg_peer.py append-many FOLDER N     N one-row appends in one process
  pyiceberg_peer.py append-bulk FOLDER FILE  the rows of FILE as one append
  pyiceberg_peer.py scan FOLDER [FILTER]     the table of append-bulk to Arrow
  pyiceberg_peer.py scan-parquet FILE        pyarrow over one Parquet file
  pyiceberg_peer.py plan METADATA [FILTER]   opens a metadata file and plans
"""
import json
import os
import resource
import sys
import time

NAMES = ["task_id", "workflow_id", "status", "started_at", "completed_at", "duration_ms", "error_message", "worker_id"]


def rows(count):
    import numpy as np
    import pyarrow as pa

    i = np.arange(count, dtype=np.int64)
    mixed = (i * 2862933555777941757 + 3037000493) & 0x7FFFFFFFFFFFFFFF
    duration = (mixed >> 21) % 60_000
    status = (mixed >> 40) % 4
    started = 1_700_000_000_000 + i * 10
    text = lambda pattern, numbers: pa.array([pattern % n for n in numbers.tolist()], pa.string())
    choose = lambda texts, numbers: pa.array(texts).take(pa.array(numbers))
    errors = pa.array(["upstream returned 503 after retry", None, None, None], pa.string()).take(pa.array(status))
    columns = [
        text("7f3a4c1e-0000-4000-8000-%012d", i),
        choose(["wf-%06d" % k for k in range(20_000)], (mixed >> 7) % 20_000),
        choose(["success", "failed", "running", "cancelled"], status),
        pa.array(started), pa.array(started + duration), pa.array(duration), errors,
        choose(["worker-%03d" % k for k in range(64)], i % 64),
    ]
    return pa.table(dict(zip(NAMES, columns)))


def table_in(folder, name, schema):
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.exceptions import NamespaceAlreadyExistsError, NoSuchTableError

    os.makedirs(folder, exist_ok=True)
    catalog = SqlCatalog("bench", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}")
    try:
        catalog.create_namespace("bench")
    except NamespaceAlreadyExistsError:
        pass
    try:
        return catalog.load_table(f"bench.{name}")
    except NoSuchTableError:
        return catalog.create_table(f"bench.{name}", schema=schema)


def main(command, *args):
    import pyarrow as pa

    started, result = time.perf_counter(), {}
    if command == "data":
        with pa.ipc.new_stream(args[0], rows(1).schema) as out:
            out.write_table(rows(int(args[1])), max_chunksize=65_536)
    elif command == "append-one":
        one = rows(1)
        table_in(args[0], "one", one.schema).append(one)
    elif command == "append-many":
        one = rows(1)
        table = table_in(args[0], "many", one.schema)
        table.append(one)
        started = time.perf_counter()
        for _ in range(int(args[1])):
            table.append(one)
        result["each"] = (time.perf_counter() - started) / int(args[1])
    elif command == "append-bulk":
        data = pa.ipc.open_stream(args[1]).read_all()
        table = table_in(args[0], f"bulk{time.time_ns()}", data.schema)
        started = time.perf_counter()
        table.append(data)
        result["metadata"] = table.metadata_location.removeprefix("file://")
    elif command == "scan":
        from pyiceberg.table import StaticTable

        table = StaticTable.from_metadata(args[0])
        started = time.perf_counter()
        scan = table.scan(row_filter=args[1]) if len(args) > 1 else table.scan()
        result["rows"] = scan.to_arrow().num_rows
    elif command == "scan-parquet":
        import pyarrow.parquet as pq

        started = time.perf_counter()
        result["rows"] = pq.read_table(args[0]).num_rows
    elif command == "plan":
        from pyiceberg.table import StaticTable

        times = []
        for _ in range(5):
            started = time.perf_counter()
            table = StaticTable.from_metadata(args[0])
            scan = table.scan(row_filter=args[1]) if len(args) > 1 else table.scan()
            result["files"] = len(list(scan.plan_files()))
            times.append(time.perf_counter() - started)
        result["first"], result["again"] = times[0], sorted(times)[2]
    result["seconds"] = time.perf_counter() - started
    result["peakMb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(result))


main(*sys.argv[1:])
