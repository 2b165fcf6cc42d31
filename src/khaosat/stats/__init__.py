"""Statistics as functions of arrays: no files, no words, no figures."""
