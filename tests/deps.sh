#!/bin/sh
# Installs those of the Debian packages named that are missing: as root, or through sudo where it
# asks nothing; otherwise prints the one line to run.
set -eu
missing=
for package; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ "$missing" ] || exit 0
echo "installing:$missing"
if [ "$(id -u)" = 0 ]; then as=
elif sudo -n true 2>/dev/null; then as="sudo -n"
else
    echo "run this, then make again:  sudo apt-get update && sudo apt-get install -y$missing" >&2
    exit 1
fi
$as apt-get update -qq
# shellcheck disable=SC2086
$as env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
