package Counter;
use strict;
use warnings;

sub new { return bless {value => 0}, shift }

sub next { return ++shift->{value} }

1;
