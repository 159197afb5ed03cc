"""Logins by password, at home and in a hall: accounts in a file, sessions in the daemon's memory, a cookie at the border."""
