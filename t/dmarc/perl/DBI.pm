# DBI.pm - stands in for the database of opendmarc-import: writes each statement and its values to standard output, as a line
package DBI;
use strict;
use warnings;

our $errstr = '';
my %ids;

sub connect { return bless {}, 'DBI::db' }

package DBI::db;

sub prepare { my ($self, $sql) = @_; $sql =~ s/\s+/ /g; $sql =~ s/^ | $//g; return bless { sql => $sql }, 'DBI::st' }
sub errstr { return '' }
sub disconnect { return 1 }

package DBI::st;

my $last = 0;

sub execute
{
	my ($self, @values) = @_;

	print join('|', $self->{sql}, map { defined $_ ? $_ : 'NULL' } @values), "\n" if $self->{sql} =~ /^(INSERT|UPDATE)/;
	$self->{rows} = [];
	if ($self->{sql} =~ /^SELECT id FROM (\w+)/) {
		my $id = $ids{join('|', $1, @values)};
		push @{$self->{rows}}, [$id] if defined $id;
	} elsif ($self->{sql} =~ /^INSERT INTO (\w+) ?\(/) {
		$last++;
		$ids{join('|', $1, @values)} = $last;
	} elsif ($self->{sql} =~ /LAST_INSERT_ID/) {
		push @{$self->{rows}}, [$last];
	} else {
		push @{$self->{rows}}, [0];
	}
	return 1;
}

sub fetchrow_arrayref { my ($self) = @_; return shift @{$self->{rows}} }
sub finish { return 1 }

1;
