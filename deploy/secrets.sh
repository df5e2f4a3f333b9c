#!/bin/sh
# Make the secrets that compose.yaml mounts, each as a file with random characters; one that exists stays as it is.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
for name in grafana_password influx_password influx_token; do
    if [ ! -s "secrets/$name" ]; then
        head -c 32 /dev/urandom | base64 | tr -d '\n/+=' > "secrets/$name.new"
        chmod 444 "secrets/$name.new" # the containers' users read it; the folder keeps everybody else out
        mv "secrets/$name.new" "secrets/$name"
    fi
done
