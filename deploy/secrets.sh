#!/bin/sh
# Make the secrets that compose.yaml mounts, each as a file with random characters; one that exists stays as it is.
set -eu
cd "$(dirname "$0")"
umask 077

fail() {
    echo "secrets.sh: $1" >&2
    exit 1
}

mkdir -p secrets || fail "deploy/secrets cannot be made: run it as the owner of deploy/"
for name in grafana_password influx_password influx_token; do
    if [ -d "secrets/$name" ]; then
        fail "deploy/secrets/$name is a folder, which containers make that start before this: remove it, and run this again"
    fi
    if [ ! -s "secrets/$name" ]; then
        head -c 32 /dev/urandom | base64 | tr -d '\n/+=' > "secrets/$name.new" || fail "deploy/secrets cannot be written"
        [ "$(wc -c < "secrets/$name.new")" -ge 32 ] || fail "no random characters: are head, base64 and tr there?"
        chmod 444 "secrets/$name.new" # the containers' users read it; the folder keeps everybody else out
        mv "secrets/$name.new" "secrets/$name"
    fi
done
