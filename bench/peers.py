"""The peers' side of the benchmarks: one measured action in a process of its own, printed as JSON.

    PYTHONPATH=../shared/peers python bench/peers.py ACTION ARGS...
"""
import glob, json, os, sys, time


def cpu_ms():
    t = os.times()
    return 1e3 * (t.user + t.system)


def vm(key):
    for line in open("/proc/self/status"):
        if line.startswith(key + ":"):
            return int(line.split()[1]) / 1024


def measured(work):
    with open("/proc/self/clear_refs", "w") as f:
        f.write("5")
    start_mb, start_cpu, start = vm("VmRSS"), cpu_ms(), time.perf_counter()
    facts = work() or {}
    wall = 1e3 * (time.perf_counter() - start)
    return dict(wallMs=wall, cpuMs=cpu_ms() - start_cpu, peakMb=vm("VmHWM"), startMb=start_mb, **facts)


def catalog(d):
    from pyiceberg.catalog.sql import SqlCatalog
    os.makedirs(f"{d}/wh", exist_ok=True)
    return SqlCatalog("c", uri=f"sqlite:///{d}/catalog.db?timeout=60", warehouse=f"file://{d}/wh")


def create(d):
    from common import arrow_schema
    c = catalog(d)
    c.create_namespace("n")
    return c.create_table("n.t", arrow_schema())


def metadata_of(d):
    return max(glob.glob(f"{d}/wh/n/t/metadata/*.metadata.json"), key=os.path.getmtime)


def one_row(i=1):
    import pyarrow as pa
    from common import arrow_schema, record
    return pa.Table.from_pylist([record(1, i)], schema=arrow_schema())


def make_input(path, n):
    """The task log as an uncompressed Arrow file."""
    if not os.path.exists(path):
        import pyarrow as pa
        from common import arrow_rows, arrow_schema
        with pa.OSFile(path + ".tmp", "wb") as f, pa.ipc.new_file(f, arrow_schema()) as w:
            for s in range(0, int(n), 1_000_000):
                w.write_table(arrow_rows(s, min(1_000_000, int(n) - s)))
        os.rename(path + ".tmp", path)
    return {}


def make_parquet(path, n):
    """The task log as a Parquet file, in row groups of 1,000,000 rows."""
    if not os.path.exists(path):
        import pyarrow.parquet as pq
        from common import arrow_rows, arrow_schema
        with pq.ParquetWriter(path + ".tmp", arrow_schema(), compression="zstd") as w:
            for s in range(0, int(n), 1_000_000):
                w.write_table(arrow_rows(s, min(1_000_000, int(n) - s)))
        os.rename(path + ".tmp", path)
    return {}


def make(d):
    create(d)
    return {}


def cold(d):
    import pyarrow  # noqa: F401
    catalog(d).load_table("n.t").append(one_row())
    return dict(cpuMs=cpu_ms())


def appends(d, n):
    import pyarrow  # noqa: F401
    t = catalog(d).load_table("n.t")
    for i in range(3):
        t.append(one_row(i))
    times, start_cpu = [], cpu_ms()
    for i in range(int(n)):
        b = one_row(i)
        s = time.perf_counter()
        t.append(b)
        times.append(1e3 * (time.perf_counter() - s))
    times.sort()
    return dict(p50Ms=times[len(times) // 2], p99Ms=times[int(len(times) * 0.99)], cpuMs=(cpu_ms() - start_cpu) / len(times))


def bulk(d, path):
    import pyarrow as pa
    with pa.OSFile(path) as f:
        data = pa.ipc.open_file(f).read_all()
    t = create(d)
    def work():
        t.append(data)
        return dict(rows=len(data))
    result = measured(work)
    # It leaves its files to the system; what that owes is counted, as ours are durable.
    start = time.perf_counter()
    for top, _, names in os.walk(d):
        for name in names:
            fd = os.open(os.path.join(top, name), os.O_RDONLY)
            os.fsync(fd)
            os.close(fd)
    return dict(result, durableMs=result["wallMs"] + 1e3 * (time.perf_counter() - start))


def bulk_again(d, path, times):
    results = sorted((bulk(f"{d}/{k}", path) for k in range(int(times) + 1)), key=lambda r: r["durableMs"])
    return results[len(results) // 2]


def slices(d, path, files):
    import pyarrow as pa
    t = create(d)
    with pa.OSFile(path) as f:
        data = pa.ipc.open_file(f).read_all()
    each = len(data) // int(files)
    for k in range(int(files)):
        t.append(data.slice(k * each, each).combine_chunks())
    return dict(metadata=metadata_of(d))


def metadata(d):
    return dict(metadata=metadata_of(d))


def twice(work):
    first = measured(work)
    again = measured(work)
    return dict(first, againMs=again["wallMs"], againCpuMs=again["cpuMs"])


def columns(location):
    """pyarrow: the Parquet files of a table, found beforehand, as one table."""
    import pyarrow.dataset as ds
    files = sorted(glob.glob(f"{location}/data/*.parquet") + glob.glob(f"{location}/wh/n/t/data/*.parquet"))
    def work():
        return dict(rows=len(ds.dataset(files, format="parquet").to_table()))
    return twice(work)


def columns_one_thread(location):
    import pyarrow
    pyarrow.set_cpu_count(1)
    pyarrow.set_io_thread_count(1)
    return columns(location)


def table_of(location):
    from pyiceberg.table import StaticTable
    newest = max(glob.glob(f"{location}/metadata/*.metadata.json"), key=os.path.getmtime) if os.path.isdir(location) else location
    return StaticTable.from_metadata(newest)


def pyiceberg_columns(location):
    import pyiceberg.io.pyarrow  # noqa: F401
    return twice(lambda: dict(rows=len(table_of(location).scan().to_arrow())))


def pyiceberg_selective(location, lo, hi):
    import pyiceberg.io.pyarrow  # noqa: F401
    from pyiceberg.expressions import And, GreaterThanOrEqual as G, LessThanOrEqual as L
    return twice(lambda: dict(rows=len(table_of(location).scan(row_filter=And(G("started_at", int(lo)), L("started_at", int(hi)))).to_arrow())))


def selective(location, lo, hi):
    import pyarrow.dataset as ds
    files = sorted(glob.glob(f"{location}/data/*.parquet"))
    f = (ds.field("started_at") >= int(lo)) & (ds.field("started_at") <= int(hi))
    return twice(lambda: dict(rows=len(ds.dataset(files, format="parquet").to_table(filter=f))))


def make_many(d, files, commits):
    """Many one-row files, `files / commits` to a manifest."""
    import pyarrow as pa, pyarrow.parquet as pq
    from common import T0, arrow_schema, record
    t, per = create(d), int(files) // int(commits)
    os.makedirs(f"{d}/wh/raw")
    for c in range(int(commits)):
        paths = []
        for k in range(c * per, (c + 1) * per):
            row = dict(record(0, k), task_id=f"task-{k:09d}", started_at=T0 + k * 10, completed_at=T0 + k * 10 + 5, duration_ms=5)
            path = f"{d}/wh/raw/{k:06d}.parquet"
            pq.write_table(pa.Table.from_pylist([row], schema=arrow_schema()), path)
            paths.append("file://" + path)
        t.add_files(paths, check_duplicate_files=False)
    return dict(metadata=metadata_of(d))


def plan(location, started_at):
    import pyiceberg.io.pyarrow  # noqa: F401
    from pyiceberg.expressions import EqualTo
    box = {}
    def load():
        box["t"] = table_of(location)
    loaded = measured(load)
    full = measured(lambda: dict(files=len(list(box["t"].scan().plan_files()))))
    pruned = measured(lambda: dict(files=len(list(box["t"].scan(row_filter=EqualTo("started_at", int(started_at))).plan_files()))))
    return dict(loadMs=loaded["wallMs"], fullMs=full["wallMs"], fullCpuMs=full["cpuMs"], prunedMs=pruned["wallMs"],
                prunedCpuMs=pruned["cpuMs"], files=full["files"], prunedFiles=pruned["files"], peakMb=vm("VmHWM"))


if __name__ == "__main__":
    import logging
    logging.disable(logging.WARNING)
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
