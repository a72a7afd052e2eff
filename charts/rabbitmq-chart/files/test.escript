#!/usr/bin/env escript
%% Whether the credentials open the management API, no alarm is on, and AMQP answers.
main([Host]) ->
  {ok, _} = application:ensure_all_started(inets),
  [User, Password] = [read(Name) || Name <- ["username", "password"]],
  Login = {"authorization", "Basic " ++ base64:encode_to_string(User ++ ":" ++ Password)},
  [check(Host, Path, Login) || Path <- ["whoami", "health/checks/alarms"]],
  {ok, Socket} = gen_tcp:connect(Host, 5672, [binary, {active, false}], 5000),
  ok = gen_tcp:send(Socket, <<"AMQP", 0, 0, 9, 1>>),
  {ok, <<1, _/binary>>} = gen_tcp:recv(Socket, 0, 5000),
  io:format("amqp: answers~n").

read(Name) ->
  {ok, Text} = file:read_file("/etc/gantry/credentials/" ++ Name),
  binary_to_list(Text).

check(Host, Path, Login) ->
  Url = "http://" ++ Host ++ ":15672/api/" ++ Path,
  {ok, {{_, Status, _}, _, Body}} = httpc:request(get, {Url, [Login]}, [{timeout, 5000}], []),
  io:format("~s: ~p ~s~n", [Path, Status, Body]),
  Status =:= 200 orelse halt(1).
