# JSON.pm - stands in for the module that opendmarc-import loads; perl's own reads JSON as well
package JSON;
use strict;
use warnings;
use JSON::PP ();

sub import { no strict 'refs'; *{caller() . '::decode_json'} = \&JSON::PP::decode_json }

1;
