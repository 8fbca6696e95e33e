# mysql.pm - there is no database: DBI.pm
package DBD::mysql;

1;
