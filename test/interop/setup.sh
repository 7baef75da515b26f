#!/usr/bin/env bash
# Finds or makes what the interop tests run: Python with PyIceberg and pyarrow, Python with DuckDB and its iceberg
# extension, Python with Spark, and Iceberg's Spark runtime. Prints NAME=VALUE lines on stdout; progress goes to stderr.
#
#   setup.sh          installs what is missing, below ${XDG_CACHE_HOME:-~/.cache}/datashard-interop
#   setup.sh --find   installs nothing; a line is left out for what is not there
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}
home=$cache/datashard-interop
find_only=no
[ "${1:-}" = --find ] && find_only=yes
failed=0

say() { echo "interop: $*" >&2; }

retry() {
	local attempt
	for attempt in 1 2 3 4; do
		"$@" >&2 && return 0
		say "attempt $attempt of 4 failed: $*"
		sleep $((attempt * 5))
	done
	return 1
}

install_packages() {
	command -v apt-get >/dev/null || { say "no apt-get to install $*"; return 1; }
	local sudo=
	[ "$(id -u)" = 0 ] || sudo='sudo -n'
	retry $sudo apt-get -qq update
	DEBIAN_FRONTEND=noninteractive retry $sudo apt-get -qq -y --no-install-recommends install "$@"
}

# python_env NAME REQUIREMENTS CHECK CANDIDATE... : the Python of the first environment that passes the check
python_env() {
	local name=$1 requirements=$2 check=$3 python
	shift 3
	for python in "$@" "$home/$name/bin/python"; do
		if [ -x "$python" ] && "$python" -c "$check" >/dev/null 2>&1; then
			echo "$python"
			return 0
		fi
	done
	[ $find_only = yes ] && return 1
	say "making the Python environment $home/$name"
	mkdir -p "$home"
	rm -rf "${home:?}/$name"
	if ! python3 -m venv "$home/$name" >&2; then
		rm -rf "${home:?}/$name"
		install_packages python3 python3-venv && python3 -m venv "$home/$name" >&2 || return 1
	fi
	retry "$home/$name/bin/pip" --disable-pip-version-check -q install -r "$here/$requirements" || return 1
	"$home/$name/bin/python" -c "$check" >&2 || return 1
	echo "$home/$name/bin/python"
}

# emit NAME VALUE: prints the line, or counts a failure when there is no value
emit() {
	if [ -n "$2" ]; then echo "$1=$2"; else
		[ $find_only = yes ] || { say "$1 could not be set up"; failed=1; }
	fi
}

version_check() { echo "import importlib.metadata as m, $1; assert m.version('$2') == '$3', m.version('$2')"; }

emit DATASHARD_PY "$(python_env venv requirements.txt \
	"$(version_check 'pyiceberg.table, pyiceberg.catalog.sql, pyarrow.parquet, fastavro' pyiceberg 0.12.0)" "$cache/datashard-peers/venv/bin/python")"

emit DATASHARD_PY_DUCKDB "$(python_env venv-duckdb requirements-duckdb.txt \
	"$(version_check 'duckdb, duckdb_extension_iceberg, duckdb_extension_avro' duckdb 1.5.5)" \
	"$cache/datashard-peers/venv-duckdb15/bin/python")"

spark_python=$(python_env venv-spark requirements-spark.txt "$(version_check pyspark pyspark 4.1.4)" "$cache/datashard-clients/venv/bin/python")

java_works() {
	local version
	version=$(java -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1)
	[ -n "$version" ] && [ "$version" -ge 17 ]
}
jar_name=iceberg-spark-runtime-4.1_2.13-1.12.0.jar
jar=
for candidate in "$cache/datashard-clients/jars/$jar_name" "$home/jars/$jar_name"; do
	[ -s "$candidate" ] && { jar=$candidate; break; }
done
if [ $find_only = no ]; then
	java_works || install_packages openjdk-17-jre-headless
	if [ -z "$jar" ]; then
		command -v mvn >/dev/null || install_packages maven
		mkdir -p "$home/jars"
		retry mvn -q -B dependency:copy -Dartifact=org.apache.iceberg:iceberg-spark-runtime-4.1_2.13:1.12.0 -DoutputDirectory="$home/jars"
		[ -s "$home/jars/$jar_name" ] && jar=$home/jars/$jar_name
	fi
fi
java_works || { spark_python=; say 'no Java 17 or newer: Spark cannot run'; }
emit DATASHARD_PY_SPARK "$spark_python"
emit DATASHARD_SPARK_JAR "$jar"
exit $failed
