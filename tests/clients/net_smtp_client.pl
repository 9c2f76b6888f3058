# Does the jobs that it reads from stdin as JSON, one after another, and says as
# JSON what came of each.
use strict;
use warnings;
use Authen::SASL;
use JSON::PP;
use Net::SMTP;

# What one job has come to: "sent", or the step and the reply that refused it.
sub run_job {
    my ($job) = @_;
    my @trusted = ( SSL_ca_file => $job->{trusted} );
    my $smtp = Net::SMTP->new(
        'localhost',
        Port    => $job->{port},
        Hello   => $job->{helo},
        Timeout => 20,
        $job->{mode} eq 'implicit TLS' ? ( SSL => 1, @trusted ) : (),
    ) or return "connect $@";
    my $refused = sub {
        my ($step) = @_;
        my ($text) = $smtp->message =~ /^([^\r\n]*)/;
        my $code = $smtp->code;
        $smtp->quit;
        return "$step $code $text";
    };
    if ( $job->{mode} eq 'STARTTLS' ) {
        $smtp->starttls(@trusted) or return $refused->('STARTTLS');
    }
    # JSON::PP has decoded the name and the password; the wire wants octets.
    my ( $user, $password ) = @$job{qw(username password)};
    utf8::encode($_) for $user, $password;
    my $sasl = Authen::SASL->new(
        mechanism => $job->{mechanism},
        callback  => { user => $user, authname => $user, pass => $password },
    );
    $smtp->auth($sasl) or return $refused->('AUTH');
    $smtp->mail( $job->{sender}, Bits => '8' ) or return $refused->('MAIL');
    $smtp->to( @{ $job->{recipients} } )       or return $refused->('RCPT');
    $smtp->data                                or return $refused->('DATA');
    open my $file, '<:raw', $job->{message} or die "$job->{message}: $!";
    while ( read $file, my $part, 65_536 ) { $smtp->datasend($part) }
    $smtp->dataend or return $refused->('message');
    $smtp->quit    or return $refused->('QUIT');
    return 'sent';
}

my $jobs = decode_json( do { local $/; <STDIN> } );
print encode_json( [ map { run_job($_) } @$jobs ] );
