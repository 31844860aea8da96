#!/bin/sh
# Unpacks a server of the MySQL family beside a Debian or Ubuntu system; installs nothing and needs no root.
#   unpack-server.sh mysql|mariadb DIR    gives DIR/mysqld, or DIR/mariadbd and DIR/mariadb-install-db
set -eu
kind=$1
target=$2

for tool in apt-get dpkg-deb; do
  command -v "$tool" >/dev/null || { echo "this is no Debian or Ubuntu machine: it has no $tool" >&2; exit 1; }
done
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
  sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' | head -n 1)
[ -n "$mirror" ] || { echo "no package mirror is configured on this machine" >&2; exit 1; }

. /etc/os-release
components=main
case $ID-$kind in
  # Debian's releases have no MySQL, unstable has
  debian-mysql) suite=sid packages=mysql-server-core ;;
  ubuntu-mysql) suite=$VERSION_CODENAME components='main universe' packages=mysql-server-core ;;
  debian-mariadb) suite=$VERSION_CODENAME packages='mariadb-server-core mariadb-client-core' ;;
  ubuntu-mariadb) suite=$VERSION_CODENAME components='main universe' packages='mariadb-server-core mariadb-client-core' ;;
  *) echo "cannot unpack $kind on $ID" >&2; exit 1 ;;
esac

# unpack beside the target and move it there when complete: another process may do the same at this moment
mkdir -p "$(dirname "$target")"
work=$(cd "$(dirname "$target")" && pwd)/$kind.$$
trap 'rm -rf "$work"' EXIT
apt=$work/apt
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/debs" "$work/root"
# an empty status file makes apt resolve everything that the server needs, its own libc included
: > "$apt/status"
echo "deb [signed-by=/usr/share/keyrings/$ID-archive-keyring.gpg] $mirror $suite $components" > "$apt/one.list"
set -- -qq -o Dir::Etc::sourcelist="$apt/one.list" -o Dir::Etc::sourceparts=- \
  -o Dir::State::Lists="$apt/lists" -o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" \
  -o APT::Sandbox::User=root -o APT::Install-Recommends=false -o Debug::NoLocking=1 -o Acquire::Languages=none
apt-get "$@" update
if [ "$ID-$kind" = ubuntu-mysql ]; then
  packages=$(apt-cache "$@" search --names-only '^mysql-server-core-[0-9.]+$' | sort -V | tail -n 1 | cut -d' ' -f1)
fi
names=$(apt-get "$@" -s install $packages | awk '/^Inst/{print $2}' | grep -vE '^(perl|libperl|libdb5|libgdbm)')
(cd "$apt/debs" && apt-get "$@" download $names)
for deb in "$apt"/debs/*.deb; do dpkg-deb -x "$deb" "$work/root"; done
rm -rf "$apt"

# each script finds the files from where it lies itself, so that the folder may be moved
cat > "$work/run" <<'SCRIPT'
#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
root=$here/root
lib=$(echo "$root"/usr/lib/*-linux-gnu)
for loader in "$root"/usr/lib64/ld-linux-*.so.? "$root"/lib64/ld-linux-*.so.? "$root"/usr/lib/ld-linux-*.so.? \
  "$lib"/ld-linux-*.so.? "$root"/lib/*-linux-gnu/ld-linux-*.so.?; do [ -e "$loader" ] && break; done
name=$(basename "$0")
# callers say --no-defaults too, and it must come first and only once
for word; do shift; [ "$word" = --no-defaults ] || set -- "$@" "$word"; done
common="--no-defaults --basedir=$root/usr --character-sets-dir=$root/usr/share/mysql/charsets --lc-messages-dir=$root/usr/share/mysql"
case $name in
  mysqld) set -- --secure-file-priv=NULL "$@" ;;
  mariadbd) set -- --plugin-dir="$root/usr/lib/mysql/plugin" "$@" ;;
esac
exec "$loader" --library-path "$lib:$root/lib/$(basename "$lib")" "$root/usr/sbin/$name" $common "$@"
SCRIPT
cat > "$work/mariadb-install-db" <<'SCRIPT'
#!/bin/sh
here=$(cd "$(dirname "$0")" && pwd)
MYSQLD_BOOTSTRAP="$here/mariadbd" exec sh "$here/root/usr/bin/mariadb-install-db" --no-defaults --basedir="$here/root/usr" "$@"
SCRIPT
server=mysqld
[ "$kind" = mariadb ] && server=mariadbd
mv "$work/run" "$work/$server"
chmod +x "$work/$server" "$work/mariadb-install-db"
"$work/$server" --version >&2
[ -x "$target/$server" ] && exit 0
rm -rf "$target"
mv -T "$work" "$target" 2>/dev/null || [ -x "$target/$server" ]
