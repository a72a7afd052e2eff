#!/bin/sh
# Makes the passwords that compose.yaml mounts, once: sh deploy/compose/secrets.sh [folder]
set -eu
folder=${1:-$(dirname "$0")/secrets}
mkdir -p "$folder"
# Nobody else gets into the folder; the files themselves must be readable for the users of the containers.
chmod 700 "$folder"
for name in rabbitmq postgresql grafana; do
  [ -s "$folder/$name" ] || od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$folder/$name"
  chmod 644 "$folder/$name"
done
printf 'default_pass = %s\n' "$(cat "$folder/rabbitmq")" >"$folder/rabbitmq.conf"
chmod 644 "$folder/rabbitmq.conf"
