#!/usr/bin/perl
# Serves a counter. With --once it only says what it would serve.
use strict;
use warnings;
use Counter;
use IO::Socket::INET;

my $counter = Counter->new;

sub answer { return sprintf "%s, visitor %d\n", $ENV{GREETING}, $counter->next }

if (($ARGV[0] // '') eq '--once') {
    print answer(), answer(), "uid $<\n";
    exit;
}

my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ARGV[0], Listen => 5, ReuseAddr => 1)
    or die "cannot listen: $@";
$| = 1;
print "listening\n";
while (my $client = $server->accept) {
    while (defined(my $line = <$client>)) { last if $line =~ /^\r?\n$/ }
    my $body = answer();
    print $client "HTTP/1.0 200 OK\r\nContent-Length: ", length $body, "\r\n\r\n", $body;
    close $client;
}
