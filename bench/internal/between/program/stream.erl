%% Erlang: messages between two nodes over its distribution. "sink", or "source".
%% For each line with a number, so many messages are sent or received and checked;
%% then "0".
-mode(compile).

main([Role]) ->
    {ok, _} = net_kernel:start([list_to_atom(Role ++ "@127.0.0.1"), longnames]),
    register(sink, self()),
    To = {sink, 'sink@127.0.0.1'},
    case Role of
        "source" -> true = net_kernel:connect_node('sink@127.0.0.1');
        "sink" -> ok
    end,
    io:put_chars("ready\n"),
    loop(Role, To, 0).

loop(Role, To, Next) ->
    case io:get_line("") of
        eof ->
            ok;
        Line ->
            N = list_to_integer(string:trim(Line)),
            Then = case Role of
                "source" -> send(To, Next, Next + N);
                "sink" -> take(Next, Next + N)
            end,
            io:put_chars("0\n"),
            loop(Role, To, Then)
    end.

send(_, End, End) -> End;
send(To, Next, End) ->
    To ! {message, <<Next:64/little, 0:448>>},
    send(To, Next + 1, End).

take(End, End) -> End;
take(Next, End) ->
    receive
        {message, <<Number:64/little, _:448>>} when Number =:= Next -> take(Next + 1, End);
        {message, _} -> halt(1)
    end.
