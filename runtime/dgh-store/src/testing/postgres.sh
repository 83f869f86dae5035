# Runs a Postgres until standard input ends: with whoever holds the other end, however that ends.
# usage: postgres.sh BIN PORT
bin=$1 port=$2
trap '' INT HUP
umask 077
folder=$(mktemp -d "${TMPDIR:-/tmp}/dgh-postgres-XXXXXX") || exit 1
fail() { cat "$folder/log" >&2; rm -rf "$folder"; exit 1; }
"$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync \
  >"$folder/log" 2>&1 || fail
# Nothing of it outlives a crash, so nothing needs to reach the disk.
"$bin/pg_ctl" -D "$folder/data" -l "$folder/log" -w -s \
  -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=400 \
  -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=32MB" start || fail
echo ready
cat >/dev/null
"$bin/pg_ctl" -D "$folder/data" -m immediate -s stop
rm -rf "$folder"
