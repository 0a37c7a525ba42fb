#!/usr/bin/perl
# Puts each page into the template.
use strict;
use warnings;

sub slurp { local (@ARGV, $/) = shift; return scalar <> }

my $template = slurp('templates/page.html');
mkdir 'public';
for my $page (sort glob 'pages/*.txt') {
    my ($title, $body) = split /\n/, slurp($page), 2;
    my $html = $template;
    $html =~ s/\@title\@/$title/g;
    $html =~ s/\@body\@/$body/g;
    my ($name) = $page =~ m{([^/]+)\.txt$};
    open my $out, '>', "public/$name.html" or die $!;
    print $out $html;
}
