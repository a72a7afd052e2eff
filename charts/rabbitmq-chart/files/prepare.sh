# Run before RabbitMQ starts: the Erlang cookie must belong to its reader alone, which a mounted Secret never does; and
# the definitions give the user the Secret's password at every start, not only at the first.
set -eu
umask 077
username=$(cat /etc/gantry/credentials/username)
password=$(cat /etc/gantry/credentials/password)
for value in "$username" "$password"; do
  case $value in
    '' | *[\"\\[:cntrl:]]*)
      echo 'user name and password may not be empty, nor hold quotes, backslashes or control characters' >&2
      exit 1
      ;;
  esac
done
rm -f "$HOME/.erlang.cookie"
cat /etc/gantry/credentials/erlang-cookie >"$HOME/.erlang.cookie"
chmod 400 "$HOME/.erlang.cookie"
cat >"$HOME/definitions.json" <<JSON
{
  "vhosts": [{ "name": "/" }],
  "users": [{ "name": "$username", "password": "$password", "tags": ["monitoring"] }],
  "permissions": [{ "user": "$username", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*" }]
}
JSON
