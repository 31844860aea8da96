#!/bin/sh
# Unpacks pgbouncer beside a Debian or Ubuntu system; installs nothing and needs no root.
#   unpack-pgbouncer.sh DIR    gives DIR/pgbouncer
set -eu
target=$1

for tool in apt-get dpkg-deb; do
  command -v "$tool" >/dev/null || { echo "this is no Debian or Ubuntu machine: it has no $tool" >&2; exit 1; }
done
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
  sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' | head -n 1)
[ -n "$mirror" ] || { echo "no package mirror is configured on this machine" >&2; exit 1; }
. /etc/os-release
components=main
[ "$ID" = ubuntu ] && components='main universe'

# unpack beside the target and move it there when complete: another process may do the same at this moment
mkdir -p "$(dirname "$target")"
work=$(cd "$(dirname "$target")" && pwd)/pgbouncer.$$
trap 'rm -rf "$work"' EXIT
apt=$work/apt
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/debs" "$work/root"
# an empty status file makes apt resolve everything that the program needs, its own libc included
: > "$apt/status"
echo "deb [signed-by=/usr/share/keyrings/$ID-archive-keyring.gpg] $mirror $VERSION_CODENAME $components" > "$apt/one.list"
set -- -qq -o Dir::Etc::sourcelist="$apt/one.list" -o Dir::Etc::sourceparts=- \
  -o Dir::State::Lists="$apt/lists" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" \
  -o APT::Sandbox::User=root -o APT::Install-Recommends=false -o Debug::NoLocking=1 -o Acquire::Languages=none
apt-get "$@" update
# of what it depends on only the libraries are of use
names=$(apt-get "$@" -s install pgbouncer | awk '/^Inst/{print $2}' | grep -E '^(pgbouncer|lib)' | grep -vE '^libperl|-perl$')
(cd "$apt/debs" && apt-get "$@" download $names)
for deb in "$apt"/debs/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
rm -rf "$apt"

# finds the files from where it lies itself, so that the folder may be moved
cat > "$work/pgbouncer" <<'SCRIPT'
#!/bin/sh
root=$(cd "$(dirname "$0")" && pwd)/root
lib=$(echo "$root"/usr/lib/*-linux-gnu)
for loader in "$root"/usr/lib64/ld-linux-*.so.? "$root"/lib64/ld-linux-*.so.? "$root"/usr/lib/ld-linux-*.so.? \
  "$lib"/ld-linux-*.so.? "$root"/lib/*-linux-gnu/ld-linux-*.so.?; do [ -e "$loader" ] && break; done
exec "$loader" --library-path "$lib:$root/lib/$(basename "$lib")" "$root/usr/sbin/pgbouncer" "$@"
SCRIPT
chmod +x "$work/pgbouncer"
"$work/pgbouncer" --version >&2
[ -x "$target/pgbouncer" ] && exit 0
rm -rf "$target"
mv -T "$work" "$target" 2>/dev/null || [ -x "$target/pgbouncer" ]
