-- Run by the administrator with the database as its own; may be run again, which sets the password again.
\set ON_ERROR_STOP on
\set role `cat "$CREDENTIALS/username"`
\set password `cat "$CREDENTIALS/password"`

SELECT format('CREATE ROLE %I LOGIN', :'role')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role')
\gexec

ALTER ROLE :"role" LOGIN PASSWORD :'password';
GRANT CONNECT, TEMPORARY ON DATABASE :"DBNAME" TO :"role";
GRANT USAGE, CREATE ON SCHEMA public TO :"role";
